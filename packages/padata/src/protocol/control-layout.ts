/**
 * Word layout of a pool's control block: one SharedArrayBuffer of 32-bit words, one of 64-bit floats.
 *
 * ```
 *  words   | header 64 | worker 0 | worker 1 | ... | lane 0 | lane 1 | ... |
 *  numbers |                                         lane 0 | lane 1 | ... |
 * ```
 * Worker 0 is the owner: the thread that made the pool. Worker threads are 1..capacity. A lane carries one
 * running range job. Every word is either written by one named side or changed by atomic operations only;
 * the protocols in `protocol/` name each operation's partner.
 */

export const CONTROL_MAGIC = 0x70646174;
export const CONTROL_VERSION = 1;

/** Header words. */
export const HEAD = {
  MAGIC: 0,
  VERSION: 1,
  /** Number of worker threads that fit, not counting the owner. */
  CAPACITY: 2,
  /** Counts publications of work; a worker that saw no work sleeps only while it is unchanged. */
  EPOCH: 16,
  /** Not 0: every worker leaves. */
  STOP: 4,
  /** Number of open lanes, so that workers skip the scan. */
  OPEN_LANES: 5,
  /** Microseconds that an idle worker may spin; -1 = adapt. Written by the owner. */
  SPIN_US: 6,
  /** 1: the pool's threads and their owner are more than the processors. Written once by the owner. */
  CROWDED: 7,
  /** The worker that spins at the moment, 0 = none: of workers that adapt, one at a time. */
  SPINNER: 32,
  /** By level of priority: starts that went to jobs of higher ones while one of it waited, see `levels/levels.ts`. */
  PASSED: 40,
  /** 1 while the owner sleeps in its event loop and wants to be woken. */
  OWNER_ASLEEP: 48,
} as const;
const HEAD_WORDS = 64;

/** Words of one worker: what others write or look at now and then, then, on a line of its own, what it writes itself turn after turn. */
export const WORKER = {
  /** 1 = asleep (or about to be) on this very word; the owner writes 0 and notifies. */
  SLEEP: 0,
  /** Messages posted to the worker so far; it polls its port when this differs from what it received. */
  MAIL: 1,
  /** Turns of the worker's loop so far, modulo 2^32: it stands still while a function keeps the thread. */
  TURN: 16,
  /** Writes of what its functions have printed that have not reached the owner's thread. */
  OUTPUT: 17,
  /** Promises and imports that the worker waits for: who wakes one of several prefers the one with the fewest. */
  PENDING: 18,
  /** 1 = it has nothing to do: it looks around, spins or sleeps; promises may be pending. */
  FREE: 19,
  /** Milliseconds that the worker had something to do, up to when it last had nothing. */
  BUSY_MS: 20,
  /** When it began what it does now, in milliseconds of the wall clock modulo 2^32; 0 = it has begun nothing yet. */
  BUSY_FROM: 21,
} as const;
const WORKER_WORDS = 32;

export const LANE_COUNT = 16;

/** Words of one lane; see `protocol/lane.ts`. */
export const LANE = {
  /** Odd while open; bumped at opening and at closing. */
  GATE: 0,
  /** Next chunk index to claim. */
  CLAIM: 1,
  /** Number of chunks. */
  COUNT: 2,
  /** Identity of the job, as registered in the workers. */
  JOB: 3,
  /** Not 0: no new claims. */
  STOPPED: 4,
  /** Not 0: the owner sleeps until participants have left. */
  WAITING: 5,
  /** Not 0: participants yield to other work between chunks. */
  LOW_PRIORITY: 6,
  /** Bit set of workers that may join, `MASK_WORDS` words. */
  ALLOWED: 8,
} as const;
export const MASK_WORDS = 8;
/** Most worker threads of a pool. */
export const MAX_THREADS = MASK_WORDS * 32 - 1;
const LANE_FIXED_WORDS = 16;

/** What became of a chunk: the low bits of its word; the rest is the worker's id. */
export const ChunkPhase = {
  NONE: 0,
  RUNNING: 1,
  /** Done, no value. */
  DONE: 2,
  /** Done, its value is in the lane's numbers. */
  DONE_NUMBER: 3,
  /** Done, its value was posted as a message. */
  DONE_MESSAGE: 4,
  /** Failed, the error was posted as a message. */
  FAILED: 5,
} as const;
export const CHUNK_PHASE_BITS = 3;
export const CHUNK_PHASE_MASK = (1 << CHUNK_PHASE_BITS) - 1;

/** Floats of one lane before the chunk values and the statistics. */
export const LANE_NUMBER = { START: 0, END: 1, CHUNK_SIZE: 2 } as const;
const LANE_FIXED_NUMBERS = 4;
/** Floats of statistics a participant leaves in a lane: chunks, units, milliseconds. */
export const LANE_STAT_NUMBERS = 3;

/** Where the parts of a pool's control block lie. */
export interface ControlLayout {
  readonly capacity: number;
  /** Chunks at most in one lane: flooring can double the 4 chunks of each participant. */
  readonly maxChunks: number;
  readonly laneWords: number;
  readonly laneNumbers: number;
  readonly wordCount: number;
  readonly numberCount: number;
}

/** The layout for `capacity` worker threads (1..MAX_THREADS; 0 = inline pool). */
export function controlLayout(capacity: number): ControlLayout {
  const maxChunks = Math.max(1024, 8 * (capacity + 1) + 2);
  const laneWords = roundUp(LANE_FIXED_WORDS + (capacity + 1) + maxChunks, 16);
  const laneNumbers = LANE_FIXED_NUMBERS + maxChunks + (capacity + 1) * LANE_STAT_NUMBERS;
  return {
    capacity,
    maxChunks,
    laneWords,
    laneNumbers,
    wordCount: HEAD_WORDS + (capacity + 1) * WORKER_WORDS + LANE_COUNT * laneWords,
    numberCount: LANE_COUNT * laneNumbers,
  };
}

/** First word of worker `id`'s block. */
export function workerBase(id: number): number {
  return HEAD_WORDS + id * WORKER_WORDS;
}

/** Where one lane's words and floats lie. */
export interface LanePlace {
  /** First word. */
  readonly base: number;
  /** First of the participants' presence words, indexed by worker id. */
  readonly present: number;
  /** First of the chunk words. */
  readonly chunks: number;
  /** First float. */
  readonly numbers: number;
  /** First chunk value. */
  readonly values: number;
  /** First statistics float, `LANE_STAT_NUMBERS` per worker id. */
  readonly stats: number;
}

/** Place of lane `index`, 0 .. LANE_COUNT - 1. */
export function lanePlace(layout: ControlLayout, index: number): LanePlace {
  const base = HEAD_WORDS + (layout.capacity + 1) * WORKER_WORDS + index * layout.laneWords;
  const numbers = index * layout.laneNumbers;
  const values = numbers + LANE_FIXED_NUMBERS;
  return {
    base,
    present: base + LANE_FIXED_WORDS,
    chunks: base + LANE_FIXED_WORDS + layout.capacity + 1,
    numbers,
    values,
    stats: values + layout.maxChunks,
  };
}

/** Smallest multiple of `unit` that is at least `value`. */
function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
