/**
 * Shells: the ordering domains of an instance, each with generations, each of those a series.
 *
 * ```
 *   submit ─▶ a work? ─ yes ─▶ series ─▶ in order ─▶ queue of the job's serial worker ─▶ serial()
 *                    └ no ──▶ the same, the parallel function run here and now
 * ```
 * A generation is counted by one reference of its shell and one for each job whose serial callback has not ended,
 * and is freed at zero, once.
 */
import { PadataError, checkInteger } from '../base/errors.js';
import type { FunctionRef } from '../base/function-ref.js';
import { clearTimeout, setTimeout } from '../base/host-time.js';
import { checkFunction, checkKind, checkOptions, mistake } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { isThenable } from '../base/thenable.js';
import type { WorkPool } from '../pool/work-pool.js';
import { Left } from '../ring/slot-records.js';
import type { JobInput, JobResult, SeriesOptions } from '../series/series-types.js';
import { COMMON_OPTIONS } from '../series/series-options.js';
import type { Series } from '../series/series.js';
import { serialWorkerFor } from './masks.js';
import type { MaskKind, WorkerMask } from './masks.js';
import type { SerialQueue } from './serial-queue.js';
import { inContext } from '#context';

/** How a shell is made: as a series, less what the masks decide. */
export interface ShellOptions<F> extends Omit<
  SeriesOptions<F>,
  'fn' | 'workers' | 'onFull' | 'order'
> {
  /** The parallel function. */
  readonly parallel: FunctionRef<F>;
  /** First sequence number of each generation; for tests of the wrap-around. Default 0. */
  readonly firstSequence?: number;
}

const SHELL_OPTIONS: OptionKinds<ShellOptions<unknown>> = {
  ...COMMON_OPTIONS,
  parallel: 'anything',
  firstSequence: 'a number',
};

/** What a serial callback learns about its job. */
export interface SerialInfo {
  readonly seq: number;
  readonly serialWorker: number;
}

/** A job to be submitted; a fresh object for each. */
export interface PadataJob<F = unknown> {
  readonly input: JobInput<F>;
  /** Wanted serial worker, default 0; `submit` writes back the one that it gets. */
  serialWorker?: number;
  /** Runs in order; a promise makes its queue wait. */
  serial(error: unknown, result: JobResult<F> | undefined, info: SerialInfo): unknown;
  readonly transfer?: readonly unknown[];
}

/** How long `ready` waits for the import here once all threads have theirs, in milliseconds. */
const LOAD_HERE_MS = 1000;

/** What a shell needs of its instance. */
export interface ShellHost {
  readonly pool: WorkPool;
  /** Masks are being replaced. */
  isResetting(): boolean;
  /** Why jobs are refused now, in the kernel's order: stopped before busy. */
  refusal(): PadataError | undefined;
  /** The mask that counts now. */
  effectiveWorkers(kind: MaskKind): WorkerMask;
  /** The queue of a serial worker. */
  queue(worker: number): SerialQueue;
  /** A generation is freed. */
  onFreed(): void;
  onClosed(shell: PadataShell): void;
}

interface Generation<F> {
  readonly series: Series<F>;
  readonly serialWorkers: WorkerMask;
  references: number;
  works: number;
  forgetBorrower: () => void;
}

interface Outcome<F> {
  /** The job's serial half, in the async context of its submission. */
  readonly serial: (...args: Parameters<PadataJob<F>['serial']>) => unknown;
  readonly error: unknown;
  readonly result: JobResult<F> | undefined;
  readonly info: SerialInfo;
}

/** An ordering domain of an instance; see `Padata.createShell`. */
export class PadataShell<F = unknown> {
  readonly #host: ShellHost;
  readonly #options: ShellOptions<F>;
  #generation: Generation<F>;
  readonly #generations = new Set<Generation<F>>();
  #closed = false;

  /** For `Padata.createShell`. */
  constructor(host: ShellHost, options: ShellOptions<F>) {
    checkOptions('a shell', options, SHELL_OPTIONS);
    this.#host = host;
    this.#options = options;
    this.#generation = this.#make();
  }

  /**
   * Resolves when the parallel function is loaded in every thread and here; a module whose import here does not end
   * soon after is not waited for.
   */
  async ready(): Promise<void> {
    const { series } = this.#generation;
    await series.ready();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOAD_HERE_MS);
    });
    const here = series.loadHere();
    try {
      await Promise.race([here, late]);
    } finally {
      clearTimeout(timer);
      here.catch(() => undefined);
    }
  }

  /** Generations that are not freed. */
  get generations(): number {
    return this.#generations.size;
  }

  /** References of the current generation. */
  get references(): number {
    return this.#generation.references;
  }

  /**
   * Submits a job. Without a free work, the parallel function runs here and now; the order is kept.
   * @param job fresh job; its `serialWorker` is replaced by the one that it gets
   * @throws ERR_PADATA_INVALID (stopped, no worker), then ERR_PADATA_BUSY (masks being replaced); neither
   *         half of the job is called then
   * @kernel padata_do_parallel
   */
  submit(job: PadataJob<F>): void {
    if (this.#closed) throw new PadataError('ERR_PADATA_CLOSED', 'the shell was closed');
    checkJob(job);
    const refused = this.#host.refusal();
    if (refused !== undefined) throw refused;
    const generation = this.#generation;
    const serialWorker = serialWorkerFor(job.serialWorker ?? 0, generation.serialWorkers);
    if (serialWorker === undefined) throw invalid('there is no serial worker');
    job.serialWorker = serialWorker;
    if (this.#host.isResetting()) {
      throw new PadataError('ERR_PADATA_BUSY', 'the worker masks are being replaced', {
        serialWorker,
      });
    }
    const hasWork = this.#takeWork(generation);
    const { series } = generation;
    generation.references += 1;
    const serial = inContext<unknown, JobResult<F> | undefined, SerialInfo>((error, result, info) =>
      job.serial(error, result, info),
    );
    try {
      series.submitUsed(
        job.input,
        (error, value, seq) => {
          this.#giveWorks(generation, series.inFlight);
          const info = { seq, serialWorker };
          const result = value as JobResult<F> | undefined;
          this.#host
            .queue(serialWorker)
            .push(() => this.#serialise(generation, { serial, error, result, info }));
        },
        job.transfer,
        // Its serial half may wait for others.
        Left.OWN,
      );
    } catch (error) {
      generation.references -= 1;
      if (hasWork) this.#giveWorks(generation, series.inFlight);
      throw error;
    }
    if (!hasWork) series.runNewestHere();
  }

  /** Resolves when all jobs submitted so far went to the queues of their serial workers. */
  async drain(): Promise<void> {
    await Promise.all([...this.#generations].map((generation) => generation.series.drain()));
  }

  /** Drops the shell; its jobs go on. Idempotent. @kernel padata_free_shell */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.onClosed(this);
    this.#release(this.#generation);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A new generation with the masks of now; the old one loses the shell's reference. */
  renew(): void {
    const old = this.#generation;
    this.#generation = this.#make();
    this.#release(old);
  }

  #make(): Generation<F> {
    const { parallel, firstSequence = 0, ...rest } = this.#options;
    const workers = this.#host.effectiveWorkers('parallel').filter((id) => id > 0);
    const series = this.#host.pool.seriesFrom<F>({ ...rest, fn: parallel, workers }, firstSequence);
    const generation: Generation<F> = {
      series,
      serialWorkers: this.#host.effectiveWorkers('serial'),
      references: 1,
      works: 0,
      forgetBorrower: () => undefined,
    };
    this.#generations.add(generation);
    // A work is free as soon as its parallel function has returned, delivered or not.
    generation.forgetBorrower = this.#host.pool.works.addBorrower(() => {
      if (generation.works > 0) this.#giveWorks(generation, series.busyJobs());
    });
    return generation;
  }

  #serialise(generation: Generation<F>, { serial, error, result, info }: Outcome<F>): unknown {
    let pending: Promise<unknown> | undefined;
    try {
      const value = serial(error, result, info);
      if (isThenable(value)) pending = Promise.resolve(value);
    } catch (thrown) {
      this.#release(generation);
      throw thrown;
    }
    if (pending === undefined) {
      this.#release(generation);
      return undefined;
    }
    return pending.finally(() => {
      this.#release(generation);
    });
  }

  #takeWork(generation: Generation<F>): boolean {
    const got = this.#host.pool.works.take(1) === 1;
    if (got) generation.works += 1;
    return got;
  }

  #giveWorks(generation: Generation<F>, busy: number): void {
    const spare = generation.works - busy;
    if (spare <= 0) return;
    generation.works = busy;
    this.#host.pool.works.put(spare);
  }

  #release(generation: Generation<F>): void {
    generation.references -= 1;
    if (generation.references > 0) return;
    this.#generations.delete(generation);
    this.#host.pool.works.put(generation.works);
    generation.works = 0;
    generation.forgetBorrower();
    this.#host.onFreed();
    void generation.series.close();
  }
}

/** A job may have fields of its program's own, so their names are not looked at. @throws ERR_PADATA_ARGUMENT */
function checkJob<F>(job: PadataJob<F>): void {
  if (typeof job !== 'object' || (job as unknown) === null) throw mistake('job', 'an object', job);
  checkFunction('serial', (job as { serial: unknown }).serial);
  checkKind('transfer', job.transfer, 'a list');
  checkInteger('serialWorker', job.serialWorker ?? 0, -(2 ** 31), 2 ** 32 - 1);
}

/** An instance that takes no jobs, with the reason. */
export function invalid(why: string): PadataError {
  return new PadataError('ERR_PADATA_INVALID', why);
}
