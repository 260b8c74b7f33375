/**
 * Word layout of a slot ring: the shared memory of one series of ordered jobs.
 *
 * ```
 *  | header, 80 words | slot 0: 12 words, 2 floats (one cache line) | ... | slot window - 1 | arena |
 * ```
 * The arena holds input and output bytes of the jobs in flight; it may grow by further parts (`arena-parts.ts`). Words that
 * different threads write lie on different cache lines.
 *
 * Slot of a job = SEQ & (window - 1). With an order SEQ is the sequence number, and the ring is at once the queue, the
 * window, the reorder buffer and the way back. Without one SEQ counts how often the slot was used, and the queue and the
 * way back are words of their own (`protocol/loose.ts`). A slot's words belong to whoever its STATE says: the owner
 * (FREE), nobody until claimed (READY), the worker that runs it (RUNNING), the owner again (DONE).
 */
import { ArenaParts } from './arena-parts.js';

/** Header words. */
export const RING = {
  WINDOW: 0,
  /** Not 0: jobs should give up; functions poll it. */
  ABORTED: 1,
  /** Bit set of workers that may claim, 8 words. */
  ALLOWED: 2,
  /** Not 0: its jobs have no order, see `protocol/loose.ts`. Written by the owner, once. */
  LOOSE: 10,
  /** Sequence number after the last submitted job. Written by the owner. */
  PUBLISHED: 16,
  /** Sequence number from which workers reserve; a hint that steers them apart, see `protocol/ring.ts`. */
  CLAIM: 32,
  /** Sequence number of the next job to be delivered. Written by the owner. */
  PROCESSED: 48,
  /**
   * Sequence number of the job whose end wakes the owner: the next to be delivered, or a later one. Without an order: how many
   * have to end. Written by the owner.
   */
  WAKE_AT: 49,
  /** Jobs whose inputs wait with the owner for a thread; `HANDED_OVER` is added when the first is. Written by the owner. */
  HELD: 50,
  /** Nanoseconds that a job takes, on average; 0 = not known. Written by whoever ran some. */
  RUN_NS: 33,
  /** Jobs whose completion was deferred and is to come from any thread. */
  DEFERRED: 34,
  /** Not 0: there are handles of deferred jobs somewhere, which name this memory. */
  HANDLES: 35,
  /** Without an order: first word of the slot that ended last and was not collected, and how many those are; 0 = none. */
  ENDED: 64,
} as const;
export const RING_HEAD_WORDS = 80;

/** Floats of the header, in words that RING leaves out. */
export const RING_NUMBER = {
  /**
   * Drawn for each ring: tells it by any thread's own objects of its memory. Words 12 and 13. Written by the owner, before anybody
   * hears of the ring.
   */
  IDENTITY: 6,
} as const;
/** In HELD: the oldest input is to be handed over, so it waits for a thread that has nothing to do. */
export const HANDED_OVER = 1 << 30;

/** Words of a slot. */
export const SLOT = {
  STATE: 0,
  /** What the slot is used for now, modulo 2^32: its lowest bits are the slot's index. With an order the NUMBER. */
  SEQ: 1,
  /** A `Kind`: of the input, then of the result. */
  KIND: 2,
  /** Length of the payload in bytes. */
  LENGTH: 3,
  /** First arena byte of the value: of the input, then of the result. */
  OFFSET: 4,
  /** First arena byte of the slot's reservation: room for the input, behind it room for the result. */
  FIRST: 5,
  IN_ROOM: 6,
  OUT_ROOM: 7,
  /** What the owner asks of the job's function, bits of `Ask`. Written by the owner. */
  ASKS: 8,
  /** How many jobs of the series were submitted before this one, modulo 2^32. */
  NUMBER: 9,
  /** Not of this slot's job, without an order: first word of the slot whose job is at this place of the queue. */
  QUEUED: 10,
  /** Without an order: first word of the slot that ended before this one, see ENDED. */
  NEXT: 11,
} as const;
export const SLOT_WORDS = 16;

/** What may be asked of a function while it runs. */
export const Ask = {
  /** It should give up. */
  STOP: 1,
  /** Somebody listens to its progress, */
  PROGRESS: 2,
  /** and to each report of it. */
  EVERY: 4,
} as const;

/** Floats of a slot: a number in or out; the time of submission in the owner's milliseconds. */
export const SLOT_NUMBER = { VALUE: 0, STAMP: 1 } as const;
/** Words of a slot before its floats. */
const SLOT_FLOAT_WORD = 12;

/** First float of the slot with this index. */
export function slotNumber(index: number): number {
  return (RING_HEAD_WORDS + index * SLOT_WORDS + SLOT_FLOAT_WORD) >> 1;
}

/** Low bits of STATE; the bits above hold the worker's id, or a deferred job's lap. */
export const SlotState = {
  FREE: 0,
  READY: 1,
  /** Being run by the worker named above. */
  RUNNING: 2,
  DONE: 3,
  /** Its input goes by message to the worker named above, which alone may begin it; 0 = it waits with the owner. */
  SENT: 4,
  /** Its function has handed the completion to someone else, on any thread. */
  DEFERRED: 5,
  /** Its function has returned a promise on the worker named above, and has no view of the slot's bytes. */
  PENDING: 6,
  /** The same, and the function may still read or write the slot's bytes. */
  HOLDING: 7,
} as const;
export const STATE_BITS = 4;
export const STATE_MASK = (1 << STATE_BITS) - 1;

/** Is it the state of a job whose function has begun, and that is not over? */
export function isBegun(state: number): boolean {
  const phase = state & STATE_MASK;
  return phase === SlotState.RUNNING || phase >= SlotState.DEFERRED;
}

/** Is it the state of a job whose promise is pending? */
export function isPending(state: number): boolean {
  return (state & STATE_MASK) >= SlotState.PENDING;
}
const LAP_MASK = (1 << (31 - STATE_BITS)) - 1;

/**
 * STATE of a job whose completion is deferred. The lap, how often the slot was used before, is part of it: whoever
 * still has the handle of an earlier job of the same slot cannot complete this one.
 */
export function deferredState(window: number, sequence: number): number {
  const lap = (sequence >>> (31 - Math.clz32(window))) & LAP_MASK;
  return SlotState.DEFERRED | (lap << STATE_BITS);
}

/** How a value travels. */
export const Kind = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  NUMBER: 4,
  /** Bytes in the arena. */
  BYTES: 5,
  /** Plain data in the arena, see `plain-codec.ts`. */
  PLAIN: 6,
  /** Text in the arena, in the first of its forms; the others follow in their order, see `text-form.ts`. */
  TEXT: 7,
  /** A typed array in the arena, of the first kind of `values/views.ts`; the others follow in their order. */
  ARRAY: 10,
  /** By message. */
  MESSAGE: 20,
  /** An error, by message. */
  ERROR: 21,
} as const;

/** Bytes before the arena. */
function ringWordBytes(window: number): number {
  return (RING_HEAD_WORDS + window * SLOT_WORDS) * 4;
}

/** Bytes of the whole ring. */
export function ringByteLength(window: number, arenaBytes: number): number {
  return ringWordBytes(window) + arenaBytes;
}

/** The views of one ring. */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly window: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** Where the bytes are that OFFSET and FIRST name. */
  readonly arena: ArenaParts;
}

/** Views of a ring in `buffer`; the same for owner and workers. */
export function ringMemory(
  buffer: SharedArrayBuffer,
  window: number,
  arenaBytes: number,
): RingMemory {
  const wordBytes = ringWordBytes(window);
  const numbers = new Float64Array(buffer, 0, wordBytes / 8);
  return {
    buffer,
    window,
    words: new Int32Array(buffer, 0, wordBytes / 4),
    numbers,
    arena: new ArenaParts(buffer, wordBytes, arenaBytes, numbers[RING_NUMBER.IDENTITY]),
  };
}

/** First word of the slot of `sequence`. */
export function slotWord(window: number, sequence: number): number {
  return RING_HEAD_WORDS + (sequence & (window - 1)) * SLOT_WORDS;
}
