/**
 * Plays beside the series of a round, each with a series or a shell of its own: range jobs, `map`, streams, shells under
 * changing masks. What they give has to be in order and each job's own; what ends them has to be on record.
 */
import type { WorkPool } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isOwn, wrap } from './answers.mjs';
import { deathsOf, isFelled, isWithoutSetup, textOf } from './book.js';
import type { Book, PoolFacts } from './book.js';
import { KINDS, codeOf, detailsOf, jobsModule } from './kinds.js';
import type { Act } from './kinds.js';
import type { JobPlan, Step } from './plan.js';

/** Where a play takes place. */
interface Ground {
  readonly pool: WorkPool;
  readonly facts: PoolFacts;
  readonly book: Book;
  /** `context.shared` of all jobs. */
  readonly board: Int32Array;
}
type StepOf<K extends Step['do']> = Extract<Step, { do: K }>;
const fn = { module: jobsModule, name: 'act' };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** May the job have failed: by itself, or with its thread? */
function mayFail(ground: Ground, { order, form }: JobPlan, error?: unknown): boolean {
  if (order.kind === 'throws') return true;
  if (error !== undefined) return isFelled(ground.facts, order.kind, form, error);
  if (ground.facts.closing) return true;
  return ground.facts.exits.length > 0 && KINDS[order.kind]!.pends === true;
}

/** Results as they come, compared with the jobs: in order, none but those that may have failed left out. */
class Results {
  readonly #ground: Ground;
  readonly #what: string;
  readonly #jobs: readonly JobPlan[];
  #at = 0;

  constructor(ground: Ground, what: string, jobs: readonly JobPlan[]) {
    this.#ground = ground;
    this.#what = what;
    this.#jobs = jobs;
  }

  /** Number of the first job of these, to find the play again. */
  get label(): string {
    return `${this.#what} of jobs ${this.#jobs[0]!.order.id} to ${this.#jobs.at(-1)!.order.id}`;
  }

  take(value: unknown): void {
    for (; this.#at < this.#jobs.length; this.#at += 1) {
      const job = this.#jobs[this.#at]!;
      if (isOwn(job.order, value)) {
        this.#at += 1;
        return;
      }
      if (!mayFail(this.#ground, job)) break;
    }
    const { order } = this.#jobs[Math.min(this.#at, this.#jobs.length - 1)]!;
    this.fault(`at job ${order.id} (${order.kind}, ${order.out}) comes ${textOf(value)}`);
  }

  /** All have come: the rest may only be jobs that failed. */
  end(): void {
    const left = this.#jobs.slice(this.#at).find((job) => !mayFail(this.#ground, job));
    if (left !== undefined) this.fault(`ends before job ${left.order.id} (${left.order.kind})`);
  }

  /** It failed: the next job in order, or one that may fail behind it, may have done so. */
  fail(error: unknown, first = this.#at): void {
    const { order } = this.#jobs[first] ?? this.#jobs.at(-1)!;
    const job = this.#jobs.slice(first).find((other) => mayFail(this.#ground, other, error));
    const isOwnFailure = codeOf(error) === 'ERR_PADATA_JOB_FAILED' && job?.order.kind === 'throws';
    if (isOwnFailure || (job !== undefined && job.order.kind !== 'throws')) return;
    if (this.#ground.facts.closing && codeOf(error) === 'ERR_PADATA_CLOSED') return;
    if (isWithoutSetup(this.#ground.facts, error)) return;
    this.fault(
      `at job ${order.id} (${order.kind}) fails with ${codeOf(error) ?? ''} ${textOf(error)}`,
    );
  }

  fault(text: string): void {
    this.#ground.book.fault(`${this.label}: ${text}`);
  }
}

/** Tells the book of a play from its beginning to its end, and of what it throws. */
async function beside(ground: Ground, label: string, play: () => Promise<void>): Promise<void> {
  try {
    await ground.book.watch(label, play());
  } catch (error) {
    const closed = ground.facts.closing && codeOf(error) === 'ERR_PADATA_CLOSED';
    if (!closed && !isWithoutSetup(ground.facts, error))
      ground.book.fault(`${label}: throws ${codeOf(error) ?? ''} ${textOf(error)}`);
  }
}

/** Codes that a failing chunk of this kind may end its range job with. */
const CHUNK_CODES: Readonly<Record<StepOf<'range'>['kind'], readonly string[]>> = {
  marks: [],
  waits: [],
  throws: ['ERR_PADATA_CHUNK_FAILED'],
  broken: ['ERR_PADATA_CHUNK_FAILED'],
  uncloneable: ['ERR_PADATA_CLONE', 'ERR_PADATA_CHUNK_FAILED'],
  // In the caller it throws instead.
  exit: ['ERR_PADATA_WORKER_DIED', 'ERR_PADATA_CHUNK_FAILED'],
};

/** A range job whose units are counted. */
export function playRange(ground: Ground, step: StepOf<'range'>): Promise<void> {
  const { kind, size, at, minChunk, idempotent, undo, abortMs } = step;
  const label = `range of ${size} (${kind} at ${at})`;
  return beside(ground, label, async () => {
    const marks = new Int32Array(new SharedArrayBuffer(4 * size));
    const reason = new Error('the range is given up');
    const control = new AbortController();
    if (abortMs !== undefined) {
      setTimeout(() => {
        control.abort(reason);
      }, abortMs);
    }
    const count = (wanted: number): number => marks.filter((n) => n === wanted).length;
    const { facts, book } = ground;
    try {
      const { value } = await ground.pool.runMultithreaded({
        threadFn: { module: jobsModule, name: 'chunk' },
        start: 0,
        size,
        minChunk,
        idempotent,
        signal: control.signal,
        arg: { marks, kind, at, board: ground.board },
        initial: 0,
        reduce: (sum: number, units: unknown) => sum + Number(units),
        ...(undo ? { undoFn: { module: jobsModule, name: 'undo' } } : {}),
      });
      const redone = idempotent && deathsOf(facts) > 0;
      if (kind === 'uncloneable') return;
      if (!redone && (count(1) !== size || value !== size)) {
        book.fault(`${label}: ${count(1)} units once, sum ${String(value)}`);
      }
      if (count(0) > 0) book.fault(`${label}: ${count(0)} units missing`);
    } catch (error) {
      const code = `${codeOf(error)}`;
      const felled =
        (kind === 'waits' || facts.closing) && isFelled(facts, 'waits', 'plain', error);
      const right =
        (control.signal.aborted && error === reason) ||
        CHUNK_CODES[kind].includes(code) ||
        felled ||
        isWithoutSetup(facts, error) ||
        (facts.closing && code === 'ERR_PADATA_CLOSED');
      if (!right)
        book.fault(`${label}: ends with ${code} ${textOf(error)} ${textOf(detailsOf(error))}`);
      else if (undo && !facts.closing) {
        // In the caller the chunk that gives what cannot be cloned is completed, without a mark, and undone.
        const left = marks.filter((n) => (kind === 'uncloneable' ? n > 0 : n !== 0)).length;
        if (left > 0) book.fault(`${label}: ${left} units are not undone after ${code}`);
      }
    }
  });
}

/** `map` whose consumer may stop early and whose source may fail. */
export function playMap(ground: Ground, step: StepOf<'map'>): Promise<void> {
  const { jobs, window, errors, bytes, stopAfter, sourceFailsAfter } = step;
  const results = new Results(ground, `map (${errors})`, jobs);
  return beside(ground, results.label, async () => {
    const broken = new Error('the source breaks');
    function* source(): Generator {
      for (const [index, { form, order }] of jobs.entries()) {
        if (index >= sourceFailsAfter) throw broken;
        yield wrap(form, order).input;
      }
    }
    const series = ground.pool.series({ fn, shared: ground.board, window, bytes });
    let taken = 0;
    try {
      for await (const value of series.map(source(), { errors })) {
        results.take(value);
        taken += 1;
        if (taken > stopAfter) break;
      }
      if (taken <= stopAfter && sourceFailsAfter === Infinity) results.end();
    } catch (error) {
      const several = errors === 'collect' && error instanceof AggregateError;
      if (several) for (const one of error.errors) results.fail(one, 0);
      else if (error !== broken) results.fail(error);
    }
    await ground.book.watch(`close of ${results.label}`, series.close());
  });
}

/** A stream through a series that may break at its source, at its end, or at a job. */
export function playStream(ground: Ground, step: StepOf<'stream'>): Promise<void> {
  const { breaks, after, web } = step;
  const jobs = step.jobs.map((job, index) =>
    breaks === 'job' && index === after ? { ...job, order: { ...job.order, kind: 'throws' } } : job,
  );
  const results = new Results(ground, `${web ? 'Web stream' : 'stream'} (${breaks})`, jobs);
  return beside(ground, results.label, async () => {
    const broken = new Error('the stream breaks');
    let taken = 0;
    const take = (value: unknown): void => {
      if (breaks === 'sink' && taken === after) throw broken;
      taken += 1;
      results.take(value);
    };
    function* source(): Generator {
      for (const [index, { form, order }] of jobs.entries()) {
        if (breaks === 'source' && index === after) throw broken;
        yield wrap(form, order).input;
      }
    }
    const series = ground.pool.series({ fn, shared: ground.board, window: 16 });
    try {
      if (web) {
        const items = source();
        const readable = new ReadableStream({
          pull(controller) {
            const item = items.next();
            if (item.done === true) controller.close();
            else controller.enqueue(item.value);
          },
        });
        const sink = new WritableStream({ write: take });
        await readable.pipeThrough(series.transform()).pipeTo(sink);
      } else {
        const sink = new Writable({
          objectMode: true,
          write(value, _encoding, done) {
            try {
              take(value);
              done();
            } catch (error) {
              done(error as Error);
            }
          },
        });
        await pipeline(Readable.from(source()), series.duplex(), sink);
      }
      if (breaks === 'nothing') results.end();
      else if (breaks !== 'sink' || taken > after) results.fault('it has not broken');
    } catch (error) {
      if (error !== broken) results.fail(error);
    }
    await ground.book.watch(`close of ${results.label}`, series.close());
  });
}

/** Jobs of one shell while the mask of its parallel workers changes: in order within each mask, none lost. */
export function playShell(ground: Ground, step: StepOf<'shell'>): Promise<void> {
  const { jobs, masks, serialWorker } = step;
  const label = `shell of jobs ${jobs[0]!.order.id} to ${jobs.at(-1)!.order.id}`;
  return beside(ground, label, async () => {
    const instance = createPadata(ground.pool);
    const shell = instance.createShell<Act>({ parallel: fn, shared: ground.board, window: 16 });
    await shell.ready();
    let mask = 0;
    const lastOf = new Map<number, number>();
    for (const [index, job] of jobs.entries()) {
      const change = masks.find(({ after }) => after === index);
      if (change !== undefined) {
        mask += 1;
        await instance.setWorkers('parallel', change.ids);
      }
      const given = mask;
      const key = {};
      const submit = (): void => {
        const { input, transfer } = wrap(job.form, job.order);
        shell.submit({
          input,
          serialWorker,
          ...(transfer === undefined ? {} : { transfer }),
          serial: (error, value) => {
            if (!ground.book.end(key))
              ground.book.fault(`${label}: job ${job.order.id} comes twice`);
            if (index < (lastOf.get(given) ?? -1)) {
              ground.book.fault(`${label}: job ${job.order.id} is out of order`);
            }
            lastOf.set(given, index);
            const right =
              error === undefined
                ? KINDS[job.order.kind]!.comesTo(job.order, { failed: false, value })
                : mayFail(ground, job, error) ||
                  isWithoutSetup(ground.facts, error) ||
                  ground.facts.closing;
            if (right) return;
            ground.book.fault(`${label}: job ${job.order.id} comes to ${textOf(error ?? value)}`);
          },
        });
      };
      ground.book.begin(key, `${label}: job ${job.order.id}`);
      // Refused while masks change, and while none of its workers is there: nothing has happened then.
      for (let tries = 0; ; tries += 1) {
        try {
          submit();
          break;
        } catch (error) {
          const refused = ['ERR_PADATA_BUSY', 'ERR_PADATA_INVALID'].includes(`${codeOf(error)}`);
          if (!refused || tries === 3) ground.book.end(key);
          if (!refused) throw error;
          if (tries === 3) break;
          await turn();
        }
      }
    }
    await ground.book.watch(`drain of ${label}`, shell.drain());
    instance.close();
  });
}
