/**
 * A worker host: takes jobs for the modules it offers, runs them on its own threads, answers, then acknowledges.
 *
 *     message (a batch) ─▶ run's function known? ─▶ jobs on the local pool ─▶ results stored ─▶ acknowledged
 *           │ heart-beats while it is held
 *           ├ not sealed with the run's key, or no batch at all: given up after some deliveries  (dead-letters.ts)
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
import { openEngine } from '../server/streams.js';
import type { Engine, StorageOptions } from '../server/streams.js';
import { BatchType } from '../wire/batch.js';
import { PadataNatsError, textOf } from '../wire/errors.js';
import { DEFAULT_PREFIX, Names, moduleToken } from '../wire/names.js';
import { checkSeal, peekBatch } from '../wire/seal.js';
import { SKIPPED, decodeValue, encodeError } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { Answers } from './answers.js';
import type { Asked } from './answers.js';
import { DeadLetters, isUnusable } from './dead-letters.js';
import { JobSource, Places } from './job-source.js';
import type { LocalRun } from './local-run.js';
import { RunTable } from './run-table.js';
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
  /** Messages that could not be used and were moved to the dead letters. */
  readonly deadLetters: number;
  /** Runs whose function is in use. */
  readonly runs: number;
}

const DEFAULT_ACK_WAIT_MS = 30_000;
/** Aborted runs that are remembered. */
const STOPPED_RUNS = 1000;
const NAK_MS = 500;

const decoder = new TextDecoder();

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
  readonly #runs: RunTable;
  readonly #answers: Answers;
  readonly #dead: DeadLetters;
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
    // What a worker has done it does not throw away: it holds its answers until they can be stored.
    this.#publisher = new Publisher(engine, Infinity);
    this.#large = new LargeValues(engine);
    this.#suspects = new Suspects(engine, this.#publisher);
    this.#answers = new Answers(engine, this.#publisher);
    this.#dead = new DeadLetters(engine, this.#publisher);
    this.#modules = new Map(
      Object.entries(options.modules).map(([name, place]) => [name, hrefOf(place)]),
    );
    this.#runs = new RunTable(engine, pool, this.#modules);
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
        this.#runs.forgetIdle();
      }, HERE_EVERY_MS),
    ];
    this.#loops = this.#sources.map((source) => source.run());
    void this.#watchConnection();
    this.#sayHere();
  }

  stats(): NatsWorkerStats {
    return {
      held: this.#held.size,
      jobs: this.#jobs,
      failed: this.#failed,
      redelivered: this.#redelivered,
      deadLetters: this.#dead.count,
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
      runs: [...new Set([...this.#held].map(({ subject }) => this.#engine.names.runOf(subject)))],
      free: this.#places.free,
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

  /** A server that was away may have lost something. */
  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#engine.nc.status()) {
      if (this.#closed !== undefined) return;
      if (type === 'reconnect') for (const source of this.#sources) source.doubt();
    }
  }

  #sayHere(): void {
    const { nc, names } = this.#engine;
    if (!nc.isClosed()) nc.publish(names.here, encodePresence(this.presence));
  }

  async #handle(message: JsMsg): Promise<void> {
    this.#held.add(message);
    if (message.info.deliveryCount > 1) {
      this.#redelivered += 1;
      // Its submitter may take it for lost, and this worker may die of it before it says so by itself.
      this.#sayHere();
    }
    const run = this.#engine.names.runOf(message.subject);
    try {
      await this.#answer(message, run).catch(async (error: unknown) => {
        if (!isUnusable(error)) throw error;
        await this.#dead.take(message, run, error);
      });
    } catch {
      // The answer could not be stored: the message comes again, to whomever.
      message.nak(NAK_MS);
    } finally {
      this.#held.delete(message);
    }
  }

  /**
   * Answers a message, and says so to the server.
   * @throws ERR_PADATA_NATS_WIRE when it cannot be used, ERR_PADATA_NATS_SERVER when the answer cannot be stored
   */
  async #answer(message: JsMsg, run: string): Promise<void> {
    const batch = peekBatch(message.data, BatchType.JOBS);
    const local = await this.#sealedBy(message, run);
    if (local === undefined) {
      // Its submitter has ended the run.
      message.term();
      return;
    }
    const { first, items } = batch;
    const { retries, key, idempotent } = local.info;
    const asked: Asked = { run, key, batch };
    if (this.#stopped.has(run)) {
      const results = new Array<Item>(items.length).fill(SKIPPED);
      await this.#answers.publish(asked, { results, micros: 0, again: false });
    } else if (!idempotent) {
      const { seq } = message;
      const begun = await this.#suspects.begin(run, first, { seq, epoch: batch.epoch ?? 0 });
      if (begun === 'copy') {
        // The other message has its own answer: this one says nothing.
        message.term();
        return;
      }
      if (begun === 'first') await this.#runBatch(local, asked);
      else await this.#giveUp(asked, maybeRun);
    } else if (message.info.deliveryCount === 1 && batch.again !== true) {
      await this.#runBatch(local, asked);
    } else if (items.length > 1) {
      await this.#answers.takeApart(message.subject, asked);
    } else {
      const wasTried = await this.#suspects.tryAlone(run, first, retries, () =>
        this.#runBatch(local, { ...asked, batch: { ...batch, again: true } }),
      );
      if (!wasTried) await this.#giveUp(asked, (sequence) => poison(sequence, retries + 1));
    }
    message.ack();
  }

  /** The message's run, if it was sealed with that run's key. @throws ERR_PADATA_NATS_WIRE otherwise */
  async #sealedBy({ data }: JsMsg, run: string): Promise<LocalRun | undefined> {
    const local = await this.#runs.of(run);
    if (local === undefined) return undefined;
    try {
      checkSeal(data, local.info.key);
      return local;
    } catch (error) {
      const renewed = await this.#runs.renewed(run, local);
      if (renewed === local) throw error;
      if (renewed !== undefined) checkSeal(data, renewed.info.key);
      return renewed;
    }
  }

  /** The jobs end with an error, without being run. */
  async #giveUp(asked: Asked, error: (sequence: number) => Error): Promise<void> {
    const { first, items } = asked.batch;
    const results = items.map((_, i) => encodeError(error(first + i)));
    this.#failed += results.length;
    await this.#answers.publish(asked, { results, micros: 0, again: true });
  }

  async #runBatch(local: LocalRun, asked: Asked): Promise<void> {
    const { first, items, again = false } = asked.batch;
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
    await this.#answers.publish(asked, { results, micros, again });
  }

  async #runJob(local: LocalRun, sequence: number, item: Item, more: boolean): Promise<Item> {
    let input: unknown;
    try {
      input = decodeValue(await this.#large.incoming(item, local.info.key));
    } catch (error) {
      return encodeError(error);
    }
    return await local.run(sequence, input, more);
  }

  #control(run: string, word: string): void {
    if (word === 'end') {
      this.#stopped.delete(run);
      void this.#runs.forget(run);
      return;
    }
    if (word !== 'soon' && word !== 'now') return;
    this.#stopped.add(run);
    if (this.#stopped.size > STOPPED_RUNS) {
      const [oldest] = this.#stopped;
      this.#stopped.delete(oldest!);
    }
    if (word === 'now') this.#runs.abort(run);
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
