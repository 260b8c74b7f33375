/**
 * How a range is cut: the kernel's formulas for multithreaded jobs, pure.
 *
 * ```
 *   start      chunk ends are multiples of chunkSize in ABSOLUTE units      end
 *   |--|--------|--------|--------| ... |--------|-----|
 *   0  1        2        3                        k-1       chunk index
 * ```
 * Only the first start and the last end may be unaligned, so `minChunk` is no lower bound for the first
 * and the last chunk. All divisions floor; sizes are in the job's own units (pages, rows, bytes).
 *
 * Source: behaviour of the kernel's padata multithreaded jobs, Documentation/core-api/padata.rst.
 */
import { checkInteger } from '../base/errors.js';

/** Chunks per participant aimed at, so that a slow participant leaves little behind. */
const LOAD_BALANCE_FACTOR = 4;

/** What the caller asks for. */
export interface RangeShape {
  /** First unit, >= 0. */
  readonly start: number;
  /** Number of units, >= 0; 0 means nothing to do. */
  readonly size: number;
  /** Chunk ends are multiples of this; >= 1. */
  readonly align: number;
  /** Smallest chunk worth a thread; >= 0. */
  readonly minChunk: number;
  /** Participants at most, the caller included; <= 0 counts as 1 participant, in chunks. */
  readonly maxThreads: number;
}

/** How the range will be run. */
export interface RangePlan {
  /** Participants wanted, the caller included. */
  readonly planned: number;
  /** Participants possible with the works at hand, the caller included. */
  readonly got: number;
  /** Units per chunk; 0 for an empty range. */
  readonly chunkSize: number;
  /** Number of chunks that will be claimed. */
  readonly chunkCount: number;
  /** The function is called once, in the caller, without any shared state. */
  readonly fastPath: boolean;
}

/**
 * @throws ERR_PADATA_ARGUMENT when a field is not an integer in range, or the end is no safe integer
 */
function checkRangeShape(shape: RangeShape): void {
  checkInteger('start', shape.start, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('size', shape.size, 0, Number.MAX_SAFE_INTEGER - shape.start);
  checkInteger('align', shape.align, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('minChunk', shape.minChunk, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('maxThreads', shape.maxThreads, -0x80000000, 0x7fffffff);
}

/**
 * Participants wanted for a range, before works are taken from the pool.
 * @kernel padata_do_multithreaded
 */
export function plannedThreads(shape: RangeShape): number {
  const unit = Math.max(shape.minChunk, shape.align);
  const wanted = Math.max(Math.floor(shape.size / unit), 1);
  return Math.min(wanted, shape.maxThreads);
}

/**
 * The whole plan: participants, chunk size, number of chunks.
 * @param shape     the range, already checked
 * @param freeWorks works that the pool can lend now, >= 0
 * @returns the plan; O(1), no side effect
 * @throws ERR_PADATA_ARGUMENT as `checkRangeShape`
 * @kernel padata_do_multithreaded
 */
export function planRange(shape: RangeShape, freeWorks: number): RangePlan {
  checkRangeShape(shape);
  const { start, size, align, minChunk } = shape;
  if (size === 0) return { planned: 0, got: 0, chunkSize: 0, chunkCount: 0, fastPath: false };
  const planned = plannedThreads(shape);
  if (planned === 1) return { planned, got: 1, chunkSize: size, chunkCount: 1, fastPath: true };
  const got = 1 + Math.max(0, Math.min(planned - 1, Math.floor(freeWorks)));
  let chunkSize = Math.floor(size / (got * LOAD_BALANCE_FACTOR));
  chunkSize = Math.max(chunkSize, minChunk, 1);
  chunkSize = Math.ceil(chunkSize / align) * align;
  const chunkCount = Math.ceil((start + size) / chunkSize) - Math.floor(start / chunkSize);
  return { planned, got, chunkSize, chunkCount, fastPath: false };
}

/** First unit of chunk `index`. */
export function chunkStart(start: number, chunkSize: number, index: number): number {
  return index === 0 ? start : (Math.floor(start / chunkSize) + index) * chunkSize;
}

/** End (exclusive) of chunk `index`. */
export function chunkEnd(start: number, end: number, chunkSize: number, index: number): number {
  return Math.min((Math.floor(start / chunkSize) + index + 1) * chunkSize, end);
}
