/**
 * The kernel's shape of ordered jobs: an instance with worker masks, shells that are ordering domains,
 * jobs with a parallel and a serial half.
 *
 * ```
 *   Padata (instance: user masks, flags, serial lanes)
 *     ├─ PadataShell ─ current generation ─▶ Series over (user mask ∩ online) workers
 *     │                 older generations, until their last job is serialised
 *     └─ PadataShell ...
 *   submit ─▶ parallel function on a worker ─▶ in order ─▶ lane of the job's serial worker ─▶ serial()
 * ```
 * A change of masks, or workers joining or leaving, gives every shell a new generation; jobs under way keep
 * theirs, with its workers and its sequence. A generation is counted by one reference of its shell and
 * one for each job whose serial callback has not ended, and is freed at zero, once.
 *
 * Order: same shell, same generation, same serial worker: strictly as submitted, never overlapping.
 * Different serial workers: begun in order. Different shells or generations: none.
 * Source: behaviour of the kernel's padata, Documentation/core-api/padata.rst.
 */
import { PadataError } from '../base/errors.js';
import type { FunctionRef } from '../base/function-ref.js';
import type { WorkerMask } from './masks.js';
import { intersect, serialWorkerFor, workerMask } from './masks.js';
import { SerialLane } from './serial-lane.js';
import type { Series } from '../series/series.js';
import type { JobInput, JobResult, SeriesOptions } from '../series/series-types.js';
import type { WorkPool } from '../pool/work-pool.js';

/** Which mask. */
export type MaskKind = 'parallel' | 'serial';

/** How an instance is made. */
export interface PadataOptions {
  /** Workers that may run parallel functions, 1..; may name workers that do not exist yet. Default: all. */
  readonly parallelWorkers?: Iterable<number>;
  /** Workers whose lanes may run serial callbacks, 0..; default: all. */
  readonly serialWorkers?: Iterable<number>;
}

/** How a shell is made: as a series, less what the masks decide. */
export interface ShellOptions<F> extends Omit<SeriesOptions<F>, 'fn' | 'workers' | 'onFull'> {
  /** The parallel function. */
  readonly parallel: FunctionRef<F>;
  /** First sequence number of each generation; for tests of the wrap-around. Default 0. */
  readonly firstSequence?: number;
}

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
  /** Runs in order; a promise makes its lane wait. */
  serial(error: unknown, result: JobResult<F> | undefined, info: SerialInfo): unknown;
  readonly transfer?: readonly unknown[];
}

/** State of an instance. */
export interface PadataState {
  readonly started: boolean;
  /** Masks are being replaced: submits fail with ERR_PADATA_BUSY. */
  readonly resetting: boolean;
  /** A user mask has no worker that exists. */
  readonly invalid: boolean;
}

interface Generation<F> {
  readonly series: Series<F>;
  readonly serialWorkers: WorkerMask;
  readonly parallelWorkers: WorkerMask;
  references: number;
  worksHeld: number;
  forgetHolder: () => void;
}

/** See `createPadata`. */
export class Padata {
  readonly #pool: WorkPool;
  readonly #shells = new Set<PadataShell>();
  readonly #lanes = new Map<number, SerialLane>();
  readonly #unsubscribe: () => void;
  #parallel: WorkerMask;
  #serial: WorkerMask;
  #online: ReadonlySet<number>;
  #started = true;
  #resetting = false;
  #invalid = false;
  #closed = false;
  /** Generations freed since the beginning. */
  freedGenerations = 0;

  constructor(pool: WorkPool, options: PadataOptions = {}) {
    this.#pool = pool;
    const last = pool.capacity;
    const all = Array.from({ length: last + 1 }, (_, id) => id);
    this.#parallel = workerMask(options.parallelWorkers ?? all, last);
    this.#serial = workerMask(options.serialWorkers ?? all, last);
    this.#online = onlineWorkers(pool.threads);
    this.#validate(this.#online);
    this.#unsubscribe = pool.on('resize', ({ threads }) => {
      this.#onResize(onlineWorkers(threads));
    });
  }

  get state(): PadataState {
    return { started: this.#started, resetting: this.#resetting, invalid: this.#invalid };
  }

  /** The user's mask, as it was set: workers joining and leaving do not change it. */
  workers(kind: MaskKind): WorkerMask {
    return kind === 'parallel' ? this.#parallel : this.#serial;
  }

  /** The mask that counts now: the user's, of workers that exist. */
  effectiveWorkers(kind: MaskKind): WorkerMask {
    return intersect(this.workers(kind), this.#online);
  }

  /** Accepts jobs (again). @throws ERR_PADATA_INVALID when a mask has no worker @kernel padata_start */
  start(): void {
    if (this.#invalid) throw invalid('a mask has no worker that exists');
    this.#started = true;
  }

  /** Accepts no more jobs; jobs under way go on and are not waited for. @kernel padata_stop */
  stop(): void {
    this.#started = false;
  }

  /** Makes an ordering domain. @throws ERR_PADATA_ARGUMENT, ERR_PADATA_CLOSED @kernel padata_alloc_shell */
  createShell<F>(options: ShellOptions<F>): PadataShell<F> {
    if (this.#closed) throw new PadataError('ERR_PADATA_CLOSED', 'the instance was closed');
    const shell = new PadataShell<F>(this, this.#pool, options);
    this.#shells.add(shell);
    return shell;
  }

  /**
   * Replaces a mask. Jobs under way keep their generation; submits fail with ERR_PADATA_BUSY until this
   * resolves. A mask without an existing worker is stored and stops the instance.
   * @throws ERR_PADATA_ARGUMENT (nothing changed); what making a generation throws (the masks are changed,
   *         shells not reached keep their generation)
   * @kernel padata_set_cpumask
   */
  async setWorkers(kind: MaskKind, ids: Iterable<number>): Promise<void> {
    const mask = workerMask(ids, this.#pool.capacity);
    if (kind === 'parallel') this.#parallel = mask;
    else this.#serial = mask;
    this.#validate(this.#online);
    await this.#replace();
    if (!this.#invalid) this.#started = true;
  }

  /** Drops all shells; their jobs go on. Idempotent. @kernel padata_free */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    for (const shell of [...this.#shells]) shell.close();
  }

  /** Refuses a job, or not: in the kernel's order, stopped before busy. */
  checkSubmit(): PadataError | undefined {
    if (this.#started && !this.#invalid) return undefined;
    return invalid(this.#invalid ? 'a mask has no worker that exists' : 'the instance is stopped');
  }

  get isResetting(): boolean {
    return this.#resetting;
  }

  /** The lane of a serial worker. */
  lane(worker: number): SerialLane {
    let lane = this.#lanes.get(worker);
    if (lane === undefined) {
      lane = new SerialLane((error) => {
        queueMicrotask(() => {
          throw error;
        });
      });
      this.#lanes.set(worker, lane);
    }
    return lane;
  }

  forget(shell: PadataShell): void {
    this.#shells.delete(shell);
  }

  #validate(online: ReadonlySet<number>): void {
    this.#invalid =
      !intersect(this.#parallel, online).some((id) => id > 0) && this.#pool.threads > 0
        ? true
        : intersect(this.#serial, online).length === 0;
    if (this.#invalid) this.#started = false;
  }

  /** Gives every shell a new generation. @kernel padata_replace */
  async #replace(): Promise<void> {
    this.#resetting = true;
    try {
      for (const shell of this.#shells) shell.renew();
      // Whoever read the old masks in this turn has finished with them after it.
      await this.#pool.yieldToEvents();
    } finally {
      this.#resetting = false;
    }
  }

  #onResize(online: ReadonlySet<number>): void {
    const changed = [...union(online, this.#online)].filter(
      (id) => online.has(id) !== this.#online.has(id),
    );
    this.#online = online;
    // Workers outside both masks concern nobody here.
    const concerned = changed.some(
      (id) => this.#parallel.includes(id) || this.#serial.includes(id),
    );
    if (!concerned) return;
    const wasInvalid = this.#invalid;
    this.#validate(online);
    if (wasInvalid && !this.#invalid) this.#started = true;
    void this.#replace().catch((error: unknown) => {
      queueMicrotask(() => {
        throw error;
      });
    });
  }
}

/** An ordering domain of an instance; see `Padata.createShell`. */
export class PadataShell<F = unknown> {
  readonly #instance: Padata;
  readonly #pool: WorkPool;
  readonly #options: ShellOptions<F>;
  #generation: Generation<F>;
  readonly #generations = new Set<Generation<F>>();
  #closed = false;

  constructor(instance: Padata, pool: WorkPool, options: ShellOptions<F>) {
    this.#instance = instance;
    this.#pool = pool;
    this.#options = options;
    this.#generation = this.#make();
  }

  /** Resolves when the parallel function is loaded, here and in every thread. */
  async ready(): Promise<void> {
    await this.#generation.series.ready();
    await this.#generation.series.loadHere();
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
    const refused = this.#instance.checkSubmit();
    if (refused !== undefined) throw refused;
    const generation = this.#generation;
    const serialWorker = serialWorkerFor(job.serialWorker ?? 0, generation.serialWorkers);
    if (serialWorker === undefined) throw invalid('there is no serial worker');
    job.serialWorker = serialWorker;
    if (this.#instance.isResetting) {
      throw new PadataError('ERR_PADATA_BUSY', 'the worker masks are being replaced', {
        serialWorker,
      });
    }
    const hasWork = this.#takeWork(generation);
    const { series } = generation;
    generation.references += 1;
    try {
      series.submit(
        job.input,
        (error, result, seq) => {
          this.#giveWorks(generation, series.inFlight);
          this.#instance
            .lane(serialWorker)
            .push(() => this.#serialise(generation, job, error, result, { seq, serialWorker }));
        },
        job.transfer,
      );
    } catch (error) {
      generation.references -= 1;
      if (hasWork) this.#giveWorks(generation, series.inFlight);
      throw error;
    }
    if (!hasWork) series.runNewestHere();
  }

  /** Resolves when all jobs submitted so far went to their lanes. */
  async drain(): Promise<void> {
    await Promise.all([...this.#generations].map((generation) => generation.series.drain()));
  }

  /** Drops the shell; its jobs go on. Null-safe by being idempotent. @kernel padata_free_shell */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#instance.forget(this);
    this.#release(this.#generation);
  }

  /** A new generation with the masks of now; the old one loses the shell's reference. */
  renew(): void {
    const old = this.#generation;
    this.#generation = this.#make();
    this.#release(old);
  }

  #make(): Generation<F> {
    const { parallel, firstSequence = 0, ...rest } = this.#options;
    const parallelWorkers = this.#instance.effectiveWorkers('parallel');
    const series = this.#pool.seriesFrom<F>(
      { ...rest, fn: parallel, workers: parallelWorkers.filter((id) => id > 0) },
      firstSequence,
    );
    const generation: Generation<F> = {
      series,
      parallelWorkers,
      serialWorkers: this.#instance.effectiveWorkers('serial'),
      references: 1,
      worksHeld: 0,
      forgetHolder: () => undefined,
    };
    this.#generations.add(generation);
    // A work is free as soon as its parallel function has returned, delivered or not.
    generation.forgetHolder = this.#pool.works.addHolder(() => {
      if (generation.worksHeld > 0) this.#giveWorks(generation, series.busyJobs());
    });
    return generation;
  }

  #serialise(
    generation: Generation<F>,
    job: PadataJob<F>,
    error: unknown,
    result: JobResult<F> | undefined,
    info: SerialInfo,
  ): unknown {
    let pending: unknown;
    try {
      pending = job.serial(error, result, info);
    } catch (thrown) {
      this.#release(generation);
      throw thrown;
    }
    if (typeof pending === 'object' && pending !== null && 'then' in pending) {
      return (pending as Promise<unknown>).finally(() => {
        this.#release(generation);
      });
    }
    this.#release(generation);
    return undefined;
  }

  #takeWork(generation: Generation<F>): boolean {
    const got = this.#pool.works.take(1) === 1;
    if (got) generation.worksHeld += 1;
    return got;
  }

  #giveWorks(generation: Generation<F>, busy: number): void {
    const spare = generation.worksHeld - busy;
    if (spare <= 0) return;
    generation.worksHeld = busy;
    this.#pool.works.put(spare);
  }

  #release(generation: Generation<F>): void {
    generation.references -= 1;
    if (generation.references > 0) return;
    this.#generations.delete(generation);
    this.#pool.works.put(generation.worksHeld);
    generation.worksHeld = 0;
    generation.forgetHolder();
    this.#instance.freedGenerations += 1;
    void generation.series.close();
  }
}

/** Makes an instance on a pool. @throws ERR_PADATA_ARGUMENT @kernel padata_alloc */
export function createPadata(pool: WorkPool, options: PadataOptions = {}): Padata {
  return new Padata(pool, options);
}

function onlineWorkers(threads: number): ReadonlySet<number> {
  return new Set(Array.from({ length: threads + 1 }, (_, id) => id));
}

function union(a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> {
  return new Set([...a, ...b]);
}

function invalid(why: string): PadataError {
  return new PadataError('ERR_PADATA_INVALID', why);
}
