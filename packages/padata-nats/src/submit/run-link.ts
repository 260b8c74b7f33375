/**
 * A run, as its submitter sees it: jobs out, results in, in order.
 *
 *     send ─▶ batches ─▶ stream of jobs ─▶ workers ─▶ stream of results ─▶ reorder buffer ─▶ deliver
 *                                                        settle (done here) ─┘
 *
 * Nothing here knows windows or policies: whoever sends sees to it that no more than `window` jobs are between
 * `send` and `deliver`. Exactly one `deliver` a job: the buffer drops what comes twice. What is not sealed with the run's
 * key is no result.
 */
import { PadataError } from '@bootmem/padata';
import type { JetStreamManager } from '@nats-io/jetstream';
import { LargeValues } from '../server/large-values.js';
import type { Publisher } from '../server/publisher.js';
import type { Roster } from '../server/roster.js';
import { describedAs, fetchRunInfo, lastMessage, publishRunInfo } from '../server/run-info.js';
import type { RunInfo } from '../server/run-info.js';
import { isNotFound, serverError } from '../server/streams.js';
import type { Engine } from '../server/streams.js';
import { BatchType } from '../wire/batch.js';
import type { Batch } from '../wire/batch.js';
import { PadataNatsError } from '../wire/errors.js';
import { RunAudit } from '../watch/run-audit.js';
import { WorkerWatch } from '../watch/worker-watch.js';
import { moduleToken } from '../wire/names.js';
import { newKey, openBatch } from '../wire/seal.js';
import { ItemKind, decodeError, decodeValue } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { Delivered } from './delivered.js';
import { JobSender } from './job-sender.js';
import { LostJobs } from './lost-jobs.js';
import type { Outcome } from './job-window.js';
import { ReorderBuffer } from './reorder-buffer.js';
import { ResultReader } from './result-reader.js';

/** How a run is made. */
interface RunLinkOptions {
  readonly run: string;
  readonly info: Omit<RunInfo, 'epoch' | 'key'>;
  readonly window: number;
  /** Store how far the run is delivered, so that it can be taken up again. */
  readonly keepsPosition: boolean;
  /** Milliseconds to wait for a worker that offers the module; Infinity = for ever. */
  readonly workerWaitMs: number;
  /** Called once a job, in order. */
  readonly deliver: (sequence: number, outcome: Outcome) => void;
  /** Called after one or more deliveries. */
  readonly onDelivered: () => void;
  /** The input of a job that may be run again, if the server has lost it; undefined = it fails. */
  readonly inputOf: (sequence: number) => Item | undefined;
  /** Called once a job as soon as its outcome is there, in any order. */
  readonly onOutcome?: (sequence: number, outcome: Outcome) => void;
}

/** What a run needs from its pool. */
export interface RunLinkHost {
  readonly engine: Engine;
  readonly publisher: Publisher;
  readonly roster: Roster;
}

/** A new average counts for so much. */
const SMOOTHING = 1 / 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The submitter's end of a run. */
export class RunLink {
  readonly token: string;
  readonly #options: RunLinkOptions;
  readonly #host: RunLinkHost;
  readonly #large: LargeValues;
  readonly #reader: ResultReader;
  #buffer: ReorderBuffer<Outcome>;
  readonly #sender: JobSender;
  readonly #delivered: Delivered;
  readonly #watch: WorkerWatch;
  readonly #lost: LostJobs;
  #audit: RunAudit | undefined;
  #started: Promise<void> | undefined;
  /** The run is this link's own: it was started or resumed without an error. */
  #owns = false;
  #key = newKey();
  #epoch = 0;
  #averageMs: number | undefined;
  /** Jobs whose input or result lies in the object store. */
  readonly #stored = new Set<string>();
  #redelivered = 0;
  /** Sequence number of the job sent last. */
  #highest = -1;
  /** Messages of results taken in. */
  #resultMessages = 0;
  /** Those of them that nobody of this run wrote. */
  #refused = 0;
  #over = false;

  constructor(options: RunLinkOptions, host: RunLinkHost) {
    this.token = moduleToken(options.info.module);
    this.#options = options;
    this.#host = host;
    this.#large = new LargeValues(host.engine);
    this.#buffer = new ReorderBuffer<Outcome>(options.window);
    void host.engine.nc.closed().then((error) => {
      this.#onConnectionClosed(error);
    });
    const { engine, publisher, roster } = host;
    const { run, window, info, workerWaitMs } = options;
    this.#delivered = new Delivered(engine, publisher, options);
    this.#sender = new JobSender({
      engine,
      publisher,
      large: this.#large,
      run,
      subject: this.#jobs,
      window,
      sealing: () => ({ key: this.#key, epoch: this.#epoch }),
      started: () => this.#started,
      threads: () => roster.threads(info.module),
      averageMs: () => this.#averageMs,
      hasOutcome: (sequence) => this.#buffer.has(sequence),
      onFailed: (sequence, error) => {
        this.settle(sequence, { state: 'failed', error });
      },
      onStored: (name) => this.#stored.add(name),
    });
    this.#lost = new LostJobs({
      run,
      inputOf: options.inputOf,
      takeBack: (sequence) => this.#sender.lost(sequence),
      settle: (sequence, outcome) => {
        this.settle(sequence, outcome);
      },
      send: (sequence, item) => {
        this.send(sequence, item);
      },
      renew: async () => {
        this.#epoch = (this.#epoch + 1) % 256;
        await this.#describe();
      },
    });
    this.#watch = new WorkerWatch({
      engine,
      roster,
      module: info.module,
      waitMs: workerWaitMs,
      isIdle: () => this.#buffer.next > this.#highest,
      onNobody: () => {
        this.#onNobody();
      },
    });
    this.#reader = new ResultReader(host.engine, options.run, {
      onResult: (data, stream) => {
        this.#onResults(data, stream);
      },
      onAnew: () => {
        this.#delivered.anew();
      },
    });
  }

  /** Sequence number of the next job to be delivered. */
  get next(): number {
    return this.#buffer.next;
  }

  /** Average time of a job, in milliseconds; undefined before the first result. */
  get averageMs(): number | undefined {
    return this.#averageMs;
  }

  /** Jobs that workers ran again because it was unknown whether they had been run. */
  get redelivered(): number {
    return this.#redelivered + this.#lost.sentAgain;
  }

  /** Messages among the results that nobody of this run wrote. */
  get refused(): number {
    return this.#refused;
  }

  /** Makes the run known to workers and begins to read. Called once, before anything else. */
  start(): Promise<void> {
    this.#started ??= begun(() => this.#start());
    return this.#started;
  }

  /**
   * Takes a run up again: what its dead submitter sent and nobody began is taken back, results that are there
   * are read first.
   * @param from sequence number of the first job to deliver; default: where the stored position is
   */
  resume(from?: number): Promise<void> {
    this.#started ??= begun(() => this.#resume(from));
    return this.#started;
  }

  /** Sends a job. Its outcome arrives by `deliver`. */
  send(sequence: number, item: Item): void {
    this.#highest = Math.max(this.#highest, sequence);
    this.#watch.begin();
    if (this.#buffer.has(sequence)) {
      this.#deliverSoon();
      return;
    }
    this.#sender.add(sequence, item);
  }

  /** The outcome of a job that was done here, or that will not be done. */
  settle(sequence: number, outcome: Outcome): void {
    this.#highest = Math.max(this.#highest, sequence);
    this.#offer(sequence, outcome);
    this.#deliverSoon();
  }

  /**
   * Tells workers to begin nothing more of this run; jobs that they would have begun come back as skipped.
   * @param when 'now': running jobs are asked to stop as well
   */
  abort(when: 'soon' | 'now'): void {
    // Not while it is unknown whether the run is this link's own: another may have the name.
    void this.#started?.then(
      () => {
        this.#control(when);
      },
      () => undefined,
    );
  }

  /** Takes back what no worker has taken. */
  async purge(): Promise<void> {
    const { engine } = this.#host;
    await purge(engine.jsm, engine.names.jobsStream, this.#jobs);
  }

  /** Ends the run: nothing of it stays on the server or in the workers. */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#watch.stop();
    this.#delivered.stop();
    await this.#started?.catch(() => undefined);
    this.#audit?.stop();
    await this.#reader.close();
    if (!this.#owns) return;
    this.#control('end');
    const { engine } = this.#host;
    const { names, jsm } = engine;
    const { run } = this.#options;
    await Promise.all([
      purge(jsm, names.jobsStream, this.#jobs),
      purge(jsm, names.resultsStream, names.results(run)),
      purge(jsm, names.runsStream, names.info(run)),
      purge(jsm, names.runsStream, names.position(run)),
      purge(jsm, names.runsStream, names.tries(run)),
      ...[...this.#stored].map((name) => this.#large.forget(name)),
    ]).catch(() => undefined);
  }

  get #jobs(): string {
    return this.#host.engine.names.jobs(this.token, this.#options.run);
  }

  async #describe(): Promise<void> {
    const { engine, publisher } = this.#host;
    const { run, info } = this.#options;
    await publishRunInfo(engine, publisher, run, { ...info, key: this.#key, epoch: this.#epoch });
  }

  async #start(): Promise<void> {
    const { run, keepsPosition } = this.#options;
    if (keepsPosition && (await this.#exists())) {
      throw new PadataNatsError(
        'ERR_PADATA_NATS_RUN',
        `the run '${run}' exists already: resume it, or choose another id`,
        { run },
      );
    }
    await this.#describe();
    this.#owns = true;
    await this.#reader.start();
    this.#beginAudit();
  }

  /** Has somebody described a run of this name, and not taken it away? */
  async #exists(): Promise<boolean> {
    const found = await describedAs(this.#host.engine, this.#options.run, this.#key);
    return found !== 'none' && found !== 'ended';
  }

  async #resume(from: number | undefined): Promise<void> {
    const { engine } = this.#host;
    const { run, window } = this.#options;
    const known = await fetchRunInfo(engine, run);
    if (known === undefined) {
      throw new PadataNatsError('ERR_PADATA_NATS_RUN', `there is no run '${run}'`, { run });
    }
    const stored = await lastMessage(engine, engine.names.position(run));
    const position = from ?? (stored === undefined ? 0 : Number(decoder.decode(stored)));
    await this.purge();
    // Results that are there were sealed with it.
    this.#key = known.key;
    this.#epoch = (known.epoch + 1) % 256;
    await this.#describe();
    this.#owns = true;
    this.#buffer = new ReorderBuffer<Outcome>(window, position);
    this.#delivered.startAt(position);
    const waiting = await this.#reader.start();
    // What is there already is taken in before anything is sent, so that it is not done again.
    const deadline = performance.now() + 10_000;
    while (this.#resultMessages < waiting && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#beginAudit();
  }

  #beginAudit(): void {
    const { run, info } = this.#options;
    const { engine, roster } = this.#host;
    if (this.#over) return;
    this.#audit = new RunAudit(engine, {
      run,
      jobs: this.#jobs,
      consumer: engine.names.consumer(this.token),
      hasRead: (last) => this.#reader.hasRead(last),
      open: () => this.#sender.open,
      arrived: () => this.#resultMessages - this.#refused,
      stored: () => this.#sender.stored,
      isHeld: () => roster.holds(run),
      isWanted: () => roster.workers(info.module).some(({ free }) => free > 0),
      key: this.#key,
      describe: () => this.#describe(),
      onLost: (sequences, ended) => this.#lost.onLost(sequences, ended),
      onRefused: (sequences, cause) => {
        this.#lost.onRefused(sequences, cause);
      },
    });
  }

  #onResults(data: Uint8Array, stream: number): void {
    this.#resultMessages += 1;
    let batch: Batch;
    try {
      batch = openBatch(data, BatchType.RESULTS, this.#key);
    } catch {
      // Whoever may write to the subject may write nonsense; the job's own result still comes.
      this.#refused += 1;
      return;
    }
    const { first, items, micros } = batch;
    if (micros > 0) {
      const old = this.#averageMs;
      this.#averageMs = old === undefined ? micros / 1000 : old + (micros / 1000 - old) * SMOOTHING;
    }
    this.#delivered.arrived(stream, first + items.length - 1);
    for (const [i, item] of items.entries()) {
      if (this.#buffer.has(first + i)) continue;
      if (batch.again === true) this.#redelivered += 1;
      this.#take(first + i, item);
    }
    this.#deliver();
    this.#delivered.trim();
  }

  #take(sequence: number, item: Item): void {
    switch (item.kind) {
      case ItemKind.ERROR:
        this.#offer(sequence, { state: 'failed', error: decodeError(item) });
        return;
      case ItemKind.SKIPPED:
        this.#offer(sequence, { state: 'skipped' });
        return;
      case ItemKind.STORED:
        this.#stored.add(decoder.decode(item.bytes));
        this.#sender.settled(sequence);
        void this.#large.incoming(item, this.#key).then(
          (fetched) => {
            this.settle(sequence, outcomeOf(fetched));
          },
          (error: unknown) => {
            this.settle(sequence, { state: 'failed', error });
          },
        );
        return;
      default:
        this.#offer(sequence, outcomeOf(item));
    }
  }

  #offer(sequence: number, outcome: Outcome): void {
    this.#lost.forget(sequence);
    this.#sender.answered(sequence);
    if (this.#buffer.offer(sequence, outcome) === 'taken') {
      this.#options.onOutcome?.(sequence, outcome);
    }
  }

  #deliverSoon(): void {
    queueMicrotask(() => {
      this.#deliver();
    });
  }

  #deliver(): void {
    let count = 0;
    // A resumed run may hold results whose jobs its new submitter has not come to yet.
    while (this.#buffer.next <= this.#highest) {
      const sequence = this.#buffer.next;
      const outcome = this.#buffer.take();
      if (outcome === undefined) break;
      count += 1;
      this.#forget(sequence);
      this.#options.deliver(sequence, outcome);
    }
    if (count === 0) return;
    this.#delivered.upTo(this.#buffer.next);
    this.#options.onDelivered();
  }

  /** Takes a delivered job's large values off the server. */
  #forget(sequence: number): void {
    if (this.#stored.size === 0) return;
    for (const end of ['in', 'out']) {
      const name = `${this.#options.run}.${sequence}.${end}`;
      if (this.#stored.delete(name)) void this.#large.forget(name).catch(() => undefined);
    }
  }

  #onNobody(): void {
    const { module } = this.#options.info;
    const { prefix } = this.#host.engine.names;
    void this.purge().catch(() => undefined);
    this.#failAll(
      new PadataNatsError(
        'ERR_PADATA_NATS_NO_WORKER',
        `no worker offers '${module}' under the prefix '${prefix}'; start one with --module ${module}`,
        { module, prefix },
      ),
    );
  }

  /** The connection is closed for good: nothing will come any more. */
  #onConnectionClosed(cause: unknown): void {
    if (this.#over) return;
    this.#failAll(
      new PadataNatsError('ERR_PADATA_NATS_CONNECT', 'the connection is closed', {}, { cause }),
    );
  }

  #failAll(error: PadataNatsError): void {
    for (let sequence = this.#buffer.next; sequence <= this.#highest; sequence += 1) {
      this.#offer(sequence, { state: 'failed', error });
    }
    this.#deliver();
  }

  #control(word: 'soon' | 'now' | 'end'): void {
    const { nc, names } = this.#host.engine;
    if (!nc.isClosed()) nc.publish(names.control(this.#options.run), encoder.encode(word));
  }
}

/** What the server or the client says while a run begins gets a code. */
async function begun(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    if (error instanceof PadataNatsError || error instanceof PadataError) throw error;
    throw serverError('the run cannot begin', error);
  }
}

function outcomeOf(item: Item): Outcome {
  try {
    const value = decodeValue(item);
    // The consumer's own: a message's memory belongs to the connection.
    return { state: 'done', value: item.kind === ItemKind.BYTES ? item.bytes.slice() : value };
  } catch (error) {
    return { state: 'failed', error };
  }
}

async function purge(jsm: JetStreamManager, stream: string, filter: string): Promise<void> {
  try {
    await jsm.streams.purge(stream, { filter });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
