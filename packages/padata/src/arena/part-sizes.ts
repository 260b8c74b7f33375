/**
 * By how much the arena of a ring grows. It doubles, up to what the threads need to go on: room for some of the largest
 * jobs each, and a few megabytes where jobs are small. What finds no room then waits in the caller.
 */

/** An arena grows to so many bytes at most, */
const MOST = 64 << 20;
/** to so many in any case, */
const SOME = 4 << 20;
/** and to so many of the largest jobs in all, and for each thread. */
const JOBS = 16;
const JOBS_PER_THREAD = 4;
const LEAST = 65_536;

/**
 * Bytes to add to an arena of `size` bytes for stretches of `wanted`.
 * @returns a multiple of eight; 0 = it does not grow
 */
export function partBytes(size: number, wanted: number, threads: number): number {
  const jobs = Math.max(JOBS, JOBS_PER_THREAD * threads);
  const limit = Math.min(MOST, Math.max(SOME, wanted * jobs));
  const bytes = Math.min(limit - size, Math.max(size, wanted * 2, LEAST)) & ~7;
  return bytes >= wanted ? bytes : 0;
}

/** Memory for a part; undefined = there is none. */
export function makeBytes(bytes: number, shared: boolean): SharedArrayBuffer | undefined {
  try {
    return (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)) as SharedArrayBuffer;
  } catch {
    return undefined;
  }
}
