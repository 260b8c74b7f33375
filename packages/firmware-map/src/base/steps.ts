/**
 * Work in steps: what may take long on a large input is a generator, which yields wherever it may be interrupted and gives
 * its result at the end. Who calls it decides what a yield means.
 *
 * ```
 * atOnce     |step|step|step|─▶ result                       for callers that wait
 * inTurns    |step| turn |step| turn |step|─▶ result         timers, messages and other work come in between
 * ```
 * Between two yields lies a bounded amount of work, whatever the input is: a stage whose own cost is bounded by the limits of
 * a description (`MAX_RECORDS`), or {@link STEP_RECORDS} records of a loop that does more for each. A test counts what the
 * engine executes between two turns.
 */

/** Work that can be interrupted wherever it yields. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Records that a loop takes between two yields. */
export const STEP_RECORDS = 4096;

/** Characters that are read between two yields. */
export const STEP_CHARACTERS = 2 ** 16;

/** Does work without a pause. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * Does work with a turn of the event loop after each of its steps.
 * @param signal  ends it between two steps
 * @throws the signal's reason
 */
export async function inTurns<Result>(steps: Steps<Result>, signal?: AbortSignal): Promise<Result> {
  let step = steps.next();
  while (step.done !== true) {
    await turn();
    signal?.throwIfAborted();
    step = steps.next();
  }
  return step.value;
}

/** Lets timers, messages and other work run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** True at the last record of each step of a loop: where it yields. */
export function isStep(index: number): boolean {
  return index % STEP_RECORDS === STEP_RECORDS - 1;
}
