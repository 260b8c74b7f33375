/**
 * A run, as its submitter sees it: started or taken up again, jobs out, results in, looked after, ended.
 *
 *     send ─▶ batches ─▶ stream of jobs ─▶ workers ─▶ stream of results ─▶ RunResults ─▶ deliver
 *                                                        settle (done here) ─┘
 */
import { PadataError } from '@bootmem/padata';
import type { JetStreamManager } from '@nats-io/jetstream';
import { LargeValues } from '../server/large-values.js';
import type { Publisher } from '../server/publisher.js';
import type { Roster } from '../server/roster.js';
import { lastMessage } from '../server/run-info.js';
import type { RunInfo } from '../server/run-info.js';
import { isNotFound, serverError } from '../server/streams.js';
import type { Engine } from '../server/streams.js';
import { PadataNatsError } from '../wire/errors.js';
import { RunAudit } from '../watch/run-audit.js';
import { WorkerWatch } from '../watch/worker-watch.js';
import { moduleToken } from '../wire/names.js';
import type { Item } from '../wire/values.js';
import { Delivered } from './delivered.js';
import { JobSender } from './job-sender.js';
import { LostJobs } from './lost-jobs.js';
import type { Outcome } from './outcome.js';
import { ResultReader } from './result-reader.js';
import { RunName } from './run-name.js';
import { RunResults } from './run-results.js';

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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The submitter's end of a run. */
export class RunLink {
  readonly token: string;
  readonly #options: RunLinkOptions;
  readonly #host: RunLinkHost;
  readonly #reader: ResultReader;
  readonly #results: RunResults;
  readonly #sender: JobSender;
  readonly #delivered: Delivered;
  readonly #watch: WorkerWatch;
  readonly #lost: LostJobs;
  readonly #name: RunName;
  #audit: RunAudit | undefined;
  #started: Promise<void> | undefined;
  #over = false;

  constructor(options: RunLinkOptions, host: RunLinkHost) {
    this.token = moduleToken(options.info.module);
    this.#options = options;
    this.#host = host;
    void host.engine.nc.closed().then((error) => {
      this.#onConnectionClosed(error);
    });
    const { engine, publisher, roster } = host;
    const { run, window, info, workerWaitMs, keepsPosition } = options;
    this.#name = new RunName(engine, publisher, { run, info, isChosen: keepsPosition });
    const large = new LargeValues(engine);
    const isOurs = (): boolean => this.#name.isOurs;
    this.#delivered = new Delivered(engine, publisher, { run, keepsPosition, isOurs });
    this.#results = new RunResults({
      ...options,
      large,
      delivered: this.#delivered,
      isOurs,
      key: () => this.#name.key,
      onStored: (sequence) => {
        this.#sender.settled(sequence);
      },
      onAnswered: (sequence) => {
        this.#lost.forget(sequence);
        this.#sender.answered(sequence);
      },
    });
    this.#sender = new JobSender({
      engine,
      publisher,
      large,
      run,
      subject: this.#jobs,
      window,
      sealing: () => this.#name,
      started: () => this.#started,
      threads: () => roster.threads(info.module),
      averageMs: () => this.#results.averageMs,
      hasOutcome: (sequence) => this.#results.has(sequence),
      onFailed: (sequence, error) => {
        this.settle(sequence, { state: 'failed', error });
      },
      onStored: (name) => {
        this.#results.stored(name);
      },
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
      renew: () => this.#name.renew(),
    });
    this.#watch = new WorkerWatch({
      engine,
      roster,
      module: info.module,
      waitMs: workerWaitMs,
      isIdle: () => this.#results.isIdle,
      onNobody: () => {
        this.#onNobody();
      },
    });
    this.#reader = new ResultReader(host.engine, options.run, {
      onResult: (data, stream) => {
        this.#results.arrived(data, stream);
      },
      onAnew: () => {
        this.#delivered.anew();
      },
    });
  }

  /** Sequence number of the next job to be delivered. */
  get next(): number {
    return this.#results.next;
  }

  /** Average time of a job, in milliseconds; undefined before the first result. */
  get averageMs(): number | undefined {
    return this.#results.averageMs;
  }

  /** Jobs that workers ran again because it was unknown whether they had been run. */
  get redelivered(): number {
    return this.#results.redelivered + this.#lost.sentAgain;
  }

  /** Messages among the results that nobody of this run wrote. */
  get refused(): number {
    return this.#results.refused;
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
    if (this.#name.isLost) {
      this.settle(sequence, { state: 'skipped' });
      return;
    }
    this.#watch.begin();
    if (!this.#results.sent(sequence)) this.#sender.add(sequence, item);
  }

  /** The outcome of a job that was done here, or that will not be done. */
  settle(sequence: number, outcome: Outcome): void {
    this.#results.settle(sequence, outcome);
  }

  /**
   * Tells workers to begin nothing more of this run; jobs that they would have begun come back as skipped.
   * @param when 'now': running jobs are asked to stop as well
   */
  abort(when: 'soon' | 'now'): void {
    void this.#whenOurs(() => {
      this.#control(when);
    });
  }

  /** Takes back what no worker has taken. Never rejects. */
  async purge(): Promise<void> {
    await this.#whenOurs(() => this.#purgeJobs());
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
    await this.#name.free(() => this.#clear()).catch(() => undefined);
  }

  /** All of the run but its name. What the server does not take off expires. */
  async #clear(): Promise<void> {
    this.#control('end');
    const { names, jsm } = this.#host.engine;
    const { run } = this.#options;
    await Promise.allSettled([
      this.#purgeJobs(),
      purge(jsm, names.resultsStream, names.results(run)),
      purge(jsm, names.runsStream, names.position(run)),
      purge(jsm, names.runsStream, names.tries(run)),
      this.#results.forgetAll(),
    ]);
  }

  async #purgeJobs(): Promise<void> {
    const { engine } = this.#host;
    await purge(engine.jsm, engine.names.jobsStream, this.#jobs);
  }

  /** Not while it is unknown whether the run is this link's own, nor afterwards: what is there under its name is another's. */
  async #whenOurs(work: () => unknown): Promise<void> {
    try {
      await this.#started;
      if (this.#name.isOurs) await work();
    } catch {
      // It did not begin, or the server is away: close takes off what is left.
    }
  }

  get #jobs(): string {
    return this.#host.engine.names.jobs(this.token, this.#options.run);
  }

  async #start(): Promise<void> {
    await this.#name.take();
    await this.#reader.start();
    this.#beginAudit();
  }

  async #resume(from: number | undefined): Promise<void> {
    const { engine } = this.#host;
    const found = await this.#name.find();
    const stored = await lastMessage(engine, engine.names.position(this.#options.run));
    const position = from ?? (stored === undefined ? 0 : Number(decoder.decode(stored)));
    await this.#name.takeUp(found);
    // Not before: another may have been quicker.
    await this.#purgeJobs();
    this.#results.startAt(position);
    this.#delivered.startAt(position);
    const waiting = await this.#reader.start();
    // What is there already is taken in before anything is sent, so that it is not done again.
    const deadline = performance.now() + 10_000;
    while (this.#results.messages < waiting && performance.now() < deadline) {
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
      arrived: () => this.#results.messages - this.#results.refused,
      stored: () => this.#sender.stored,
      isHeld: () => roster.holds(run),
      isWanted: () => roster.workers(info.module).some(({ free }) => free > 0),
      describe: (isOld) => this.#name.keep(isOld),
      onLost: (sequences, ended) => this.#lost.onLost(sequences, ended),
      onRefused: (sequences, cause) => {
        this.#lost.onRefused(sequences, cause);
      },
    });
  }

  #onNobody(): void {
    const { module } = this.#options.info;
    const { prefix } = this.#host.engine.names;
    void this.purge();
    this.#results.failAll(
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
    this.#results.failAll(
      new PadataNatsError('ERR_PADATA_NATS_CONNECT', 'the connection is closed', {}, { cause }),
    );
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

async function purge(jsm: JetStreamManager, stream: string, filter: string): Promise<void> {
  try {
    await jsm.streams.purge(stream, { filter });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
