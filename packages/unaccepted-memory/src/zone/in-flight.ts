/**
 * Blocks between "taken off the zone's list" and "freed to it": visible to all threads, so that others can help
 * with one, and the block of a dead thread can be finished.
 *
 * ```text
 * word 0   MAGIC                     written once, by creation
 *      1   layout version            written once
 *      2   participant slots         written once
 *      3   helper                    participant + 1 of the background helper, 0 = none
 *      4   demand                    grows when the helper is wanted
 *     16   zones 0 .. 255            pages in flight of that zone
 *    272   slots, 2 words each       zone, block + 1; 0 = none, -1 = about to take one
 * ```
 * A block is in flight at most once in its life, so a slot's value names it without a generation. Whoever swaps
 * it for 0 has the duty to free the block: the thread that took it, a helper, or the one that recovers a dead
 * thread's slot.
 */
import { allocateBuffer } from '@bootmem/memmap/shared';
import type { Words } from '../memory/bitmap.js';

const { add, compareExchange, load, notify, store, wait } = Atomics;

/** "ACIF" */
export const IN_FLIGHT_MAGIC = 0x41434946;
/** Changes whenever the words do. */
export const IN_FLIGHT_VERSION = 2;
/** Words before the zones: a cache line, so that `demand` does not disturb those who look at a zone. */
export const IN_FLIGHT_HEADER_WORDS = 16;

const WORD = { MAGIC: 0, VERSION: 1, SLOTS: 2, HELPER: 3, DEMAND: 4 } as const;
const ZONES_AT = IN_FLIGHT_HEADER_WORDS;
const SLOTS_AT = ZONES_AT + 256;
/** Looks, a few ns each, at a block between its finish and its free; then a sleep, should its thread be descheduled. */
const SETTLE_SPINS = 20_000;
const SETTLE_MS = 200;
const NOTHING = 0;

/** A block in flight, and who took it. */
export interface InFlightBlock {
  /** Participant slot of the thread that took it. */
  readonly slot: number;
  /** Zone it belongs to. */
  readonly zone: number;
  /** Index of the block: pfn divided by the pages of a block. */
  readonly block: number;
}

/** Bytes of the words for a number of participant slots. */
export function inFlightBytes(slots: number): number {
  return (SLOTS_AT + (slots + 1) * 2) * 4;
}

/** Participant slots that the words have room for. */
export function inFlightSlots(words: Words): number {
  return words[WORD.SLOTS]!;
}

/** Fresh words: nothing in flight. @param slots  participant slots, as many as the accept state has */
export function newInFlight(slots: number): ArrayBufferLike {
  const buffer = allocateBuffer(inFlightBytes(slots));
  const words = new Int32Array(buffer);
  words[WORD.VERSION] = IN_FLIGHT_VERSION;
  words[WORD.SLOTS] = slots;
  words[WORD.MAGIC] = IN_FLIGHT_MAGIC;
  return buffer;
}

/** The table over shared words; no state of its own. */
export class InFlight {
  readonly #words: Words;
  readonly #slots: number;

  /** @param buffer  words that {@link newInFlight} made */
  constructor(buffer: ArrayBufferLike) {
    this.#words = new Int32Array(buffer);
    this.#slots = this.#words[WORD.SLOTS]!;
  }

  /** The shared words, for another thread. */
  get buffer(): ArrayBufferLike {
    return this.#words.buffer;
  }

  /**
   * Says that the thread of `slot` prepares blocks in the background.
   * @param isAlive  whether the thread of a slot lives: a helper that has ended is replaced
   * @returns false when another one does
   */
  startHelper(slot: number, isAlive: (slot: number) => boolean): boolean {
    const seen = load(this.#words, WORD.HELPER);
    if (seen !== 0 && isAlive(seen)) return false;
    return compareExchange(this.#words, WORD.HELPER, seen, slot) === seen;
  }

  /** The helper of `slot` has ended; nothing happens when it is not the helper. */
  endHelper(slot: number): void {
    compareExchange(this.#words, WORD.HELPER, slot, 0);
  }

  /** Slot of the background helper; 0 when there is none. */
  get helper(): number {
    return load(this.#words, WORD.HELPER);
  }

  /** Wakes the helper. */
  demand(): void {
    // Pairs with `awaitDemand`.
    add(this.#words, WORD.DEMAND, 1);
    notify(this.#words, WORD.DEMAND);
  }

  /** The demand word's value, to be read before looking for work. */
  demandSeen(): number {
    return load(this.#words, WORD.DEMAND);
  }

  /** Sleeps until demand differs from `seen`, at most `ms`. Only on threads that may sleep. */
  awaitDemand(seen: number, ms: number): void {
    wait(this.#words as Int32Array<SharedArrayBuffer>, WORD.DEMAND, seen, ms);
  }

  /** Pages of a zone that are being accepted right now. */
  pages(zone: number): number {
    return load(this.#words, ZONES_AT + zone);
  }

  /** Names the block that is being taken; from here on others may help with it. */
  enter(slot: number, zone: number, block: number, pages: number): void {
    add(this.#words, ZONES_AT + zone, pages);
    store(this.#words, SLOTS_AT + slot * 2, zone);
    // Pairs with the load in `find`: the zone and the page count are there before the block can be seen.
    store(this.#words, SLOTS_AT + slot * 2 + 1, block + 1);
  }

  /** True while the slot names this block. */
  has({ slot, block }: InFlightBlock): boolean {
    return load(this.#words, SLOTS_AT + slot * 2 + 1) === block + 1;
  }

  /** Takes the name of a block away that is freed, or withheld; true for exactly one caller, who then settles. */
  finish(entry: InFlightBlock): boolean {
    // Pairs with the same step of the other threads that worked on this block: one of them wins.
    const value = entry.block + 1;
    return compareExchange(this.#words, SLOTS_AT + entry.slot * 2 + 1, value, NOTHING) === value;
  }

  /** The block is where it belongs: its pages are in flight no more. */
  settle(zone: number, pages: number): void {
    // Pairs with `awaitSettled`: comes after the block is on the free list.
    add(this.#words, ZONES_AT + zone, -pages);
    notify(this.#words, ZONES_AT + zone);
  }

  /**
   * Waits a moment for a block that is about to be named, or was freed and is about to be settled.
   * @returns false when nothing changed meanwhile: its thread died in between
   */
  awaitSettled(zone: number): boolean {
    const before = load(this.#words, ZONES_AT + zone);
    for (let spin = 0; spin < SETTLE_SPINS; spin += 1) {
      if (load(this.#words, ZONES_AT + zone) !== before) return true;
    }
    try {
      wait(this.#words as Int32Array<SharedArrayBuffer>, ZONES_AT + zone, before, SETTLE_MS);
    } catch {
      // A thread that may not sleep has done its spinning.
    }
    return load(this.#words, ZONES_AT + zone) !== before;
  }

  /** The block of a slot, or undefined. */
  at(slot: number): InFlightBlock | undefined {
    const at = SLOTS_AT + slot * 2;
    const value = load(this.#words, at + 1);
    return value > 0 ? { slot, zone: load(this.#words, at), block: value - 1 } : undefined;
  }

  /** The first block in flight that satisfies `wanted`. O(slots). */
  find(wanted: (entry: InFlightBlock) => boolean): InFlightBlock | undefined {
    for (let slot = 1; slot <= this.#slots; slot += 1) {
      const entry = this.at(slot);
      if (entry !== undefined && wanted(entry)) return entry;
    }
    return undefined;
  }
}
