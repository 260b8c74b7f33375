/**
 * The few statistics that the bench table needs.
 */
import type { Summary } from '../bench-result.js';

/**
 * Summarises a series.
 * @param values  at least one number, any unit
 * @throws RangeError when there is none
 */
export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) throw new RangeError('summarize: expected at least one value');
  const sorted = [...values].sort((left, right) => left - right);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const middle = Math.floor(n / 2);
  const median = n % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return {
    n,
    mean,
    stdev: n > 1 ? Math.sqrt(squares / (n - 1)) : 0,
    median,
    min: sorted[0]!,
    max: sorted[n - 1]!,
  };
}

/** Shares of a machine's threads that the padata series was measured with, percent. */
const NODE_PERCENTAGES = [0, 12, 25, 37, 50, 75, 100] as const;

/**
 * Thread counts to measure, each once, ascending, with the share that it stands for.
 * @param maxThreads  1 or more
 * @returns 1 thread first; the last one is `maxThreads`
 */
export function threadSteps(maxThreads: number): { percent: number; threads: number }[] {
  const steps = new Map<number, number>();
  for (const percent of NODE_PERCENTAGES) {
    const threads = Math.max(1, Math.round((maxThreads * percent) / 100));
    if (!steps.has(threads)) {
      steps.set(threads, percent === 0 ? Math.round(100 / maxThreads) : percent);
    }
  }
  if (maxThreads > 0) steps.set(maxThreads, 100);
  return [...steps]
    .map(([threads, percent]) => ({ threads, percent }))
    .sort((left, right) => left.threads - right.threads);
}

/** A chunk of deferred work, as far as its cost goes; times on one clock, milliseconds. */
export interface TimedChunk {
  /** 0 is the calling thread. */
  readonly thread: number;
  readonly startMs: number;
  readonly endMs: number;
}

function byThread(chunks: readonly TimedChunk[]): Map<number, TimedChunk[]> {
  const threads = new Map<number, TimedChunk[]>();
  for (const chunk of chunks.toSorted((a, b) => a.startMs - b.startMs)) {
    threads.set(chunk.thread, [...(threads.get(chunk.thread) ?? []), chunk]);
  }
  return threads;
}

/**
 * How much later than the calling thread the helpers of a pass began, on average: what asking a thread costs.
 * @returns one value; none where nobody helped, or the calling thread had no chunk
 */
export function helperStart(chunks: readonly TimedChunk[]): number[] {
  const threads = byThread(chunks);
  const own = threads.get(0)?.[0]?.startMs;
  const late = [...threads].flatMap(([thread, [first]]) =>
    thread === 0 || own === undefined ? [] : [Math.max(0, first!.startMs - own)],
  );
  return late.length === 0 ? [] : [late.reduce((sum, ms) => sum + ms, 0) / late.length];
}

/**
 * Time between two chunks of a thread, on average: what taking a chunk costs.
 * @returns one value; none where no thread had two chunks
 */
export function chunkCost(chunks: readonly TimedChunk[]): number[] {
  const gaps = [...byThread(chunks).values()].flatMap((own) =>
    own.slice(1).map((chunk, i) => Math.max(0, chunk.startMs - own[i]!.endMs)),
  );
  return gaps.length === 0 ? [] : [gaps.reduce((sum, ms) => sum + ms, 0) / gaps.length];
}
