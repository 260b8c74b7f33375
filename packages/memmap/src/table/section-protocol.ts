/**
 * The steps by which sections get, keep and lose their descriptors, over given atomic operations, so that the code
 * that ships is also the code that is explored.
 *
 *                 claim + publish                    retire                      publish
 *     slot word   0 ───────────────▶ slot + 1 ─────────────────▶ -(slot + 1) ──────────────▶ slot + 1
 *     stale bits  0                  0                           all of the section          cleared by each owner for
 *                                                                                            its own subsections
 *
 * Who may do what: a range of subsections has one owner at a time, named by whoever gives ranges out (the hotplug
 * lock's holder). The owner adds, populates, initialises and removes it, outside that lock. Owners of different parts
 * of one section meet only in the words here, and never wait for each other: every step is one atomic operation, and a
 * thread may end between any two of them.
 *
 * - A slot is claimed for a section, not for a thread: whoever comes across the claim finishes it. A slot whose section
 *   has another one was left behind, and is free. So slots run out only when each is a section's.
 * - A removed section keeps its slot. Its old descriptors are cleared by the next one who uses them, part by part: a
 *   stale bit is a subsection whose descriptors nobody may look at. It goes after the clearing, so clearing may be done
 *   again but is never left out.
 */

/** Atomic operations on 32-bit words; `Atomics` satisfies it. */
export interface SectionOps {
  /** Reads a word. */
  load(words: Int32Array, index: number): number;
  /** Writes a word. */
  store(words: Int32Array, index: number, value: number): number;
  /** Adds and returns the old value. */
  add(words: Int32Array, index: number, value: number): number;
  /** Writes `value` if the word is `expected`; returns the old value. */
  compareExchange(words: Int32Array, index: number, expected: number, value: number): number;
  /** Sets bits; returns the old value. */
  or(words: Int32Array, index: number, bits: number): number;
  /** Keeps only these bits; returns the old value. */
  and(words: Int32Array, index: number, bits: number): number;
}

/** Where a map keeps its words. */
export interface SlotPlaces {
  /** Slots. */
  readonly capacity: number;
  /** Word that counts the slots given out; where the search for a free one begins. */
  readonly usedAt: number;
  /** Slot words, by row. */
  readonly slotAt: number;
  /** By slot: 0, or 1 + the row that it was claimed for. */
  readonly rowOfSlotAt: number;
  /** Stale bits, by row. */
  readonly staleAt: number;
  /** Words of them a row. */
  readonly staleWords: number;
  /** Each of these words with all of its bits. */
  readonly allStale: number;
}

/** Steps of a section's life; `row` counts sections from the map's first. */
export interface SectionProtocol {
  /**
   * Makes a section's descriptors reachable: gives it a slot, or brings the kept one back.
   * @returns the slot, or -1 when all are in use
   */
  publish(words: Int32Array, places: SlotPlaces, row: number): number;
  /** Takes a whole section's descriptors, if it has any, out of reach as they are; the owner of all of it only. */
  retire(words: Int32Array, places: SlotPlaces, row: number): void;
  /** Clears the stale ones among the caller's subsections, a word of them: `clear(bits)`, then they are clean. */
  settle(words: Int32Array, at: number, own: number, clear: (bits: number) => void): void;
}

/** The protocol over given operations; production uses `Atomics`. */
export function makeSectionProtocol(ops: SectionOps): SectionProtocol {
  /** Makes `slot` that of a row unless it has one; returns the slot word that the row has then, without its sign. */
  const give = (words: Int32Array, places: SlotPlaces, row: number, slot: number): number => {
    const before = ops.compareExchange(words, places.slotAt + row, 0, slot + 1);
    if (before !== 0) return Math.abs(before);
    ops.add(words, places.usedAt, 1);
    return slot + 1;
  };
  const claim = (words: Int32Array, places: SlotPlaces, row: number): number => {
    const { capacity, usedAt, rowOfSlotAt } = places;
    const start = ops.load(words, usedAt);
    for (let i = 0; i < capacity;) {
      const slot = (start + i) % capacity;
      const at = rowOfSlotAt + slot;
      const owner = ops.compareExchange(words, at, 0, row + 1);
      if (owner === 0 || owner === row + 1) return slot;
      // Claimed for another row: finish that, whoever began it. If it had a slot, this one was left behind.
      if (give(words, places, owner - 1, slot) === slot + 1) i++;
      else if (ops.compareExchange(words, at, owner, row + 1) === owner) return slot;
    }
    return -1;
  };
  return {
    publish(words, places, row) {
      const { slotAt, rowOfSlotAt } = places;
      for (;;) {
        const word = ops.load(words, slotAt + row);
        if (word > 0) return word - 1;
        if (word < 0) {
          if (ops.compareExchange(words, slotAt + row, word, -word) === word) return -word - 1;
          continue;
        }
        const slot = claim(words, places, row);
        // Another one that populates this section may have got the last slot for it meanwhile.
        if (slot < 0) return Math.abs(ops.load(words, slotAt + row)) - 1;
        if (give(words, places, row, slot) !== slot + 1) {
          ops.compareExchange(words, rowOfSlotAt + slot, row + 1, 0);
        }
      }
    },
    retire(words, { slotAt, staleAt, staleWords, allStale }, row) {
      const word = ops.load(words, slotAt + row);
      if (word <= 0) return;
      // First: whoever brings the slot back, even after this thread ended here, must not find them fresh.
      for (let i = 0; i < staleWords; i++) {
        ops.store(words, staleAt + row * staleWords + i, allStale);
      }
      ops.store(words, slotAt + row, -word);
    },
    settle(words, at, own, clear) {
      const bits = ops.load(words, at) & own;
      if (bits === 0) return;
      clear(bits);
      // After the clearing: who ends before this leaves the bits, and the next owner clears once more.
      ops.and(words, at, ~bits);
    },
  };
}
