/**
 * How many jobs go into one message.
 *
 * A message costs the two hosts and the server some tenths of a millisecond together, so quick jobs travel
 * together; slow ones alone, so that they spread over the workers and little is lost with one. Nobody waits for
 * company: a batch is what was submitted in one turn of the event loop, cut at this size.
 */

/** Work worth a message, in milliseconds. */
const WORTH_MS = 4;
/** Jobs in a message at most. */
export const MAX_BATCH = 256;

/**
 * @param averageMs time of a job, in milliseconds; undefined before the first result
 * @param threads   threads of all workers together, at least 1
 * @param window    jobs in flight at most
 * @returns 1 … MAX_BATCH
 */
export function jobsPerBatch(
  averageMs: number | undefined,
  threads: number,
  window: number,
): number {
  if (averageMs === undefined) return 1;
  const worth = Math.ceil(WORTH_MS / Math.max(averageMs, 1e-3));
  // Two messages for each thread must fit the window, or threads would wait while others have plenty.
  const fair = Math.max(1, Math.floor(window / (2 * Math.max(1, threads))));
  return Math.max(1, Math.min(worth, fair, MAX_BATCH));
}
