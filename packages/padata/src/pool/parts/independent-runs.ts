/**
 * `pool.run`: requests that have nothing to do with each other, each of any function. One series without an order per
 * function and priority, made when it is first asked for.
 *
 * A series that nothing has asked for lately is closed when there are many: a program may name ever new modules.
 */
import type { PadataError } from '../../base/errors.js';
import { moduleHref } from '../../base/function-ref.js';
import type { FunctionRef } from '../../base/function-ref.js';
import type { Priority } from '../../levels/levels.js';
import { checkPriority } from '../../series/series-options.js';
import type { JobInput, JobOptions, JobResult, SeriesOptions } from '../../series/series-types.js';
import type { Series } from '../../series/series.js';

/** Functions whose series are kept though nothing of them is under way. */
const KEPT = 32;

/** Options of one independent job. */
export interface RunOptions extends JobOptions {
  /** As that of a series. */
  readonly priority?: Priority;
}

type AnyFunction = (input: never) => unknown;

/** Makes series of one pool. */
interface SeriesOf {
  series(options: SeriesOptions<AnyFunction>): Series<AnyFunction>;
}

/** The series behind `pool.run`. */
export class IndependentRuns {
  readonly #pool: SeriesOf;
  /** By module and export, the one used last at the end. */
  readonly #series = new Map<string, Series<AnyFunction>>();

  constructor(pool: SeriesOf) {
    this.#pool = pool;
  }

  /** See `WorkPool.run`. */
  run<F>(
    ref: FunctionRef<F>,
    input: JobInput<F>,
    options: RunOptions | undefined,
  ): Promise<JobResult<F>> {
    // A mistake among the other options is told by the series.
    const captures = options?.onOutput !== undefined;
    const fn = ref as FunctionRef<AnyFunction>;
    if (options?.priority === undefined) {
      const series = this.#of(fn, 'normal', captures);
      return series.run(input as never, options) as Promise<JobResult<F>>;
    }
    const { priority, ...rest } = options;
    checkPriority(priority);
    return this.#of(fn, priority, captures).run(input as never, rest) as Promise<JobResult<F>>;
  }

  #of(fn: FunctionRef<AnyFunction>, priority: Priority, captures: boolean): Series<AnyFunction> {
    const key = `${moduleHref(fn)}\0${fn.name}\0${priority}\0${captures}`;
    let series = this.#series.get(key);
    // Threads that could not be set up are tried again: what they lacked then may be there now.
    if ((series?.failure as Partial<PadataError> | undefined)?.code === 'ERR_PADATA_SETUP') {
      void series!.close();
      this.#series.delete(key);
      series = undefined;
    }
    if (series === undefined) {
      series = this.#pool.series({ fn, order: 'none', priority, captureOutput: captures });
      this.#makeRoom();
    } else this.#series.delete(key);
    this.#series.set(key, series);
    return series;
  }

  /** Closes what was idle for longest. */
  #makeRoom(): void {
    if (this.#series.size < KEPT) return;
    for (const [key, series] of this.#series) {
      if (series.inFlight > 0) continue;
      this.#series.delete(key);
      void series.close();
      return;
    }
  }
}
