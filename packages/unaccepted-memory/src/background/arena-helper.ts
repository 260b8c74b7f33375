/**
 * Background acceptance of an address range: for arenas without a page allocator, and as a job of a work pool.
 *
 * The helper walks upwards from the lowest unit that is not accepted, in steps of one to a few pieces. A consumer
 * that arrives at a unit in progress takes the pieces that nobody has begun (see accept-protocol.ts), so it is
 * never more than a piece behind.
 */
import type { UnacceptedMemoryHandle } from '../memory/types.js';
import { UnacceptedMemory } from '../memory/unaccepted-memory.js';
import { Pacer } from './pacer.js';
import type { PacerHandle } from './pacer.js';
import type { ByteRange } from '../table/table.js';
import { checkInteger, checkMethods, checkObject } from '../base/check.js';

/** How long a helper hurries after a consumer caught up with it. */
const URGENT_STEPS = 64;

/**
 * Accepts `range` piece by piece until all is done or the pacer is stopped.
 * @param memory  this thread's view
 * @param range   bytes; outside the table nothing happens
 * @param pacer   steps, pace and stop signal
 * @returns bytes that this thread prepared
 * @throws ERR_ACCEPT_FAILED when the platform refuses
 * @remarks Blocks; for worker threads.
 */
export function runArenaHelper(memory: UnacceptedMemory, range: ByteRange, pacer: Pacer): number {
  checkMethods('memory', memory, ['firstUnaccepted', 'advance']);
  checkObject('range', range);
  checkInteger('range.start', range.start, 0);
  checkInteger('range.end', range.end, range.start);
  checkObject('pacer', pacer);
  let prepared = 0;
  let from = range.start;
  /** Steps for which neither rate nor load counts, because a consumer has caught up. */
  let urgentSteps = 0;
  let own = 0;
  while (!pacer.stopped) {
    const start = memory.firstUnaccepted(from, range.end - from);
    if (start === undefined) break;
    // The frontier moved further than our own work explains: somebody had to prepare memory himself.
    if (start - from > own) urgentSteps = URGENT_STEPS;
    if (start !== from) own = 0;
    from = start;
    const bytes = memory.advance(start, range.end - start, pacer.stepBytes);
    // What is left is inside other threads.
    if (bytes === 0) break;
    own += bytes;
    prepared += bytes;
    pacer.after(bytes, urgentSteps > 0);
    urgentSteps -= 1;
  }
  return prepared;
}

/** What a pool's threads need to accept ranges; survives `postMessage`. */
export interface AcceptJob {
  /** The accept state. */
  readonly memory: UnacceptedMemoryHandle;
  /** The owner's pacer; default: as fast as it goes. */
  readonly pacer?: PacerHandle;
  /** Bytes of a step; default 256 KiB. */
  readonly stepBytes?: number;
}

/**
 * The thread function of a range job whose positions are units: accepts units `[start, end)`.
 *
 * Fits a work pool that names its function by module and export and runs it on `[start, end)` pieces.
 * @param start  first unit
 * @param end    one past the last unit
 * @param job    the same for all pieces
 */
export function acceptUnitsJob(start: number, end: number, job: AcceptJob): void {
  checkObject('job', job);
  const memory = UnacceptedMemory.attach(job.memory);
  const { physBase, unitSize } = memory.geometry;
  const options = {
    yieldToLoad: job.pacer !== undefined,
    ...(job.stepBytes !== undefined && { stepBytes: job.stepBytes }),
  };
  const pacer = job.pacer === undefined ? Pacer.create(options) : Pacer.attach(job.pacer, options);
  try {
    const range = { start: physBase + start * unitSize, end: physBase + end * unitSize };
    runArenaHelper(memory, range, pacer);
  } finally {
    memory.close();
  }
}
