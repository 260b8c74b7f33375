/**
 * One-shot forms: a series or a range job for the length of one call.
 */
import type { FunctionRef } from '../base/function-ref.js';
import { checkKind } from '../base/options.js';
import type { MultithreadedJob, RangeResult, RangeRunner } from '../range/range-types.js';
import type {
  EntriesOptions,
  JobInput,
  JobResult,
  MapOptions,
  SeriesMaker,
  SeriesOptions,
  Source,
} from '../series/series-types.js';

/** From so many items on, a call takes the window that a series has by default. */
const MANY_ITEMS = 255;

/** Options of `orderedMap` and `map`: those of the series and of the mapping. */
export interface OrderedMapOptions<F> extends Omit<SeriesOptions<F>, 'fn' | 'signal'>, MapOptions {}
/** The same with `entries: true`. */
type WithEntries<F> = OrderedMapOptions<F> & EntriesOptions;

/**
 * Runs a function over every item of a source on the pool's threads; results in the source's order, or with
 * `order: 'none'` each when it is there; at most `window` items read ahead.
 * @param pool    work pool, or another backend's
 * @param source  iterable, async iterable or ReadableStream
 * @param fn      job function
 * @param options of the series and of the mapping; `entries: true` gives `[index, result]`
 */
export function orderedMap<F>(
  pool: SeriesMaker,
  source: Source<JobInput<F>>,
  fn: FunctionRef<F>,
  options: WithEntries<F>,
): AsyncGenerator<[index: number, value: JobResult<F>], void>;
export function orderedMap<F>(
  pool: SeriesMaker,
  source: Source<JobInput<F>>,
  fn: FunctionRef<F>,
  options?: OrderedMapOptions<F>,
): AsyncGenerator<JobResult<F>, void>;
export async function* orderedMap<F>(
  pool: SeriesMaker,
  source: Source<JobInput<F>>,
  fn: FunctionRef<F>,
  options: OrderedMapOptions<F> = {},
): AsyncGenerator<unknown, void> {
  checkKind('options', options, 'an object');
  const { errors, entries, onProgress, signal, ...rest } = options;
  const series = pool.series<F>({
    fn,
    ...windowFor(source),
    ...rest,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    yield* series.map(source, {
      ...(errors === undefined ? {} : { errors }),
      ...(entries === undefined ? {} : { entries }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    const closed = series.close();
    // Whoever aborts waits for nothing: jobs that run on end unseen.
    if (signal?.aborted !== true) await closed;
  }
}

/** A short list needs no more shared memory than it has items, and one, so that the window is never full. */
function windowFor(source: Source<unknown>): { window?: number } {
  return Array.isArray(source) && source.length < MANY_ITEMS ? { window: source.length + 1 } : {};
}

/**
 * Runs a function over an array; resolves with all results in order, or with `order: 'none'` in order of completion.
 * @throws the first failed item's error, or an AggregateError under `errors: 'collect'`
 */
export function map<F>(
  pool: SeriesMaker,
  items: Iterable<JobInput<F>>,
  fn: FunctionRef<F>,
  options: WithEntries<F>,
): Promise<[index: number, value: JobResult<F>][]>;
export function map<F>(
  pool: SeriesMaker,
  items: Iterable<JobInput<F>>,
  fn: FunctionRef<F>,
  options?: OrderedMapOptions<F>,
): Promise<JobResult<F>[]>;
export async function map<F>(
  pool: SeriesMaker,
  items: Iterable<JobInput<F>>,
  fn: FunctionRef<F>,
  options: OrderedMapOptions<F> = {},
): Promise<unknown[]> {
  const results: unknown[] = [];
  for await (const result of orderedMap(pool, items, fn, options)) results.push(result);
  return results;
}

/** Runs a chunk function over [start, end) on the pool's threads and the calling one. */
export function parallelFor<F, V = undefined>(
  pool: RangeRunner,
  start: number,
  end: number,
  threadFn: FunctionRef<F>,
  options: Omit<MultithreadedJob<F, V>, 'threadFn' | 'start' | 'size'> = {},
): Promise<RangeResult<V>> {
  return pool.runMultithreaded<F, V>({ ...options, threadFn, start, size: end - start });
}
