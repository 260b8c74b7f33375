/**
 * How many jobs go into one message.
 *
 * A message costs the two hosts and the server about a millisecond of CPU together, so quick jobs travel together;
 * slow ones alone, so that they spread over the workers and little is lost with one. A batch is what was submitted
 * in one turn of the event loop, cut at this size; what is left waits for company only while the workers have
 * enough to do. Without that wait, batches would stay as small as they began: each result makes room for one job.
 */

/** Work worth a message, in milliseconds: its own cost is some percent of this. */
const WORTH_MS = 50;
/** Messages for each thread that are enough: what a worker holds, and what is next. */
const ENOUGH_BATCHES = 3;
/** Jobs in a message at most. */
export const MAX_BATCH = 256;

/**
 * @param averageMs time of a job, in milliseconds; undefined before the first result
 * @param threads   threads of all workers together, at least 1
 * @param window    jobs in flight at most; fewer when fewer were submitted
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

/**
 * Jobs without an answer that keep all workers busy: while there are so many, a batch may wait to become full.
 * @param size    jobs in a batch
 * @param threads threads of all workers together, at least 1
 * @param window  jobs in flight at most
 * @returns at least 1; at most half the window, so that the wait always ends while results are under way
 */
export function enoughJobs(size: number, threads: number, window: number): number {
  return Math.max(
    1,
    Math.min(ENOUGH_BATCHES * Math.max(1, threads) * size, Math.floor(window / 2)),
  );
}
