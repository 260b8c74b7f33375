/**
 * Where a job's input goes, owner's side: into its slot and the arena, or by message; and how much room its result gets.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { Kind, SLOT, SLOT_NUMBER, slotNumber } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import {
  LONGEST_PLAIN,
  MIN_ROOM,
  encodePlainAside,
  textRoom,
  writeEncoded,
  writePlain,
  writeValue,
} from '../values/slot-values.js';
import { NOT_PLAIN, NO_ROOM } from '../values/plain-codec.js';
import { viewRoom } from '../values/views.js';
import type { ResultRoom } from './result-room.js';
import type { Arena } from './slot-arena.js';

/** Where an input went. */
export const Placed = {
  SLOT: 0,
  /** It does not fit a slot, now or ever. */
  MESSAGE: 1,
  /** There is no room now; nothing has changed. */
  FULL: 2,
} as const;

/** After plain data that was too long, so many objects go by message without a try: it was written in vain. */
const PASSING = 8;

/** What placing inputs needs of its ring. */
interface InputHost {
  /** Adds bytes to the arena, for stretches of so many; false = it has as many as it may. */
  grow(bytes: number): boolean;
}

/** Places inputs in the slots of one ring. */
export class SlotInput {
  readonly #memory: RingMemory;
  readonly #arena: Arena;
  readonly #host: InputHost;
  readonly #results: ResultRoom;
  readonly #outputBytes: (inputBytes: number) => number;
  /** Room for the result of a job whose input is no bytes. */
  readonly leastRoom: number;
  /** Room that plain data is tried in: what the last of it took, and some more. */
  #guess: number;
  #passing = 0;

  /**
   * @param slotBytes   bytes of arena that plain data gets at first
   * @param outputBytes bytes to reserve for the result of an input of so many bytes
   */
  constructor(
    memory: RingMemory,
    arena: Arena,
    host: InputHost,
    results: ResultRoom,
    slotBytes: number,
    outputBytes: (inputBytes: number) => number,
  ) {
    this.#memory = memory;
    this.#arena = arena;
    this.#host = host;
    this.#results = results;
    this.#guess = Math.max(MIN_ROOM, slotBytes);
    this.#outputBytes = outputBytes;
    const least = room(outputBytes(0));
    // A result that can never fit goes by message.
    this.leastRoom = least <= arena.bytes ? least : MIN_ROOM;
  }

  /** Puts an input into a slot if it fits; the arena's head moves. Returns a `Placed`. @throws ERR_PADATA_CLONE */
  place(input: unknown, base: number, index: number): number {
    switch (typeof input) {
      case 'number':
        return this.#placeNumber(input, base, index);
      case 'string':
        return this.#placeSized(input, textRoom(input), base, index);
      case 'object':
        if (input === null) return this.#placeSized(input, 0, base, index);
        if (ArrayBuffer.isView(input)) return this.#placeView(input, base, index);
        return this.#placePlain(input, base);
      case 'function':
      case 'symbol':
      case 'bigint':
        return Placed.MESSAGE;
      default:
        return this.#placeSized(input, 0, base, index);
    }
  }

  #placeNumber(input: number, base: number, index: number): number {
    const placed = this.reserve(base);
    if (placed !== Placed.SLOT) return placed;
    this.#memory.words[base + SLOT.KIND] = Kind.NUMBER;
    this.#memory.numbers[slotNumber(index) + SLOT_NUMBER.VALUE] = input;
    return Placed.SLOT;
  }

  #placeView(input: ArrayBufferView, base: number, index: number): number {
    const bytes = viewRoom(input);
    return bytes < 0 ? Placed.MESSAGE : this.#placeSized(input, bytes, base, index);
  }

  /** A value that takes so many bytes. */
  #placeSized(input: unknown, bytes: number, base: number, index: number): number {
    const inRoom = pad(bytes);
    const outRoom = this.#outRoom(bytes);
    let first = this.#arena.find(inRoom + outRoom);
    if (first < 0) first = this.#findMore(inRoom + outRoom);
    if (first < 0) return this.#noRoom(inRoom + outRoom);
    this.#reserveAt(base, first, inRoom, outRoom);
    if (!writeValue(this.#memory, base, index, input, first, inRoom)) return Placed.MESSAGE;
    this.#arena.head = first + inRoom + outRoom;
    return Placed.SLOT;
  }

  /** Plain data: what it takes is known when it is written. */
  #placePlain(input: object, base: number): number {
    if (this.#passing > 0) {
      this.#passing -= 1;
      return Placed.MESSAGE;
    }
    const guess = pad(this.#guess);
    let first = this.#arena.find(guess);
    // Nothing is given out yet: the head moves below.
    let used = first < 0 ? NO_ROOM : this.#write(input, base, first, guess);
    if (used === NOT_PLAIN) return Placed.MESSAGE;
    let aside: Uint8Array | undefined;
    if (used === NO_ROOM) {
      const written = this.#aside(input, base);
      if (typeof written === 'number') {
        if (written === NO_ROOM) this.#passing = PASSING;
        return Placed.MESSAGE;
      }
      aside = written;
      used = aside.length;
    }
    this.#learn(used);
    const inRoom = pad(used);
    const outRoom = this.#outRoom(used);
    if (aside !== undefined || first + inRoom + outRoom > this.#arena.limit(first)) {
      // As it is written aside, no getter runs again.
      aside ??= this.#copyOf(first, used);
      first = this.#arena.find(inRoom + outRoom);
      if (first < 0) first = this.#findMore(inRoom + outRoom);
      if (first < 0) return this.#noRoom(inRoom + outRoom);
      this.#reserveAt(base, first, inRoom, outRoom);
      writeEncoded(this.#memory, base, aside, first);
    } else this.#reserveAt(base, first, inRoom, outRoom);
    this.#arena.head = first + inRoom + outRoom;
    return Placed.SLOT;
  }

  #learn(used: number): void {
    const wanted = used + (used >> 2) + MIN_ROOM;
    if (wanted > this.#guess) this.#guess = Math.min(wanted, LONGEST_PLAIN);
    else this.#guess -= (this.#guess - wanted) >> 6;
  }

  #copyOf(first: number, bytes: number): Uint8Array {
    const part = this.#memory.arena.at(first);
    return part.bytes.slice(first - part.first, first - part.first + bytes);
  }

  #reserveAt(base: number, first: number, inRoom: number, outRoom: number): void {
    const { words } = this.#memory;
    words[base + SLOT.FIRST] = first;
    words[base + SLOT.IN_ROOM] = inRoom;
    words[base + SLOT.OUT_ROOM] = outRoom;
  }

  /** Room for the result of an input of so many bytes. */
  #outRoom(bytes: number): number {
    const asked = room(this.#outputBytes(bytes));
    const learned = this.#results.bytes;
    return asked >= learned ? asked : room(learned);
  }

  /** A search for so many bytes has failed: another after the arena has grown, where that helps; -1 = it has failed too. */
  #findMore(bytes: number): number {
    if (!this.#arena.mayGrow) return -1;
    if (!this.#host.grow(bytes)) this.#arena.goOn();
    return this.#arena.find(bytes);
  }

  /** Is there no room now, or none at all as long as abandoned functions hold what they have? */
  #noRoom(bytes: number): number {
    return bytes > this.#arena.longest ? Placed.MESSAGE : Placed.FULL;
  }

  /** Writing reads the input's properties, which may be getters or a proxy's. @throws ERR_PADATA_CLONE */
  #write(input: object, base: number, first: number, room: number): number {
    try {
      return writePlain(this.#memory, base, input, first, room);
    } catch (cause) {
      throw this.#cloneError(base, cause);
    }
  }

  #aside(input: object, base: number): Uint8Array | number {
    try {
      return encodePlainAside(input);
    } catch (cause) {
      throw this.#cloneError(base, cause);
    }
  }

  #cloneError(base: number, cause: unknown): PadataError {
    return new PadataError(
      'ERR_PADATA_CLONE',
      `the input cannot be cloned: ${messageOf(cause)}`,
      { seq: this.#memory.words[base + SLOT.NUMBER]! >>> 0 },
      { cause },
    );
  }

  /** Reserves room for a result alone, whose input is a number or comes by message: SLOT or FULL. */
  reserve(base: number): number {
    const learned = this.#results.bytes;
    const out = this.leastRoom >= learned ? this.leastRoom : room(learned);
    const first = this.#arena.find(out);
    return first < 0 ? this.#reserveMore(base, out) : this.#reserveOut(base, first, out);
  }

  #reserveOut(base: number, first: number, out: number): number {
    const { words } = this.#memory;
    words[base + SLOT.FIRST] = first;
    words[base + SLOT.IN_ROOM] = 0;
    words[base + SLOT.OUT_ROOM] = out;
    this.#arena.head = first + out;
    return Placed.SLOT;
  }

  /** A search for so many bytes has failed. */
  #reserveMore(base: number, out: number): number {
    const first = this.#findMore(out);
    if (first >= 0) return this.#reserveOut(base, first, out);
    if (this.#noRoom(out) === Placed.FULL) return Placed.FULL;
    // Abandoned functions hold everything: a result that is more than a number goes by message.
    this.#reserveAt(base, 0, 0, 0);
    return Placed.SLOT;
  }
}

function pad(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Room for a result: at least the minimum, a multiple of eight. */
function room(bytes: number): number {
  return pad(Math.max(MIN_ROOM, Math.ceil(bytes)));
}
