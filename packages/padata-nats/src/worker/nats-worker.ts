/**
 * A worker host: takes jobs for the modules it offers, runs them on its own threads, answers, then acknowledges.
 *
 *     message (a batch) ─▶ run's function known? ─▶ jobs on the local pool ─▶ results stored ─▶ acknowledged
 *           │ heart-beats while it is held
 *           ├ not idempotent ─ first to begin it? else its jobs fail: they may have been run   (suspects.ts)
 *           └ delivered before ─ a batch: taken apart into single jobs
 *                              ─ a single job is under suspicion: tried alone, so many times   (suspects.ts)
 *
 * Nothing but the modules named at the start is ever imported: a job says a name, the worker knows the place.
 */
import { PadataError, createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';
import type { JsMsg } from '@nats-io/jetstream';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { openConnection } from '../server/connection.js';
import type { ConnectionOptions } from '../server/connection.js';
import { LargeValues } from '../server/large-values.js';
import { Publisher } from '../server/publisher.js';
import { HERE_EVERY_MS, encodePresence } from '../server/roster.js';
import type { WorkerPresence } from '../server/roster.js';
import { fetchRunInfo } from '../server/run-info.js';
import { openEngine } from '../server/streams.js';
import type { Engine, StorageOptions } from '../server/streams.js';
import { BatchType, decodeBatch, encodeBatch, splitBySize } from '../wire/batch.js';
import type { Batch } from '../wire/batch.js';
import { PadataNatsError, textOf } from '../wire/errors.js';
import { DEFAULT_PREFIX, Names, moduleToken } from '../wire/names.js';
import { SKIPPED, decodeValue, encodeError } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { JobSource, Places } from './job-source.js';
import { LocalRun } from './local-run.js';
import { Suspects } from './suspects.js';

/** How to start a worker. */
export interface NatsWorkerOptions extends ConnectionOptions, StorageOptions {
  readonly prefix?: string;
  /** Modules that are offered: the name that submitters use, and what the worker's threads import. */
  readonly modules: Readonly<Record<string, string | URL>>;
  /** Threads of the local pool; default: the CPUs of the host. */
  readonly threads?: number;
  /**
   * Time without a sign of life after which the server gives a job to another worker; default 30 000 ms. The first
   * worker of a module sets it, for all.
   */
  readonly ackWaitMs?: number;
  /** A connection of your own, in place of the options above; it is not closed with the worker. */
  readonly connection?: NatsConnection;
}

/** Figures of a worker. */
export interface NatsWorkerStats {
  /** Messages that are held now. */
  readonly held: number;
  /** Jobs done, failed ones included. */
  readonly jobs: number;
  readonly failed: number;
  /** Messages that had been delivered before. */
  readonly redelivered: number;
  /** Runs whose function is in use. */
  readonly runs: number;
}

const DEFAULT_ACK_WAIT_MS = 30_000;
/** A run without a job for so long lets go of its series, in milliseconds. */
const RUN_IDLE_MS = 60_000;
/** Aborted runs that are remembered. */
const STOPPED_RUNS = 1000;
const NAK_MS = 500;

const decoder = new TextDecoder();

/** What came of a batch. */
interface Answer {
  readonly results: readonly Item[];
  /** Time of all its jobs together, in microseconds; 0 = not known. */
  readonly micros: number;
  /** They may have been run before. */
  readonly again: boolean;
}

/** See `startNatsWorker`. */
export class NatsWorker implements AsyncDisposable {
  /** Unlike every other worker's. */
  readonly id = randomBytes(8).toString('hex');
  readonly #engine: Engine;
  readonly #ownsConnection: boolean;
  readonly #pool: WorkPool;
  readonly #publisher: Publisher;
  readonly #large: LargeValues;
  readonly #suspects: Suspects;
  readonly #modules: ReadonlyMap<string, string>;
  readonly #threads: number;
  readonly #places: Places;
  readonly #sources: readonly JobSource[];
  readonly #loops: readonly Promise<void>[];
  readonly #runs = new Map<string, Promise<LocalRun | undefined>>();
  /** Runs of which nothing more is to be begun. */
  readonly #stopped = new Set<string>();
  readonly #held = new Set<JsMsg>();
  readonly #subscriptions: readonly Subscription[];
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  #jobs = 0;
  /** Jobs begun and not done. */
  #inHand = 0;
  #failed = 0;
  #redelivered = 0;
  #closed: Promise<void> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #beatMs = Infinity;

  /** For `startNatsWorker`. */
  constructor(engine: Engine, pool: WorkPool, threads: number, options: NatsWorkerOptions) {
    this.#engine = engine;
    this.#ownsConnection = options.connection === undefined;
    this.#pool = pool;
    this.#threads = threads;
    this.#publisher = new Publisher(engine.nc, engine.js);
    this.#large = new LargeValues(engine);
    this.#suspects = new Suspects(engine, this.#publisher);
    this.#modules = new Map(
      Object.entries(options.modules).map(([name, place]) => [name, hrefOf(place)]),
    );
    const ackWaitMs = options.ackWaitMs ?? DEFAULT_ACK_WAIT_MS;
    // Each thread has one, and a next one is at hand for every second thread.
    this.#places = new Places(threads + Math.ceil(threads / 2));
    this.#sources = [...this.#modules.keys()].map(
      (name) =>
        new JobSource({
          engine,
          token: moduleToken(name),
          ackWaitMs,
          onAckWait: (ms) => {
            this.#beatEvery(ms / 3);
          },
          places: this.#places,
          handle: (message) => this.#handle(message),
        }),
    );
    const { nc, names } = engine;
    this.#subscriptions = [
      nc.subscribe(names.control('*'), {
        callback: (_error, message) => {
          this.#control(names.runOf(message.subject), decoder.decode(message.data));
        },
      }),
      nc.subscribe(names.who, {
        callback: () => {
          this.#sayHere();
        },
      }),
    ];
    this.#timers = [
      setInterval(() => {
        this.#sayHere();
        this.#forgetIdleRuns();
      }, HERE_EVERY_MS),
    ];
    this.#loops = this.#sources.map((source) => source.run());
    this.#sayHere();
  }

  stats(): NatsWorkerStats {
    return {
      held: this.#held.size,
      jobs: this.#jobs,
      failed: this.#failed,
      redelivered: this.#redelivered,
      runs: this.#runs.size,
    };
  }

  /** What the worker says of itself. */
  get presence(): WorkerPresence {
    return {
      id: this.id,
      host: hostname(),
      pid: process.pid,
      threads: this.#threads,
      modules: [...this.#modules.keys()],
      jobs: this.#held.size,
      leaving: this.#closed !== undefined,
    };
  }

  /** Takes nothing more, finishes and answers what it holds, then leaves. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const source of this.#sources) source.stop();
    queueMicrotask(() => {
      this.#sayHere();
    });
    await Promise.all(this.#loops);
    while (this.#held.size > 0) await this.#places.changed();
    for (const timer of this.#timers) clearInterval(timer);
    clearInterval(this.#beat);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#publisher.stop();
    await this.#pool.close();
    if (this.#ownsConnection) await this.#engine.nc.drain().catch(() => this.#engine.nc.close());
  }

  /** Signs of life for what is held, as often as the most impatient consumer wants them. */
  #beatEvery(ms: number): void {
    if (ms >= this.#beatMs) return;
    this.#beatMs = ms;
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      for (const message of this.#held) message.working();
    }, ms);
  }

  #sayHere(): void {
    const { nc, names } = this.#engine;
    if (!nc.isClosed()) nc.publish(names.here, encodePresence(this.presence));
  }

  async #handle(message: JsMsg): Promise<void> {
    this.#held.add(message);
    if (message.info.deliveryCount > 1) this.#redelivered += 1;
    try {
      if (await this.#answer(message)) message.ack();
    } catch {
      // The answer could not be stored: the message comes again, to whomever.
      message.nak(NAK_MS);
    } finally {
      this.#held.delete(message);
    }
  }

  /** True when nothing more is to be done about the message. */
  async #answer(message: JsMsg): Promise<boolean> {
    const run = this.#engine.names.runOf(message.subject);
    let batch: Batch;
    try {
      batch = decodeBatch(message.data, BatchType.JOBS);
    } catch {
      // No job of ours, and nobody to tell.
      message.term();
      return false;
    }
    const local = await this.#runOf(run);
    if (local === undefined) {
      // Its submitter has ended the run.
      message.term();
      return false;
    }
    const { first, items } = batch;
    const { deliveryCount } = message.info;
    if (this.#stopped.has(run)) {
      const results = new Array<Item>(items.length).fill(SKIPPED);
      await this.#publish(run, batch, { results, micros: 0, again: false });
      return true;
    }
    if (!local.info.idempotent) {
      if (await this.#suspects.begin(run, first)) await this.#runBatch(local, run, batch);
      else await this.#giveUp(run, batch, (sequence) => maybeRun(sequence));
    } else if (deliveryCount === 1 && batch.again !== true) {
      await this.#runBatch(local, run, batch);
    } else if (items.length > 1) {
      await this.#takeApart(message.subject, run, batch);
    } else {
      const { retries } = local.info;
      const wasTried = await this.#suspects.tryAlone(run, first, retries, () =>
        this.#runBatch(local, run, { ...batch, again: true }),
      );
      if (!wasTried) await this.#giveUp(run, batch, (sequence) => poison(sequence, retries + 1));
    }
    return true;
  }

  /** The jobs end with an error, without being run. */
  async #giveUp(run: string, batch: Batch, error: (sequence: number) => Error): Promise<void> {
    const results = batch.items.map((_, i) => encodeError(error(batch.first + i)));
    this.#failed += results.length;
    await this.#publish(run, batch, { results, micros: 0, again: true });
  }

  async #runBatch(local: LocalRun, run: string, batch: Batch): Promise<void> {
    const { first, items, again = false } = batch;
    const began = performance.now();
    this.#inHand += items.length;
    const atFirst = this.#inHand;
    const results = await Promise.all(
      items.map((item, i) => this.#runJob(local, first + i, item, i + 1 < items.length)),
    );
    // All jobs in hand share the threads: of the time that passed, a job had only its part.
    const share = Math.min(1, (2 * this.#threads) / (atFirst + this.#inHand));
    const micros = (performance.now() - began) * 1000 * share;
    this.#inHand -= items.length;
    this.#jobs += items.length;
    await this.#publish(run, batch, { results, micros, again });
  }

  async #runJob(local: LocalRun, sequence: number, item: Item, more: boolean): Promise<Item> {
    let input: unknown;
    try {
      input = decodeValue(await this.#large.incoming(item));
    } catch (error) {
      return encodeError(error);
    }
    return await local.run(sequence, input, more);
  }

  /** Stores results, in as many messages as their size asks for. */
  async #publish(run: string, { first, epoch = 0 }: Batch, answer: Answer): Promise<void> {
    const { results, micros, again } = answer;
    const { names, maxPayload } = this.#engine;
    const items = await Promise.all(
      results.map(async (item, i) => {
        try {
          return await this.#large.outgoing(item, `${run}.${first + i}.out`);
        } catch (error) {
          return encodeError(error);
        }
      }),
    );
    let from = first;
    for (const part of splitBySize(items, maxPayload)) {
      const data = encodeBatch({
        type: BatchType.RESULTS,
        first: from,
        micros,
        epoch,
        again,
        items: part,
      });
      await this.#publisher.publish(
        names.results(run),
        data,
        names.resultsId(run, epoch, from, part.length),
      );
      from += part.length;
    }
  }

  /** A batch that came to nothing goes back as single jobs, so that one bad job cannot take others with it. */
  async #takeApart(
    subject: string,
    run: string,
    { first, epoch = 0, items }: Batch,
  ): Promise<void> {
    await Promise.all(
      items.map((item, i) => {
        const data = encodeBatch({
          type: BatchType.JOBS,
          first: first + i,
          micros: 0,
          epoch,
          again: true,
          items: [item],
        });
        return this.#publisher.publish(
          subject,
          data,
          this.#engine.names.jobsId(run, epoch, first + i, 1),
        );
      }),
    );
  }

  #runOf(run: string): Promise<LocalRun | undefined> {
    let local = this.#runs.get(run);
    if (local === undefined) {
      local = this.#startRun(run);
      this.#runs.set(run, local);
      // A failed look-up is not kept: the next message tries again.
      local.catch(() => this.#runs.delete(run));
    }
    return local;
  }

  async #startRun(run: string): Promise<LocalRun | undefined> {
    const info = await fetchRunInfo(this.#engine, run);
    const href = info === undefined ? undefined : this.#modules.get(info.module);
    if (info === undefined || href === undefined) return undefined;
    return new LocalRun(this.#pool, info, href, hostname());
  }

  #control(run: string, word: string): void {
    const local = this.#runs.get(run);
    if (word === 'end') {
      this.#stopped.delete(run);
      void this.#forgetRun(run);
      return;
    }
    if (word !== 'soon' && word !== 'now') return;
    this.#stopped.add(run);
    if (this.#stopped.size > STOPPED_RUNS) {
      const [oldest] = this.#stopped;
      this.#stopped.delete(oldest!);
    }
    if (word === 'now') {
      void local?.then(
        (found) => found?.abort(),
        () => undefined,
      );
    }
  }

  async #forgetRun(run: string): Promise<void> {
    const local = this.#runs.get(run);
    this.#runs.delete(run);
    try {
      await (await local)?.close();
    } catch {
      // It never began.
    }
  }

  #forgetIdleRuns(): void {
    const before = performance.now() - RUN_IDLE_MS;
    for (const [run, local] of this.#runs) {
      void local.then(
        (found) => {
          if (found === undefined || found.usedAt < before) void this.#forgetRun(run);
        },
        () => undefined,
      );
    }
  }
}

function maybeRun(sequence: number): PadataError {
  return new PadataError(
    'ERR_PADATA_WORKER_DIED',
    `the worker of job ${sequence} is gone; the job may have been run, and is not idempotent`,
    { seq: sequence },
  );
}

function poison(sequence: number, tries: number): PadataNatsError {
  return new PadataNatsError(
    'ERR_PADATA_NATS_POISON',
    `job ${sequence} took its worker down ${tries} times`,
    { seq: sequence, tries },
  );
}

function hrefOf(place: string | URL): string {
  return typeof place === 'string' ? place : place.href;
}

/**
 * Connects, starts threads, loads the modules, and takes jobs.
 * @throws ERR_PADATA_NATS_CONNECT, ERR_PADATA_NATS_SERVER, ERR_PADATA_NATS_ARGUMENT (no module, or one that
 *   cannot be imported)
 */
export async function startNatsWorker(options: NatsWorkerOptions): Promise<NatsWorker> {
  const { ackWaitMs = DEFAULT_ACK_WAIT_MS } = options;
  const entries = Object.entries(options.modules);
  if (entries.length === 0) {
    throw new PadataNatsError('ERR_PADATA_NATS_ARGUMENT', 'a worker offers at least one module');
  }
  if (!Number.isInteger(ackWaitMs) || ackWaitMs < 100) {
    throw new PadataNatsError(
      'ERR_PADATA_NATS_ARGUMENT',
      `ackWaitMs is an integer of at least 100 ms, got ${ackWaitMs}`,
      { ackWaitMs },
    );
  }
  // A module that cannot be imported is the operator's mistake: said now, not job by job.
  for (const [name, place] of entries) {
    try {
      await import(hrefOf(place));
    } catch (error) {
      throw new PadataNatsError(
        'ERR_PADATA_NATS_ARGUMENT',
        `cannot import ${hrefOf(place)} for the module '${name}': ${textOf(error)}`,
        { module: name },
        { cause: error },
      );
    }
  }
  const names = new Names(options.prefix ?? DEFAULT_PREFIX);
  const threads = options.threads ?? availableParallelism();
  const pool = createWorkPool({ threads, name: 'padata-nats' });
  let nc: NatsConnection | undefined = options.connection;
  try {
    nc ??= await openConnection({ name: 'padata-nats worker', ...options });
    const engine = await openEngine(nc, names, options);
    await pool.ready();
    return new NatsWorker(engine, pool, threads, options);
  } catch (error) {
    await pool.close();
    if (options.connection === undefined) await nc?.close();
    throw error;
  }
}
