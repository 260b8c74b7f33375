/** Plays one round: makes the pool, does the steps one after another, waits for what is out, closes, looks. */
import { createWorkPool } from '@bootmem/padata';
import type { JobOutput, Series, WorkPool } from '@bootmem/padata';
import { join } from 'node:path';
import { wrap } from './answers.mjs';
import { deathsOf, endsBy0 } from './book.js';
import type { Book, Job, PoolFacts, SeriesFacts } from './book.js';
import { jobsModule } from './kinds.js';
import type { Act, Outcome } from './kinds.js';
import type { AbortPlan, Round, SeriesPlan, Step } from './plan.js';
import { BOARD } from './set-ups.mjs';
import { playMap, playRange, playShell, playStream } from './side-plays.js';

const setUpsModule = new URL('./set-ups.mjs', import.meta.url);
const diesModule = new URL('./dies-at-load.mjs', import.meta.url);

/** What a round needs from outside, and where the self-test meddles. */
export interface Stage {
  readonly book: Book;
  /** A folder for files of this round. */
  readonly folder: string;
  /** A job has ended: tells the book, what is so or what the self-test makes of it. */
  see(job: Job, outcome: Outcome): void;
}

/** A series that is played on. */
interface Live {
  readonly series: Series<Act>;
  readonly facts: SeriesFacts;
  places: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Jobs that have a place in the order: neither a refusal nor a getter's own submission hides in the number. */
function acceptedBy(series: Series<Act>): number {
  const { submitted, overflow } = series.stats();
  return submitted + overflow;
}

/** One round on its pool. */
export class Player {
  readonly pool: WorkPool;
  readonly facts: PoolFacts;
  readonly round: Round;
  readonly book: Book;
  /** `context.shared` of all jobs: what functions complain of. */
  readonly board = new Int32Array(new SharedArrayBuffer(64));
  /** Printing jobs that ended well. */
  readonly printed: number[] = [];
  readonly #stage: Stage;
  readonly #live: Live[];

  constructor(round: Round, stage: Stage) {
    this.round = round;
    this.#stage = stage;
    this.book = stage.book;
    const { threads, capacity, idle, spin, heap, recycle, setUp } = round;
    this.board[BOARD.SETS_UP] = setUp === 'nothing' ? 0 : 1;
    this.pool = createWorkPool({
      threads: this.#threads(threads),
      capacity,
      idle,
      spin,
      // Jobs are plain JavaScript: threads that start without a loader start ten times as fast.
      execArgv: [],
      ...(recycle === undefined ? {} : { recycle: { jobs: recycle } }),
      ...(setUp === 'nothing'
        ? {}
        : {
            setup: { module: setUpsModule, name: 'open' },
            teardown: { module: setUpsModule, name: 'close' },
            setupArg: { how: setUp, board: this.board },
          }),
      ...(heap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heap } }),
    });
    // A series that halts 'now' asks all that runs to stop.
    const halts = round.series.filter(({ halt }) => halt.startsWith('now')).length;
    this.facts = {
      exits: [],
      asked: halts * capacity,
      closing: false,
      isShaky: setUp === 'shaky',
      alone: threads === 0,
    };
    this.pool.on('worker-exit', ({ worker, exitCode, expected }) => {
      this.facts.exits.push({ worker, exitCode, expected });
      this.book.move();
    });
    this.#live = round.series.map((plan, index) => this.#open(plan, index));
  }

  /** So many threads, or up to so many. */
  #threads(count: number): number | { min: number; max: number; idleMs: number } {
    const { elastic } = this.round;
    if (elastic === undefined || count === 0) return count;
    return { min: Math.min(count, elastic.min), max: count, idleMs: elastic.idleMs };
  }

  /** Plays it to its end. */
  async play(): Promise<void> {
    const { book, round } = this;
    for (const step of round.steps) await this.#step(step);
    if (round.end === 'drain') {
      for (const { series } of this.#live) await book.watch('drain', series.drain());
      await book.idle();
      for (const { series } of this.#live) await book.watch('close of a series', series.close());
      this.#compare();
    }
    this.facts.closing = true;
    await book.watch('close of the pool', this.pool.close());
    await book.idle();
    this.#look();
  }

  /** Figures that must agree when all is delivered. */
  #compare(): void {
    const { works, freeWorks } = this.pool.stats();
    if (works !== freeWorks) this.book.fault(`${works - freeWorks} works are missing`);
    for (const { series, facts } of this.#live) {
      const { submitted, delivered, inFlight, overflow } = series.stats();
      if (submitted === delivered && inFlight === 0 && overflow === 0) continue;
      this.book.fault(`${facts.name}: ${submitted} submitted, ${delivered} delivered`);
    }
  }

  #look(): void {
    const { calm, end } = this.round;
    const { WRONG, OPENED, CLOSED, LEFT_BY_0 } = BOARD;
    if (this.board[WRONG] !== 0) this.book.fault(`${this.board[WRONG]} functions complain`);
    // Whoever ends by himself has closed what was opened.
    const [opened, closed] = [this.board[OPENED]!, this.board[CLOSED]!];
    const died = deathsOf(this.facts) + Math.max(0, this.board[LEFT_BY_0]! - endsBy0(this.facts));
    if (closed > opened || (end === 'drain' && opened - closed > died)) {
      this.book.fault(`of ${opened} set-ups ${closed} were torn down`);
    }
    // Pools that are closed early end threads that do not stop in time.
    const { asked } = this.facts;
    if (calm && end === 'drain' && deathsOf(this.facts) > asked) {
      this.book.fault(
        `${deathsOf(this.facts)} threads died in a calm round, ${asked} at most may have been ended`,
      );
    }
  }

  #open(plan: SeriesPlan, index: number): Live {
    const { order, window, onFull, slotBytes, bytes, idempotent, retries, graceMs, halt } = plan;
    const facts: SeriesFacts = {
      pool: this.facts,
      name: `series ${index}`,
      hasOrder: order === 'submission',
      get mayRunHere() {
        return onFull === 'inline' || this.pool.alone;
      },
      mayBeFull: onFull === 'reject',
      mayHalt: halt !== 'never',
      deathsAtLoad: plan.deathsAtLoad ?? 0,
      ended: [],
      last: { run: -1, submit: -1 },
    };
    const series = this.pool.series<Act>({
      fn: { module: this.#moduleOf(plan, index), name: 'act' },
      shared: this.board,
      order,
      priority: plan.priority,
      window,
      onFull,
      slotBytes,
      bytes,
      idempotent,
      graceMs,
      halt,
      pendingPerThread: plan.pendingPerThread,
      ...(plan.captures ? { onJobOutput: this.#print } : {}),
      ...(idempotent ? { retries } : {}),
      ...(plan.workers === undefined ? {} : { workers: plan.workers }),
      ...(plan.watchdogMs === undefined
        ? {}
        : { watchdogMs: plan.watchdogMs, onStall: () => undefined }),
    });
    return { series, facts, places: 0 };
  }

  #moduleOf({ deathsAtLoad }: SeriesPlan, index: number): URL {
    if (deathsAtLoad === undefined) return jobsModule;
    const url = new URL(diesModule);
    const { searchParams } = url;
    searchParams.set('round', `${this.round.number}.${index}`);
    if (deathsAtLoad >= 0) searchParams.set('times', `${deathsAtLoad}`);
    if (this.round.heap !== undefined && index % 2 === 0) searchParams.set('by', 'memory');
    searchParams.set('file', join(this.#stage.folder, `imports-${this.round.number}-${index}`));
    return url;
  }

  /** Prints what a job has written: all of it is that job's. */
  readonly #print = ({ stdout, truncated }: JobOutput): void => {
    const ids = new Set(stdout.match(/^LINE \d+/gm));
    if (ids.size > 1 || truncated) {
      this.book.fault(`the output of ${[...ids].join()} is told as one job's`);
    }
    process.stdout.write(stdout);
  };

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case 'job':
        this.#submit(step);
        break;
      case 'pause':
        await (step.ms === 0 ? turn() : sleep(step.ms));
        break;
      case 'busy': {
        const until = performance.now() + step.ms;
        while (performance.now() < until);
        break;
      }
      case 'resize':
        if (this.pool.capacity === 0) break;
        if (step.threads === 0) this.facts.alone = true;
        this.pool.resize(this.#threads(step.threads));
        break;
      case 'workers':
        this.#live[step.series]!.series.setWorkers(step.ids);
        break;
      case 'abortSeries': {
        const { series, facts } = this.#live[step.series]!;
        const reason = step.reason === 'own' ? new Error('the series is ended') : undefined;
        facts.ended.push(reason);
        this.facts.asked += this.pool.capacity;
        series.abort(reason);
        break;
      }
      case 'range':
        void playRange(this, step);
        break;
      case 'map':
        void playMap(this, step);
        break;
      case 'stream':
        void playStream(this, step);
        break;
      case 'shell':
        void playShell(this, step);
        break;
    }
  }

  #submit(step: Extract<Step, { do: 'job' }>): void {
    const live = this.#live[step.series]!;
    const { series, facts } = live;
    const { order, form } = step.job;
    const abort = step.abort === undefined ? undefined : this.#abort(step.abort);
    const { way, more } = step;
    const place = live.places;
    const job: Job = { order, form, way, series: facts, place, abort, refused: false };
    live.places += 1;
    const { input, transfer } = wrap(form, order);
    this.book.beginJob(job);
    abort?.signal.addEventListener('abort', () => {
      if (this.book.isOpen(job)) this.facts.asked += 1;
      // Within one turn: nobody has to wait for what he has given up.
      setImmediate(() => {
        if (this.book.isOpen(job)) this.book.fault(`job ${order.id} hears late of its abort`);
      });
    });
    if (way === 'run') {
      const options = {
        ...(transfer === undefined ? {} : { transfer }),
        ...(abort === undefined ? {} : { signal: abort.signal }),
      };
      const before = acceptedBy(series);
      const promise = series.run(input, options);
      if (acceptedBy(series) === before) job.refused = true;
      promise.then(
        (value) => {
          this.#end(job, { failed: false, value });
        },
        (error: unknown) => {
          this.#end(job, { failed: true, error });
        },
      );
      abort?.begin();
      return;
    }
    try {
      const callback = (error: unknown, value: unknown): void => {
        this.#end(job, error === undefined ? { failed: false, value } : { failed: true, error });
      };
      series.submit(input, callback, transfer, more);
    } catch (error) {
      job.refused = true;
      this.#end(job, { failed: true, error });
    }
  }

  #end(job: Job, outcome: Outcome): void {
    if (job.order.kind.startsWith('prints') && !outcome.failed) this.printed.push(job.order.id);
    this.#stage.see(job, outcome);
  }

  #abort({ ms, reason }: AbortPlan): Job['abort'] & { begin(): void } {
    if (reason === 'timeout') {
      const signal = AbortSignal.timeout(ms);
      return { signal, reason: undefined, begin: () => undefined };
    }
    const controller = new AbortController();
    const why = reason === 'own' ? new Error('given up') : undefined;
    const abort = (): void => {
      controller.abort(why);
    };
    return {
      signal: controller.signal,
      reason: why,
      begin: () => {
        if (ms === 0) abort();
        else setTimeout(abort, ms);
      },
    };
  }
}
