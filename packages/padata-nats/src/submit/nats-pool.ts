/**
 * The pool of all worker hosts below one prefix: padata's pool, with a connection in place of threads.
 *
 *     createWorkPool({ threads: 4 })                       one machine
 *     await createNatsPool({ servers: 'nats://queue' })    every machine on which `padata-nats worker` runs
 */
import { PadataError, createWorkPool } from '@bootmem/padata';
import type {
  MultithreadedJob,
  OrderedJobs,
  RangeResult,
  RangeRunner,
  SeriesMaker,
  SeriesOptions,
  WorkPool,
} from '@bootmem/padata';
import { moduleHref } from '@bootmem/padata/backend';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { openConnection } from '../server/connection.js';
import type { ConnectionOptions } from '../server/connection.js';
import { Publisher } from '../server/publisher.js';
import { Roster } from '../server/roster.js';
import type { WorkerPresence } from '../server/roster.js';
import { openEngine } from '../server/streams.js';
import type { Engine, StorageOptions } from '../server/streams.js';
import { failureItem, resultItem } from '../wire/job-answer.js';
import { DEFAULT_PREFIX, Names } from '../wire/names.js';
import { decodeValue, encodeValue } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { NatsSeries } from './nats-series.js';
import type { NatsSeriesHost } from './nats-series.js';
import type { NatsSeriesOptions } from './series-options.js';
import { RangeArg } from './own-chunks.js';
import { RangeRun } from './range-runner.js';

/** How to make a pool. */
export interface NatsPoolOptions extends ConnectionOptions, StorageOptions {
  /** Workers and submitters of one prefix belong together; default 'padata'. */
  readonly prefix?: string;
  /** A connection of your own, in place of the options above; it is not closed with the pool. */
  readonly connection?: NatsConnection;
  /** Default of `workerWaitMs`, in milliseconds: how long to wait for a worker that offers a module. */
  readonly workerWaitMs?: number;
}

const DEFAULT_WORKER_WAIT_MS = 30_000;
/** Workers answer within this time, in milliseconds. */
const ASK_MS = 150;

/** See `createNatsPool`. */
export class NatsPool implements SeriesMaker, RangeRunner, AsyncDisposable {
  readonly #engine: Engine;
  readonly #ownsConnection: boolean;
  readonly #publisher: Publisher;
  readonly #roster: Roster;
  readonly #workerWaitMs: number;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #runs = new Set<Promise<unknown>>();
  /** For jobs that the caller runs itself. */
  #inline: WorkPool | undefined;
  #closed: Promise<void> | undefined;

  /** For `createNatsPool`. */
  constructor(engine: Engine, options: NatsPoolOptions) {
    this.#engine = engine;
    this.#ownsConnection = options.connection === undefined;
    this.#publisher = new Publisher(engine);
    this.#roster = new Roster(engine.nc, engine.names);
    this.#workerWaitMs = options.workerWaitMs ?? DEFAULT_WORKER_WAIT_MS;
  }

  /** Prefix of all subjects and streams. */
  get prefix(): string {
    return this.#engine.names.prefix;
  }

  /** Workers that were heard within the last seconds. */
  workers(): readonly WorkerPresence[] {
    return this.#roster.workers();
  }

  /**
   * Resolves when so many threads offer a module.
   * @param options.signal ends the wait
   */
  async ready(
    module: string | URL,
    options: { readonly threads?: number; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const name = typeof module === 'string' ? module : module.href;
    while (this.#roster.threads(name) < (options.threads ?? 1)) {
      options.signal?.throwIfAborted();
      this.#roster.ask();
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }

  /**
   * Makes a series of ordered jobs of one function; see padata's `WorkPool.series`.
   * @throws ERR_PADATA_CLOSED, ERR_PADATA_ARGUMENT, ERR_PADATA_NATS_ARGUMENT
   */
  series<F>(options: NatsSeriesOptions<F>): NatsSeries<F> {
    this.#mustBeOpen();
    const series = new NatsSeries<F>(
      { workerWaitMs: this.#workerWaitMs, ...options },
      this.#host(),
    );
    this.#open.add(series);
    return series;
  }

  /**
   * Runs a range job; see padata's `runMultithreaded`. The caller takes part when it can import the module.
   * @throws ERR_PADATA_CHUNK_FAILED (cause: the function's error), ERR_PADATA_WORKER_DIED, the signal's reason
   */
  async runMultithreaded<F, V>(job: MultithreadedJob<F, V>): Promise<RangeResult<V>> {
    this.#mustBeOpen();
    const run = this.#runRange(job, new RangeArg(job.arg));
    this.#runs.add(run);
    try {
      return await run;
    } finally {
      this.#runs.delete(run);
    }
  }

  async #runRange<F, V>(job: MultithreadedJob<F, V>, arg: RangeArg): Promise<RangeResult<V>> {
    if (this.#roster.workers().length === 0) {
      this.#roster.ask();
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
    return await new RangeRun<F, V>(job, arg, {
      ...this.#links(),
      workerWaitMs: this.#workerWaitMs,
      loadHere: async (module, name) => {
        try {
          const namespace = (await import(moduleHref({ module, name }))) as Record<string, unknown>;
          const fn = namespace[name];
          return typeof fn === 'function' ? (fn as never) : undefined;
        } catch {
          return undefined;
        }
      },
    }).run();
  }

  /** Waits for what is under way, takes all runs off the server, closes the connection. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#runs, ...[...this.#open].map((series) => series.close())]);
    this.#roster.close();
    this.#publisher.stop();
    await this.#inline?.close();
    if (this.#ownsConnection) await this.#engine.nc.drain().catch(() => this.#engine.nc.close());
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined)
      throw new PadataError('ERR_PADATA_CLOSED', 'the pool is closed');
  }

  #links(): Pick<NatsSeriesHost, 'engine' | 'publisher' | 'roster' | 'newRun'> {
    return {
      engine: this.#engine,
      publisher: this.#publisher,
      roster: this.#roster,
      newRun: () => randomBytes(12).toString('hex'),
    };
  }

  #host(): NatsSeriesHost {
    return {
      ...this.#links(),
      runHere: (options, sequence, input) => this.#runHere(options, sequence, input),
      onClosed: (series) => {
        this.#open.delete(series);
      },
    };
  }

  #here = new WeakMap<SeriesOptions, OrderedJobs<unknown, unknown>>();

  async #runHere(options: SeriesOptions, sequence: number, input: Item): Promise<Item | undefined> {
    const place = { sequence, host: hostname() };
    try {
      const value = await this.#seriesHere(options).run(decodeValue(input));
      return resultItem(place, value);
    } catch (error) {
      const isElsewhere = error instanceof PadataError && error.code === 'ERR_PADATA_MODULE';
      return isElsewhere ? undefined : failureItem(place, error);
    }
  }

  #seriesHere(options: SeriesOptions): OrderedJobs<unknown, unknown> {
    this.#inline ??= createWorkPool({ threads: 0, backend: 'inline' });
    let series = this.#here.get(options);
    if (series === undefined) {
      const { fn, shared, inputBytes = 'view' } = options;
      const sent = decodeValue(encodeValue(shared));
      series = this.#inline.series<unknown>({ fn, shared: sent, inputBytes });
      this.#here.set(options, series);
    }
    return series;
  }
}

/**
 * Connects to a server and makes what is missing there.
 * @throws ERR_PADATA_NATS_CONNECT, ERR_PADATA_NATS_SERVER, ERR_PADATA_NATS_ARGUMENT
 */
export async function createNatsPool(options: NatsPoolOptions = {}): Promise<NatsPool> {
  const names = new Names(options.prefix ?? DEFAULT_PREFIX);
  const nc = options.connection ?? (await openConnection({ name: 'padata-nats', ...options }));
  try {
    return new NatsPool(await openEngine(nc, names, options), options);
  } catch (error) {
    if (options.connection === undefined) await nc.close();
    throw error;
  }
}
