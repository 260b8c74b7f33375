/**
 * Runs with conditions: a signal, a time from the submission on, a time from the start of the function on; and with somebody
 * who listens to their progress, or hears what they have written. Whatever condition comes first rejects the promise at once and cancels the job, the same way for all three; the outcome, when it comes first, lets go of all.
 *
 * A thread says nowhere when it has begun a job, and is not to: a clock a job would cost more than a small job. So the owner
 * looks at the slots now and then while there is such a limit; what it sees begun has begun since its last look, at most.
 */
import { abortReason } from '../base/abort.js';
import { PadataError, asError, checkInteger } from '../base/errors.js';
import { clearTimeout, performance, setTimeout } from '../base/host-time.js';
import { checkChoice, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import type { JobOutput } from '../protocol/messages.js';
import type { SerialCallback } from '../ring/job-ring.js';
import { Left } from '../ring/slot-records.js';
import type { NumberedJobs } from './numbered-jobs.js';
import type { JobOptions } from './series-types.js';
import { inContext } from '#context';

const JOB_OPTIONS: OptionKinds<JobOptions> = {
  transfer: 'a list',
  signal: 'an AbortSignal',
  timeoutMs: 'a number',
  deadlineMs: 'a number',
  onProgress: 'a function',
  progress: 'a text',
  onOutput: 'a function',
};
export const PROGRESS = ['latest', 'all'];
const MOST_MS = 0x7fffffff;
/** Of the shortest limit, the owner looks so many times; at least and at most so often, in milliseconds. */
const LOOKS = 16;
const LEAST_LOOK_MS = 1;
const MOST_LOOK_MS = 50;

/** What runs with conditions need of their series. */
interface LimitedHost {
  readonly jobs: NumberedJobs;
  submit(
    input: unknown,
    callback: SerialCallback,
    transfer: readonly unknown[] | undefined,
    use: number,
  ): void;
  /** What becomes of reports of jobs that do not say so themselves. */
  readonly progress: JobOptions['progress'];
}

/** A limit that counts from the start of a job. */
interface RunLimit {
  readonly n: number;
  readonly ms: number;
  readonly expire: () => void;
  /** When it was first seen begun; undefined = it has not begun, or is to begin again. */
  begunAt: number | undefined;
}

/** @param captures what the series' jobs write is kept @throws ERR_PADATA_ARGUMENT */
export function checkJobOptions(options: JobOptions, captures: boolean): void {
  checkOptions('a job', options, JOB_OPTIONS);
  if (options.onOutput !== undefined && !captures) {
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      'onOutput is for pool.run, and for series with captureOutput: true',
      { name: 'onOutput' },
    );
  }
  const { timeoutMs = 1, deadlineMs = 1 } = options;
  checkInteger('timeoutMs', timeoutMs, 1, MOST_MS);
  checkInteger('deadlineMs', deadlineMs, 1, MOST_MS);
  checkChoice('progress', options.progress, PROGRESS);
}

/** Is there a condition, or a listener, among these options? */
export function hasConditions(options: JobOptions): boolean {
  const { signal, timeoutMs, deadlineMs, onProgress, onOutput } = options;
  return (
    signal !== undefined ||
    timeoutMs !== undefined ||
    deadlineMs !== undefined ||
    onProgress !== undefined ||
    onOutput !== undefined
  );
}

/** How a job is used whose progress somebody listens to. */
export function listens(progress: JobOptions['progress']): number {
  return progress === 'all' ? Left.PROGRESS | Left.EVERY : Left.PROGRESS;
}

/** The runs with conditions of one series. */
export class LimitedRuns {
  readonly #host: LimitedHost;
  readonly #limits = new Set<RunLimit>();
  readonly #listeners = new Map<number, (value: unknown) => void>();
  readonly #outputs = new Map<number, (output: JobOutput) => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: LimitedHost) {
    this.#host = host;
  }

  /** Submits a job with the conditions of these options, which were checked. */
  run(input: unknown, options: JobOptions): Promise<unknown> {
    const { signal, transfer, timeoutMs, deadlineMs, onProgress, onOutput } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(asError(abortReason(signal.reason)));
        return;
      }
      const n = this.#host.jobs.next;
      const seq = this.#host.jobs.seqOf(n);
      let limit: RunLimit | undefined;
      let deadline: ReturnType<typeof setTimeout> | undefined;
      const letGo = (): void => {
        signal?.removeEventListener('abort', onAbort);
        clearTimeout(deadline);
        if (onProgress !== undefined) this.#listeners.delete(seq);
        if (onOutput !== undefined) this.#outputs.delete(seq);
        if (limit !== undefined) this.#limits.delete(limit);
      };
      // The one exception to settling in order: nobody has to wait for what he has given up.
      const giveUp = (reason: unknown): void => {
        letGo();
        reject(asError(reason));
        this.#host.jobs.cancel(n, reason);
      };
      const onAbort = (): void => {
        giveUp(abortReason(signal!.reason));
      };
      this.#host.submit(
        input,
        (error, value) => {
          letGo();
          if (error === undefined) resolve(value);
          else reject(asError(error));
        },
        transfer,
        onProgress === undefined
          ? Left.OWN
          : Left.OWN | listens(options.progress ?? this.#host.progress),
      );
      if (onProgress !== undefined)
        this.#listeners.set(seq, inContext(onProgress) as typeof onProgress);
      if (onOutput !== undefined) this.#outputs.set(seq, inContext(onOutput) as typeof onOutput);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (deadlineMs !== undefined) {
        deadline = setTimeout(() => {
          // Told late: this thread was busy, or it waits for its turn.
          if (!this.#host.jobs.hasEnded(n)) giveUp(timeout(seq, deadlineMs, 'submission'));
        }, deadlineMs);
      }
      if (timeoutMs !== undefined) {
        const expire = (): void => {
          giveUp(timeout(seq, timeoutMs, 'start'));
        };
        limit = { n, ms: timeoutMs, expire, begunAt: undefined };
        this.#limits.add(limit);
        this.#lookLater();
      }
    });
  }

  /** A function tells how far its job is. */
  onProgress(seq: number, value: unknown): void {
    this.#listeners.get(seq)?.(value);
  }

  /** What a function has written. */
  onOutput(seq: number, output: JobOutput): void {
    this.#outputs.get(seq)?.(output);
  }

  #lookLater(): void {
    if (this.#limits.size === 0 || this.#timer !== undefined) return;
    let shortest = MOST_LOOK_MS * LOOKS;
    for (const { ms } of this.#limits) shortest = Math.min(shortest, ms);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#look();
        this.#lookLater();
      },
      Math.max(LEAST_LOOK_MS, shortest / LOOKS),
    );
  }

  #look(): void {
    if (this.#limits.size === 0) return;
    const now = performance.now();
    const begun = this.#host.jobs.begun();
    for (const limit of [...this.#limits]) {
      // One whose thread has died may be run again: then its time begins again.
      if (!begun(limit.n)) limit.begunAt = undefined;
      else if (limit.begunAt === undefined) limit.begunAt = now;
      else if (now - limit.begunAt >= limit.ms) limit.expire();
    }
  }
}

function timeout(seq: number, ms: number, since: 'start' | 'submission'): PadataError {
  return new PadataError(
    'ERR_PADATA_TIMEOUT',
    `job ${seq} has not ended ${ms} ms after its ${since}`,
    { seq, ms, since },
  );
}
