/**
 * Which bytes of the rings' memory a job's result may hold: those that the job was given, its input and the room for its result. A view
 * can be made of all of a buffer (`new Uint8Array(input.buffer)`), or be kept from an earlier job: other jobs' bytes lie there.
 */
import { isArenaMemory, isMadeHere } from '../protocol/arena-parts.js';
import { SLOT } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { bufferOf, sizeOf, startOf } from './views.js';

/** What a value may hold of the rings' memory. */
export interface GivenBytes {
  /** May it have a copy of this view of a ring's memory? `buffer` is what it is a view of, where the view itself is a clone. */
  mayCopy(view: ArrayBufferView, buffer: object): boolean;
}

/** Of a value that is no job's: only what is the program's own anyway. */
export const NO_BYTES: GivenBytes = {
  mayCopy: (view, buffer) => sizeOf(view) === 0 || isMadeHere(buffer),
};

/** Bytes of one job at a time. */
export class JobBytes implements GivenBytes {
  readonly memory: RingMemory;
  /** First word of the job's slot. */
  base: number;

  constructor(memory: RingMemory, base = 0) {
    this.memory = memory;
    this.base = base;
  }

  /** May its result hold this view, by a copy? */
  mayHold(view: ArrayBufferView, buffer: object = bufferOf(view)): boolean {
    return !isArenaMemory(buffer) || this.mayCopy(view, buffer);
  }

  /** See `GivenBytes`. */
  mayCopy(view: ArrayBufferView, buffer: object): boolean {
    const length = sizeOf(view);
    if (length === 0) return true;
    const { arena, words } = this.memory;
    const { base } = this;
    const parts = arena.whoKnows(buffer as ArrayBufferLike);
    if (parts === undefined) return isMadeHere(buffer);
    const start = parts.addressOf(buffer, startOf(view));
    const first = words[base + SLOT.FIRST]!;
    const last = first + words[base + SLOT.IN_ROOM]! + words[base + SLOT.OUT_ROOM]!;
    return start >= first && start + length <= last;
  }
}

/**
 * Must these bytes go by structured clone? Shared memory stays shared by that alone, and it says what the job was not given. That of
 * the rings is the program's for a moment only.
 * @param job whose result holds them; undefined = it is an input
 */
export function isForeign(view: ArrayBufferView, job: GivenBytes | undefined): boolean {
  const buffer = bufferOf(view);
  if (isArenaMemory(buffer)) return job?.mayCopy(view, buffer) === false;
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}
