/**
 * Where a job's input goes, owner's side: into its slot and the arena, or by message; and how much room its result gets.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { Kind, SLOT, SLOT_NUMBER, slotNumber } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { MIN_ROOM, isBytes, writeValue } from '../slot/slot-values.js';
import type { Arena } from './slot-arena.js';

/** Where an input went. */
export const Placed = {
  SLOT: 0,
  /** It does not fit a slot, now or ever. */
  MESSAGE: 1,
  /** There is no room now; nothing has changed. */
  FULL: 2,
} as const;

/** Places inputs in the slots of one ring. */
export class SlotInput {
  readonly #memory: RingMemory;
  readonly #arena: Arena;
  readonly #slotBytes: number;
  readonly #outputBytes: (inputBytes: number) => number;
  /** Room for the result of a job whose input is no bytes. */
  readonly #leastRoom: number;

  /**
   * @param slotBytes   bytes of arena that plain data may take
   * @param outputBytes bytes to reserve for the result of an input of so many bytes
   */
  constructor(
    memory: RingMemory,
    arena: Arena,
    slotBytes: number,
    outputBytes: (inputBytes: number) => number,
  ) {
    this.#memory = memory;
    this.#arena = arena;
    this.#slotBytes = slotBytes;
    this.#outputBytes = outputBytes;
    const least = room(outputBytes(0));
    // A result that can never fit goes by message.
    this.#leastRoom = least <= arena.bytes ? least : MIN_ROOM;
  }

  /** Puts an input into a slot if it fits; the arena's head moves. Returns a `Placed`. @throws ERR_PADATA_CLONE */
  place(input: unknown, base: number, index: number): number {
    if (typeof input === 'number') {
      const placed = this.reserve(base);
      if (placed !== Placed.SLOT) return placed;
      this.#memory.words[base + SLOT.KIND] = Kind.NUMBER;
      this.#memory.numbers[slotNumber(index) + SLOT_NUMBER.VALUE] = input;
      return Placed.SLOT;
    }
    let need = 0;
    if (typeof input === 'string') need = input.length * 2;
    else if (typeof input === 'object' && input !== null) {
      need = isBytes(input) ? input.length : this.#slotBytes;
    } else if (
      typeof input === 'function' ||
      typeof input === 'symbol' ||
      typeof input === 'bigint'
    ) {
      return Placed.MESSAGE;
    }
    const inRoom = (need + 7) & ~7;
    const plain = need === this.#slotBytes && !isBytes(input as object);
    const outRoom = plain ? 0 : room(this.#outputBytes(need));
    const first = this.#arena.find(inRoom + outRoom);
    if (first < 0) return this.#noRoom(inRoom + outRoom);
    const { words } = this.#memory;
    words[base + SLOT.FIRST] = first;
    words[base + SLOT.IN_ROOM] = inRoom;
    words[base + SLOT.OUT_ROOM] = outRoom;
    // Nothing is given out yet: the head moves below.
    if (!this.#write(input, base, index, first, inRoom)) return Placed.MESSAGE;
    if (plain) {
      // The room was a guess: what the data really took, and as much again for the result.
      const used = (words[base + SLOT.LENGTH]! + 7) & ~7;
      const out = room(this.#outputBytes(used));
      let from = first;
      if (first + used + out > this.#arena.limit(first)) {
        from = this.#arena.find(used + out);
        if (from < 0) return this.#noRoom(used + out);
        words[base + SLOT.FIRST] = from;
        if (!writeValue(this.#memory, base, index, input, from, used)) return Placed.MESSAGE;
      }
      words[base + SLOT.IN_ROOM] = used;
      words[base + SLOT.OUT_ROOM] = out;
      this.#arena.head = from + used + out;
    } else {
      this.#arena.head = first + inRoom + outRoom;
    }
    return Placed.SLOT;
  }

  /** Is there no room now, or none at all as long as abandoned functions hold what they have? */
  #noRoom(bytes: number): number {
    return bytes > this.#arena.longest ? Placed.MESSAGE : Placed.FULL;
  }

  /** Writing reads the input's properties, which may be getters or a proxy's. @throws ERR_PADATA_CLONE */
  #write(input: unknown, base: number, index: number, first: number, inRoom: number): boolean {
    try {
      return writeValue(this.#memory, base, index, input, first, inRoom);
    } catch (cause) {
      throw new PadataError(
        'ERR_PADATA_CLONE',
        `the input cannot be cloned: ${messageOf(cause)}`,
        { seq: this.#memory.words[base + SLOT.NUMBER]! >>> 0 },
        { cause },
      );
    }
  }

  /** Reserves room for a result alone, whose input is a number or comes by message: SLOT or FULL. */
  reserve(base: number): number {
    const out = this.#leastRoom;
    const first = this.#arena.find(out);
    const { words } = this.#memory;
    if (first < 0) {
      if (this.#noRoom(out) === Placed.FULL) return Placed.FULL;
      // Abandoned functions hold everything: a result that is more than a number goes by message.
      words[base + SLOT.FIRST] = 0;
      words[base + SLOT.IN_ROOM] = 0;
      words[base + SLOT.OUT_ROOM] = 0;
      return Placed.SLOT;
    }
    words[base + SLOT.FIRST] = first;
    words[base + SLOT.IN_ROOM] = 0;
    words[base + SLOT.OUT_ROOM] = out;
    this.#arena.head = first + out;
    return Placed.SLOT;
  }
}

/** Room for a result: at least the minimum, a multiple of eight. */
function room(bytes: number): number {
  return (Math.max(MIN_ROOM, Math.ceil(bytes)) + 7) & ~7;
}
