/**
 * A module's functions as if they were here: an object whose members run in the pool's threads.
 *
 * ```
 *   wrap<typeof import('./jobs.js')>(pool, url).seal(bytes)  ─▶  series of { module: url, name: 'seal' } ─ run(bytes)
 * ```
 * One series a function, made at its first call. Types are those of the module as they cross threads; at run time nothing is
 * known of it until a thread imports it.
 */
import { PadataError } from '../base/errors.js';
import { moduleHref } from '../base/function-ref.js';
import { checkKind } from '../base/options.js';
import type {
  JobInput,
  JobOptions,
  JobResult,
  OrderedJobs,
  SeriesMaker,
  SeriesOptions,
} from '../series/series-types.js';
import type { JobContext } from '../slot/job-context.js';

/** Parameters of a function; never of anything else. */
type ParametersOf<F> = F extends (...parameters: infer P) => unknown ? P : never;
/** What a function takes for its context; any context where it takes none. */
type ContextOf<F> = ParametersOf<F> extends [unknown?, (infer C)?, ...unknown[]] ? C : unknown;
/** Can a thread call it: with an input or none, then the context or nothing? */
type IsJob<F> = F extends (...parameters: never[]) => unknown
  ? ParametersOf<F> extends [unknown?, unknown?]
    ? JobContext<never, never> extends ContextOf<F>
      ? true
      : false
    : false
  : false;
/** Arguments of a member. */
type CallOf<F> =
  ParametersOf<F> extends []
    ? [input?: undefined, options?: JobOptions]
    : undefined extends JobInput<F>
      ? [input?: JobInput<F>, options?: JobOptions]
      : [input: JobInput<F>, options?: JobOptions];
/** The functions of module `M` as they are called from here. */
type Wrapped<M> = {
  readonly [K in keyof M as IsJob<M[K]> extends true ? K : never]: (
    ...call: CallOf<M[K]>
  ) => Promise<JobResult<M[K]>>;
};

/** A function of what a function's context has as `shared`: a union of those infers what fits all. */
type TakesShared<F> =
  IsJob<F> extends true
    ? unknown extends ContextOf<F>
      ? never
      : ContextOf<F> extends JobContext<infer S>
        ? (shared: S) => void
        : never
    : never;
type TakeShared<M> = { [K in keyof M]: TakesShared<M[K]> }[keyof M];
/** What all functions of module `M` can have as `shared`; unknown = whatever there is. */
type SharedOf<M> = [TakeShared<M>] extends [never]
  ? unknown
  : TakeShared<M> extends (shared: infer S) => void
    ? S
    : unknown;

type WrapOptions<M> = Omit<SeriesOptions, 'fn' | 'bytes' | 'shared'> &
  (unknown extends SharedOf<M> ? { readonly shared?: unknown } : { readonly shared: SharedOf<M> });
/** The options may be left out where nothing of them is needed. */
type WrapArguments<M> =
  unknown extends SharedOf<M> ? [options?: WrapOptions<M>] : [options: WrapOptions<M>];

/** Makes the series behind the members of one module. */
class WrappedModule {
  readonly #make: (name: string) => OrderedJobs<unknown, unknown>;
  readonly #series = new Map<string, OrderedJobs<unknown, unknown>>();
  readonly #members = new Map<string, (input: unknown, options?: JobOptions) => Promise<unknown>>();
  #isClosed = false;

  constructor(make: (name: string) => OrderedJobs<unknown, unknown>) {
    this.#make = make;
  }

  member(name: string): (input: unknown, options?: JobOptions) => Promise<unknown> {
    let member = this.#members.get(name);
    if (member === undefined) {
      member = async (input, options) => await this.#of(name).run(input, options);
      this.#members.set(name, member);
    }
    return member;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#series.values()].map((series) => series.close()));
  }

  #of(name: string): OrderedJobs<unknown, unknown> {
    let series = this.#series.get(name);
    if (series === undefined) {
      // A member that was not called before has no series that says so.
      if (this.#isClosed) {
        throw new PadataError('ERR_PADATA_CLOSED', 'the wrapped module was closed');
      }
      series = this.#make(name);
      this.#series.set(name, series);
    }
    return series;
  }
}

/**
 * The functions of a module as members that run in a pool's threads and give promises: `Buffer` arrives as `Uint8Array`,
 * promises are unwrapped, a function's second parameter is its context, so a member takes the options of a job there. What is
 * no function, and functions that no job can be, are no members.
 * @param pool    work pool, or another backend's (over NATS give `order: 'submission'`)
 * @param module  absolute URL of the module, as for every function reference
 * @param options of the series behind the members, `order: 'none'` unless they say otherwise; `shared` must fit the context of
 *                every function
 * @returns an object with the members; `await using` or its `Symbol.asyncDispose` waits for what is under way and closes the
 *          series. A member named `then` cannot be reached.
 * @throws ERR_PADATA_ARGUMENT; the members reject as `run` of a series does, ERR_PADATA_MODULE for a name that the module
 *         does not export as a function
 * @example const jobs = wrap<typeof import('./jobs.js')>(pool, new URL('./jobs.js', import.meta.url));
 */
export function wrap<M>(
  pool: SeriesMaker,
  module: string | URL,
  ...[options]: WrapArguments<M>
): Wrapped<M> & AsyncDisposable {
  checkKind('options', options, 'an object');
  moduleHref({ module, name: 'wrap' });
  const wrapped = new WrappedModule((name) =>
    pool.series<unknown>({ order: 'none', ...options, fn: { module, name } }),
  );
  return new Proxy(Object.freeze({}), {
    get(_target, name) {
      if (name === Symbol.asyncDispose) return () => wrapped.close();
      // Whoever awaits the object, or prints it, asks for names that no module means.
      return typeof name === 'symbol' || name === 'then' ? undefined : wrapped.member(name);
    },
    set(_target, name) {
      throw new PadataError(
        'ERR_PADATA_ARGUMENT',
        `the functions of a module cannot be replaced from here, got a value for ${String(name)}`,
      );
    },
  }) as Wrapped<M> & AsyncDisposable;
}
