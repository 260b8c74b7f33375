/**
 * The books of the hostile soak: which promises are out, what each job came to, and whether it may have come to that.
 *
 * A job's outcome is right when its kind says so; or when something from outside has ended it, which then must be on
 * record: its own abort, the end of its series, the end of a thread on which it can have been pending.
 */
import { inspect } from 'node:util';
import type { Order } from './answers.mjs';
import { KINDS, codeOf, detailsOf } from './kinds.js';
import type { Outcome } from './kinds.js';

/** What is on record of a pool. */
export interface PoolFacts {
  /** Threads that ended; `expected`: they were asked to leave, and may have died of a job before they could. */
  readonly exits: {
    readonly worker: number;
    readonly exitCode: number;
    readonly expected: boolean;
  }[];
  /**
   * Threads that may have been ended at most, as they ran what was asked to stop: whoever does not do so within `graceMs`, however short that
   * is and whatever keeps the machine busy, loses its thread.
   */
  asked: number;
  closing: boolean;
  /** Some of its threads cannot be set up. */
  readonly isShaky: boolean;
  /** It had no threads, at least for a time: the calling thread may have run jobs. */
  alone: boolean;
}

/** What is on record of a series. */
export interface SeriesFacts {
  readonly pool: PoolFacts;
  readonly name: string;
  /** Its outcomes are told in order of submission. */
  readonly hasOrder: boolean;
  readonly mayRunHere: boolean;
  readonly mayBeFull: boolean;
  readonly mayHalt: boolean;
  /** Threads that its module ends; -1 = it throws. */
  readonly deathsAtLoad: number;
  /** Reasons that it was ended with; undefined stands for none given. */
  readonly ended: unknown[];
  /** Place in the order of the job that came last, of those that were run, and of those with a callback. */
  readonly last: { run: number; submit: number };
}

/** A job on record; the object itself stands for it. */
export interface Job {
  readonly order: Order;
  readonly form: string;
  readonly way: 'run' | 'submit';
  readonly series: SeriesFacts;
  /** Place in the order of its series; jobs that were never accepted are in no order. */
  readonly place: number;
  /** Its signal and the reason that it was given; undefined stands for none. */
  readonly abort: { readonly signal: AbortSignal; readonly reason: unknown } | undefined;
  /** It was refused where it was submitted, so it has no place in the order: `submit` throws, `run` rejects at once. */
  refused: boolean;
}

/** Any promise that is out. */
interface Open {
  readonly label: string;
  readonly since: number;
}

/** Threads that have died, as far as one can tell. */
export function deathsOf({ exits }: PoolFacts): number {
  return exits.filter(({ expected, exitCode }) => !expected || exitCode !== 0).length;
}

/**
 * Threads among them that a function has ended with code 0. One that was asked to leave before is not: with that code it looks as
 * one that left by itself.
 */
export function endsBy0({ exits }: PoolFacts): number {
  return exits.filter(({ expected, exitCode }) => !expected && exitCode === 0).length;
}

/** Can a job of this kind, sent in this form, have ended with another one's thread, and is that the error? */
export function isFelled(pool: PoolFacts, kind: string, form: string, error: unknown): boolean {
  if (codeOf(error) !== 'ERR_PADATA_WORKER_DIED') return false;
  if (pool.closing) return true;
  const { pends, deadly } = KINDS[kind]!;
  const { worker, exitCode } = detailsOf(error);
  const felled = pool.exits.some((exit) => exit.worker === worker && exit.exitCode === exitCode);
  if (!felled) return false;
  // Its input has gone with a thread that died; one that leaves has run what it was given.
  return pends === true || deadly === true || (form === 'moved' && deathsOf(pool) > 0);
}

/** May it be that no thread could be set up, and is that the error? */
export function isWithoutSetup({ isShaky }: PoolFacts, error: unknown): boolean {
  return isShaky && codeOf(error) === 'ERR_PADATA_SETUP';
}

/** What functions give that stop because they were asked to. */
const GIVEN_UP = -1;

function isReason(error: unknown, reason: unknown): boolean {
  return reason === undefined
    ? (error as Error | undefined)?.name === 'AbortError'
    : error === reason;
}

/** Was it not accepted, or ended with its series? */
function isRefused(series: SeriesFacts, outcome: Outcome): boolean {
  if (!outcome.failed) return false;
  const { error } = outcome;
  const code = codeOf(error);
  return (
    series.ended.some((reason) => isReason(error, reason)) ||
    (code === 'ERR_PADATA_HALTED' && series.mayHalt) ||
    (code === 'ERR_PADATA_FULL' && series.mayBeFull) ||
    (code === 'ERR_PADATA_CLOSED' && series.pool.closing)
  );
}

/** Does it say that its module does not load, and does it not? */
function isWithoutModule({ deathsAtLoad, mayRunHere }: SeriesFacts, outcome: Outcome): boolean {
  if (!outcome.failed || codeOf(outcome.error) !== 'ERR_PADATA_MODULE') return false;
  return deathsAtLoad < 0 || deathsAtLoad >= 3 || (deathsAtLoad > 0 && mayRunHere);
}

/** What is wrong with this outcome; undefined = nothing. */
function judge(job: Job, outcome: Outcome): string | undefined {
  const { order, form, series, abort } = job;
  const kind = KINDS[order.kind]!;
  if (abort?.signal.aborted === true) {
    const reason: unknown = abort.reason ?? abort.signal.reason;
    if (outcome.failed && isReason(outcome.error, reason)) return undefined;
    // It may have been refused before, in the same turn.
    const refused = order.kind === 'unsendable' && kind.comesTo(order, outcome);
    if (refused || isRefused(series, outcome) || isWithoutModule(series, outcome)) return undefined;
    if (outcome.failed && isWithoutSetup(series.pool, outcome.error)) return undefined;
    return 'not the reason of its abort';
  }
  if (kind.comesTo(order, outcome)) return undefined;
  if (!outcome.failed) {
    // In the calling thread a result is handed over as it is.
    if (order.kind.startsWith('uncloneable') && series.mayRunHere) return undefined;
    // The end of a series asks what runs to stop; what it gives then is its result.
    const wasAsked = series.ended.length > 0 || series.mayHalt || series.pool.closing;
    const gaveUp = order.kind.startsWith('polite') && outcome.value === GIVEN_UP;
    return gaveUp && wasAsked ? undefined : 'a result that is not its own';
  }
  const { error } = outcome;
  const excused =
    isRefused(series, outcome) ||
    isFelled(series.pool, order.kind, form, error) ||
    isWithoutSetup(series.pool, error) ||
    (kind.deadly === true && series.mayRunHere && (error as Error).message.startsWith('spared')) ||
    isWithoutModule(series, outcome);
  return excused ? undefined : 'an error that is not its own';
}

/** In words, for a report. */
function said(outcome: Outcome): string {
  if (!outcome.failed) return textOf(outcome.value);
  return `${codeOf(outcome.error) ?? 'no code'}: ${textOf(outcome.error)}`;
}

/** Text of anything, however hostile. */
export function textOf(value: unknown): string {
  try {
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    return inspect(value, { depth: 1, breakLength: Infinity }).slice(0, 200);
  } catch {
    return 'something without text';
  }
}

/** What is out, and what was wrong. */
export class Book {
  settled = 0;
  readonly #open = new Map<object, Open>();
  readonly #report: (text: string) => void;
  readonly #boundMs: number;
  #idle: (() => void)[] = [];

  /** When something moved last. */
  #moved = performance.now();

  /** @param boundMs time within which a promise has to settle, or something else has to move */
  constructor(report: (text: string) => void, boundMs: number) {
    this.#report = report;
    this.#boundMs = boundMs;
    // Unreferenced: nothing but padata is to keep the process alive.
    setInterval(() => {
      this.#sweep();
    }, 250).unref();
  }

  /** Promises that are out, by label. */
  get open(): string[] {
    return [...this.#open.values()].map(({ label }) => label);
  }

  /** Is this promise out? */
  isOpen(key: object): boolean {
    return this.#open.has(key);
  }

  /** A fault. */
  fault(text: string): void {
    this.#report(text);
  }

  /** A promise is out from now on. */
  begin(key: object, label: string): void {
    this.#open.set(key, { label, since: performance.now() });
  }

  /**
   * Something goes on: a promise has settled, a thread has ended. On a machine that is busy otherwise threads that are
   * ended one after another, for jobs that are run again, take their time; but all that is out is waited for, so when
   * nothing moves any more, what is lost is seen.
   */
  move(): void {
    this.#moved = performance.now();
  }

  /** It has settled; false = it was not out (any more). */
  end(key: object): boolean {
    this.move();
    const was = this.#open.delete(key);
    if (was) this.settled += 1;
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    return was;
  }

  /** Follows a promise under a label; gives what `promise` gives. */
  async watch<T>(label: string, promise: Promise<T>): Promise<T> {
    const key = {};
    this.begin(key, label);
    try {
      return await promise;
    } finally {
      this.end(key);
    }
  }

  /** Resolves when nothing is out. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** A job is out. */
  beginJob(job: Job): void {
    this.begin(job, this.#nameOf(job));
  }

  /** A job has come to its end. */
  endJob(job: Job, outcome: Outcome): void {
    if (!this.end(job)) {
      this.fault(`${this.#nameOf(job)}: it ends twice, or after its time: ${said(outcome)}`);
      return;
    }
    const wrong = judge(job, outcome);
    if (wrong !== undefined) this.fault(`${this.#nameOf(job)}: ${wrong}: ${said(outcome)}`);
    this.#checkOrder(job);
  }

  #checkOrder(job: Job): void {
    const { series, way, place, abort } = job;
    // These two alone are in no order; all that was accepted is, whatever ends it.
    if (!series.hasOrder || job.refused || abort?.signal.aborted === true) return;
    if (place < series.last[way]) {
      this.fault(`${this.#nameOf(job)}: out of order, place ${place} after ${series.last[way]}`);
    }
    series.last[way] = Math.max(series.last[way], place);
  }

  #nameOf({ order, form, way, series }: Job): string {
    const { id, kind, variant, out } = order;
    return `job ${id} (${kind} ${variant}, ${form} in, ${out} out, ${way}, ${series.name})`;
  }

  #sweep(): void {
    const before = performance.now() - this.#boundMs;
    if (this.#moved > before) return;
    for (const [key, { label, since }] of this.#open) {
      if (since > before) continue;
      this.fault(`${label}: lost, nothing has ended in ${this.#boundMs / 1000} s`);
      this.end(key);
    }
  }
}
