/**
 * The kernel's shape of ordered jobs: an instance with worker masks, shells that are ordering domains,
 * jobs with a parallel and a serial half.
 *
 * ```
 *   Padata (instance: user masks, flags, queues of serial workers)
 *     ├─ PadataShell ─ current generation ─▶ Series over (user mask ∩ online) workers
 *     │                 older generations, until their last job is serialised
 *     └─ PadataShell ...
 *   submit ─▶ parallel function on a worker ─▶ in order ─▶ queue of the job's serial worker ─▶ serial()
 * ```
 * A change of masks, or workers joining or leaving, gives every shell a new generation; jobs under way keep
 * theirs, with its workers and its sequence.
 *
 * Order: same shell, same generation, same serial worker: strictly as submitted, never overlapping.
 * Different serial workers: begun in order. Different shells or generations: none.
 * Source: behaviour of the kernel's padata, Documentation/core-api/padata.rst.
 */
import { PadataError, throwLater } from '../base/errors.js';
import { checkChoice, checkOptions, mistake } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { WorkPool } from '../pool/work-pool.js';
import { intersect, workerMask } from './masks.js';
import type { MaskKind, WorkerMask } from './masks.js';
import { PadataShell, invalid } from './padata-shell.js';
import type { ShellHost, ShellOptions } from './padata-shell.js';
import { SerialQueue } from './serial-queue.js';

/** How an instance is made. */
export interface PadataOptions {
  /** Workers that may run parallel functions, 1..; may name workers that do not exist yet. Default: all. */
  readonly parallelWorkers?: Iterable<number>;
  /** Workers whose queues may run serial callbacks, 0..; default: all. */
  readonly serialWorkers?: Iterable<number>;
}

const PADATA_OPTIONS: OptionKinds<PadataOptions> = {
  parallelWorkers: 'a list',
  serialWorkers: 'a list',
};

/** State of an instance. */
export interface PadataState {
  readonly started: boolean;
  /** Masks are being replaced: submits fail with ERR_PADATA_BUSY. */
  readonly resetting: boolean;
  /** A user mask has no worker that exists. */
  readonly invalid: boolean;
}

/** See `createPadata`. */
export class Padata {
  readonly #pool: WorkPool;
  readonly #shells = new Set<PadataShell>();
  readonly #queues = new Map<number, SerialQueue>();
  readonly #unsubscribe: () => void;
  readonly #shellHost: ShellHost;
  #parallel: WorkerMask;
  #serial: WorkerMask;
  #online: ReadonlySet<number>;
  #started = true;
  /** Replacements of masks under way. */
  #resets = 0;
  #invalid = false;
  #closed = false;
  /** Generations freed since the beginning. */
  freedGenerations = 0;

  constructor(pool: WorkPool, options: PadataOptions = {}) {
    if (!(pool instanceof WorkPool)) throw mistake('pool', 'a WorkPool', pool);
    checkOptions('an instance', options, PADATA_OPTIONS);
    this.#pool = pool;
    const last = pool.capacity;
    const all = Array.from({ length: last + 1 }, (_, id) => id);
    this.#parallel = workerMask(options.parallelWorkers ?? all, last);
    this.#serial = workerMask(options.serialWorkers ?? all, last);
    this.#online = onlineWorkers(pool.maxThreads);
    this.#validate(this.#online);
    this.#shellHost = this.#hostOfShells();
    this.#unsubscribe = pool.on('resize', () => {
      this.#onResize(onlineWorkers(pool.maxThreads));
    });
  }

  get state(): PadataState {
    return { started: this.#started, resetting: this.#resets > 0, invalid: this.#invalid };
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
    const shell = new PadataShell<F>(this.#shellHost, options);
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
    checkChoice('kind', kind, ['parallel', 'serial']);
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

  [Symbol.dispose](): void {
    this.close();
  }

  #hostOfShells(): ShellHost {
    return {
      pool: this.#pool,
      isResetting: () => this.#resets > 0,
      refusal: () => this.#refusal(),
      effectiveWorkers: (kind) => this.effectiveWorkers(kind),
      queue: (worker) => this.#queue(worker),
      onFreed: () => {
        this.freedGenerations += 1;
      },
      onClosed: (shell) => {
        this.#shells.delete(shell);
      },
    };
  }

  /** In the kernel's order: stopped before busy, which the shell looks at itself. */
  #refusal(): PadataError | undefined {
    if (this.#started && !this.#invalid) return undefined;
    return invalid(this.#invalid ? 'a mask has no worker that exists' : 'the instance is stopped');
  }

  #queue(worker: number): SerialQueue {
    let queue = this.#queues.get(worker);
    if (queue === undefined) {
      queue = new SerialQueue(throwLater);
      this.#queues.set(worker, queue);
    }
    return queue;
  }

  #validate(online: ReadonlySet<number>): void {
    this.#invalid =
      !intersect(this.#parallel, online).some((id) => id > 0) && this.#pool.maxThreads > 0
        ? true
        : intersect(this.#serial, online).length === 0;
    if (this.#invalid) this.#started = false;
  }

  /** Gives every shell a new generation. @kernel padata_replace */
  async #replace(): Promise<void> {
    this.#resets += 1;
    try {
      for (const shell of this.#shells) shell.renew();
      // Whoever read the old masks in this turn has finished with them after it.
      await this.#pool.yieldToEvents();
    } finally {
      this.#resets -= 1;
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
    void this.#replace().catch(throwLater);
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
