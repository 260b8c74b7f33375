/**
 * What happens in one round: a function of the seed and the round's number alone, so that a round can be played again.
 * What threads make of it is a matter of time and differs.
 */
import { Random } from '../../../kit/random.mjs';
import { inputForms, resultForms, unsendableForms } from './answers.mjs';
import type { Order } from './answers.mjs';
import { KINDS } from './kinds.js';

/** When and why a job is aborted. */
export interface AbortPlan {
  /** Milliseconds after its submission; 0 = in the same turn. */
  readonly ms: number;
  readonly reason: 'own' | 'none' | 'timeout';
}

/** One job of a series. */
export interface JobPlan {
  readonly order: Order;
  readonly form: string;
}

/** A series and how it is made. */
export interface SeriesPlan {
  readonly order: 'submission' | 'none';
  readonly priority: 'high' | 'normal' | 'low';
  readonly window: number;
  readonly onFull: 'wait' | 'inline' | 'reject';
  readonly slotBytes: number;
  readonly bytes: 'copy' | 'view';
  readonly idempotent: boolean;
  readonly retries: number;
  readonly graceMs: number;
  readonly pendingPerThread: number;
  readonly halt: 'never' | 'soon,fail=10' | 'now,fail=20%';
  readonly workers: readonly number[] | undefined;
  readonly watchdogMs: number | undefined;
  /** What its jobs print is captured, and printed by the owner. */
  readonly captures: boolean;
  /** Threads that die while they load its module; undefined = an ordinary module; -1 = it throws. */
  readonly deathsAtLoad: number | undefined;
}

/** What happens next. */
export type Step =
  | {
      readonly do: 'job';
      readonly series: number;
      readonly job: JobPlan;
      readonly way: 'run' | 'submit';
      readonly more: boolean;
      readonly abort: AbortPlan | undefined;
    }
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'busy'; readonly ms: number }
  | { readonly do: 'resize'; readonly threads: number }
  | { readonly do: 'workers'; readonly series: number; readonly ids: readonly number[] }
  | { readonly do: 'abortSeries'; readonly series: number; readonly reason: 'own' | 'none' }
  | {
      readonly do: 'range';
      readonly kind: 'marks' | 'waits' | 'throws' | 'exit' | 'uncloneable' | 'broken';
      readonly size: number;
      readonly at: number;
      readonly minChunk: number;
      readonly idempotent: boolean;
      readonly undo: boolean;
      readonly abortMs: number | undefined;
    }
  | {
      readonly do: 'map';
      readonly jobs: readonly JobPlan[];
      readonly window: number;
      readonly errors: 'throw' | 'skip' | 'collect';
      readonly bytes: 'copy' | 'view';
      readonly stopAfter: number;
      readonly sourceFailsAfter: number;
    }
  | {
      readonly do: 'stream';
      readonly web: boolean;
      readonly jobs: readonly JobPlan[];
      readonly breaks: 'nothing' | 'source' | 'sink' | 'job';
      readonly after: number;
    }
  | {
      readonly do: 'shell';
      readonly jobs: readonly JobPlan[];
      /** Masks of parallel workers, each set after so many jobs. */
      readonly masks: readonly { readonly after: number; readonly ids: readonly number[] }[];
      readonly serialWorker: number;
    };

/** One round. */
export interface Round {
  readonly number: number;
  /** No thread ends before the pool is closed: then nothing may be lost. */
  readonly calm: boolean;
  readonly threads: number;
  /** They come and go by themselves, up to that number; undefined = they stay. */
  readonly elastic: { readonly min: number; readonly idleMs: number } | undefined;
  readonly capacity: number;
  readonly idle: 'block' | 'loop';
  readonly spin: 'auto' | 0;
  /** What threads set up: see `set-ups.mjs`. */
  readonly setUp: 'nothing' | 'well' | 'later' | 'shaky';
  /** Jobs after which a thread is replaced. */
  readonly recycle: number | undefined;
  /** Heap of a thread, in MiB; undefined = unlimited. */
  readonly heap: number | undefined;
  readonly series: readonly SeriesPlan[];
  readonly steps: readonly Step[];
  /** 'drain': all series are drained, then closed; 'close': the pool is closed while jobs are out. */
  readonly end: 'drain' | 'close';
}

/** Jobs of one round have numbers from `round * IDS` on. */
const IDS = 10_000;
const CALM_KINDS = Object.keys(KINDS).filter((name) => KINDS[name]!.deadly !== true);
/** These cost so much that they are rare. */
const DEAR = new Set(['nested', 'oom', 'loop', 'exit', 'uncaught', 'exitLater', 'unhandled']);

/** Plans a round. */
export function planRound(seed: number, number: number): Round {
  return new Planner(new Random(seed, number), number).round();
}

class Planner {
  readonly #random: Random;
  readonly #number: number;
  readonly #calm: boolean;
  readonly #heap: number | undefined;
  readonly #capacity: number;
  #next: number;

  constructor(random: Random, number: number) {
    this.#random = random;
    this.#number = number;
    this.#next = number * IDS;
    this.#calm = random.once(3);
    this.#heap = !this.#calm && random.once(4) ? 48 : undefined;
    // A pool that begins without threads cannot get any.
    this.#capacity = random.once(10) ? 0 : 1 + random.below(4);
  }

  round(): Round {
    const random = this.#random;
    const threads = this.#capacity === 0 ? 0 : 1 + random.below(this.#capacity);
    const series = Array.from({ length: 1 + random.below(3) }, () => this.#series());
    const kinds = series.map(() => this.#mixture());
    const steps: Step[] = [];
    const count = 30 + random.below(200);
    for (let i = 0; i < count; i += 1) steps.push(this.#step(series, kinds));
    return {
      number: this.#number,
      calm: this.#calm,
      threads,
      elastic: random.once(3)
        ? { min: random.below(2), idleMs: random.pick([0, 1, 20, 10_000]) }
        : undefined,
      capacity: this.#capacity,
      idle: random.once(4) ? 'loop' : 'block',
      spin: random.once(4) ? 0 : 'auto',
      setUp: random.pick(['nothing', 'well', 'later', this.#calm ? 'later' : 'shaky']),
      recycle: random.once(3) ? 5 + random.below(60) : undefined,
      heap: this.#heap,
      series,
      steps,
      end: random.once(3) ? 'close' : 'drain',
    };
  }

  /** A few kinds that one series gets, some of them often. */
  #mixture(): string[] {
    const random = this.#random;
    const names = (this.#calm ? CALM_KINDS : Object.keys(KINDS)).filter(
      (name) => KINDS[name]!.memory !== true || this.#heap !== undefined,
    );
    const few = Array.from({ length: 1 + random.below(6) }, () => random.pick(names));
    return ['ok', 'ok', ...few, ...few.filter((name) => !DEAR.has(name)), 'waits', 'cpu'];
  }

  #series(): SeriesPlan {
    const random = this.#random;
    const idempotent = random.once(3);
    return {
      order: random.once(2) ? 'none' : 'submission',
      priority: random.pick(['high', 'normal', 'normal', 'low']),
      window: random.pick([1, 2, 4, 16, 64, 256]),
      onFull: random.pick(['wait', 'wait', 'wait', 'inline', 'reject']),
      slotBytes: random.pick([0, 64, 1024, 1024, 16_384]),
      bytes: random.once(4) ? 'view' : 'copy',
      idempotent,
      retries: idempotent ? random.below(3) : 1,
      graceMs: random.pick([0, 1, 20, 150]),
      pendingPerThread: random.pick([1, 4, 64, 64]),
      halt: random.once(8) ? random.pick(['soon,fail=10', 'now,fail=20%']) : 'never',
      workers: random.once(4) ? this.#ids() : undefined,
      watchdogMs: random.once(4) ? 20 : undefined,
      captures: random.once(4),
      deathsAtLoad: this.#calm || !random.once(8) ? undefined : random.below(6) - 1,
    };
  }

  #ids(): number[] {
    const ids = Array.from({ length: this.#capacity }, (_, i) => i + 1);
    return ids.filter(() => this.#random.once(2));
  }

  #job(kinds: readonly string[]): JobPlan {
    const random = this.#random;
    const kind = random.pick(kinds);
    const order = {
      id: this.#next++,
      kind,
      out: KINDS[kind]!.small === true ? 'number' : random.pick(resultForms),
      ms: random.once(10) ? 10 : random.unit() * 2,
      variant: random.below(60),
    };
    return { order, form: random.pick(kind === 'unsendable' ? unsendableForms : inputForms) };
  }

  /** Jobs that end by themselves and nobody's thread. */
  #harmless(most: number): JobPlan[] {
    const kinds = ['ok', 'ok', 'cpu', 'waits', 'early', 'thenable'];
    return Array.from({ length: 1 + this.#random.below(most) }, () => this.#job(kinds));
  }

  #step(series: readonly SeriesPlan[], kinds: readonly string[][]): Step {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 8) return { do: 'pause', ms: random.pick([0, 0, 1, 5, 20]) };
    if (dice < 10) return { do: 'busy', ms: random.below(60) };
    if (dice < 12 && !this.#calm) {
      return { do: 'resize', threads: random.below(this.#capacity + 1) };
    }
    const at = random.below(series.length);
    if (dice < 14) return { do: 'workers', series: at, ids: this.#ids() };
    if (dice < 15 && random.once(4)) {
      return { do: 'abortSeries', series: at, reason: random.pick(['own', 'none']) };
    }
    if (dice < 17) return this.#range();
    if (dice < 18) return this.#map();
    if (dice < 19) return this.#stream();
    if (dice < 20) return this.#shell();
    return this.#jobStep(series[at]!, at, kinds[at]!);
  }

  #jobStep(series: SeriesPlan, at: number, kinds: readonly string[]): Step {
    const random = this.#random;
    let job = this.#job(kinds);
    if (series.deathsAtLoad !== undefined && job.order.kind !== 'unsendable') {
      job = { ...job, order: { ...job.order, kind: 'loads' } };
    }
    const { endless } = KINDS[job.order.kind]!;
    const abort: AbortPlan = {
      ms: random.pick([0, 1, 5, 30]),
      reason: random.pick(['own', 'none', 'timeout']),
    };
    const aborted = endless === true || random.once(10);
    return {
      do: 'job',
      series: at,
      job,
      // Views are valid in callbacks only.
      way: aborted || (series.bytes === 'copy' && random.once(2)) ? 'run' : 'submit',
      more: random.once(5),
      // A job that is completed from elsewhere gets its time; should its thread end, it needs the signal.
      abort:
        job.order.kind === 'defers' ? { ms: 3000, reason: 'timeout' } : aborted ? abort : undefined,
    };
  }

  #range(): Step {
    const random = this.#random;
    const size = 1 + random.below(2000);
    const kinds = ['marks', 'marks', 'waits', 'throws', 'uncloneable', 'broken'] as const;
    return {
      do: 'range',
      kind: !this.#calm && random.once(4) ? 'exit' : random.pick(kinds),
      size,
      at: random.below(size),
      minChunk: random.below(200),
      idempotent: random.once(3),
      undo: random.once(2),
      abortMs: random.once(4) ? random.below(5) : undefined,
    };
  }

  #map(): Step {
    const random = this.#random;
    const jobs = this.#harmless(60);
    const fails = random.once(3);
    if (fails) jobs.push(this.#job(['throws']), ...this.#harmless(10));
    return {
      do: 'map',
      jobs,
      window: random.pick([1, 2, 8, 64]),
      errors: random.pick(['throw', 'skip', 'collect']),
      bytes: random.once(3) ? 'view' : 'copy',
      stopAfter: random.once(3) ? random.below(jobs.length) : Infinity,
      sourceFailsAfter: random.once(4) ? random.below(jobs.length) : Infinity,
    };
  }

  #stream(): Step {
    const random = this.#random;
    const jobs = this.#harmless(60);
    return {
      do: 'stream',
      web: random.once(2),
      jobs,
      breaks: random.pick(['nothing', 'nothing', 'source', 'sink', 'job']),
      after: random.below(jobs.length),
    };
  }

  #shell(): Step {
    const random = this.#random;
    const jobs = this.#harmless(60);
    const masks = Array.from({ length: random.below(4) }, () => ({
      after: random.below(jobs.length),
      ids: this.#ids(),
    }));
    return { do: 'shell', jobs, masks, serialWorker: random.below(this.#capacity + 1) };
  }
}
