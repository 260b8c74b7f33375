/**
 * `npm run soak -- padata`: ordered jobs by the hundred million with random delays, mask changes, threads that come and go and threads
 * that are killed, range jobs in between. Every callback has to come exactly once and in order, with the
 * right value. Ends by itself after --minutes, or after so many --jobs and --kills if these are given.
 */
import { createWorkPool } from '@bootmem/padata';
import type { Series } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';
import { integer, number, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';

const module = new URL('./jobs.mjs', import.meta.url);
type Work = (n: number) => number;

const {
  minutes: given,
  seed,
  jobs,
  kills: leastKills,
} = readOptions(
  { name: 'soak -- padata', about: 'Ordered jobs while threads come, go and are killed.' },
  {
    minutes: number(undefined, 'ends after so many, default 1, with --jobs 600'),
    seed: integer(1, 'default 1'),
    jobs: number(Infinity, 'ends after so many jobs'),
    kills: integer(0, 'and not before so many kills'),
  },
).values;
const minutes = given ?? (jobs === Infinity ? 1 : 600);
const random = new Random(seed);
const log = new RunLog('padata');
let kills = 0;
let ranges = 0;
let generations = 0;

function violation(text: string): void {
  log.fault(`VIOLATION: ${text}`);
}

function textOf(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}

function over(): boolean {
  if (log.faults > 1000 || log.over(minutes)) return true;
  return log.done >= jobs && kills >= leastKills;
}

const pool = createWorkPool({ threads: 2, capacity: 4, name: 'soak' });
await pool.ready();
/** Pushes `count` jobs through a series as fast as its window allows. */
async function stream(
  series: Series<Work>,
  count: number,
  value: (i: number) => number,
  expected: (n: number) => number,
): Promise<void> {
  let next = 0;
  let got = 0;
  const first = { seq: -1 };
  await new Promise<void>((resolve) => {
    const callback = (error: unknown, result: number | undefined, seq: number): void => {
      if (first.seq < 0) first.seq = seq;
      if (error !== undefined) violation(`job ${seq}: ${textOf(error)}`);
      else if (seq !== (first.seq + got) >>> 0) violation(`seq ${seq} at place ${got}`);
      else if (result !== expected(value(got))) violation(`job ${seq} gave ${String(result)}`);
      got += 1;
      if (got === count) resolve();
      else submit();
    };
    const submit = (): void => {
      while (next < count && next - got < series.window) {
        series.submit(value(next), callback, undefined, random.below(4) === 0);
        next += 1;
      }
    };
    submit();
  });
  log.done += count;
}

/** Jobs of which some kill their thread: those fail, all others do not, and the order holds. */
async function massacre(series: Series<Work>): Promise<void> {
  const places = new Set(Array.from({ length: 1 + random.below(3) }, () => random.below(200)));
  let place = 0;
  const done: Promise<void>[] = [];
  for (let i = 0; i < 200; i += 1) {
    const fatal = places.has(i);
    done.push(
      new Promise((resolve) => {
        const callback = (error: unknown, result: number | undefined): void => {
          if (place !== i) violation(`callback ${i} at place ${place}`);
          place += 1;
          const died = (error as { code?: string } | undefined)?.code === 'ERR_PADATA_WORKER_DIED';
          if (fatal ? !died : result !== i) violation(`job ${i}: ${textOf(error ?? result)}`);
          resolve();
        };
        series.submit(fatal ? -1 : i, callback, undefined, i % 7 > 2);
      }),
    );
  }
  await Promise.all(done);
  kills += places.size;
  log.done += 200;
}

/** Shells under changing masks and a changing number of threads. */
async function storm(): Promise<void> {
  const instance = createPadata(pool);
  const shell = instance.createShell<Work>({ parallel: { module, name: 'patient' }, window: 32 });
  const counts = new Map<number, number>();
  let accepted = 0;
  for (let i = 0; i < 300; i += 1) {
    if (random.below(40) === 0) {
      const ids = [1, 2, 3, 4].filter(() => random.below(4) === 0);
      void instance.setWorkers('parallel', [1, ...ids]);
      generations += 1;
    }
    if (random.below(60) === 0) pool.resize(1 + random.below(4));
    try {
      const id = i;
      shell.submit({
        input: id,
        serialWorker: random.below(3),
        serial(error, result) {
          if (error !== undefined || result !== id)
            violation(`storm ${id}: ${textOf(error ?? result)}`);
          counts.set(id, (counts.get(id) ?? 0) + 1);
        },
      });
      accepted += 1;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code !== 'ERR_PADATA_BUSY' && code !== 'ERR_PADATA_INVALID') violation(textOf(error));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await shell.drain();
  if (counts.size !== accepted) violation(`${counts.size} of ${accepted} storm jobs came back`);
  for (const [id, n] of counts) if (n !== 1) violation(`storm ${id} came ${n} times`);
  log.done += accepted;
  instance.close();
  pool.resize(2);
  await pool.ready();
}

async function rangeJob(): Promise<void> {
  const size = 1 + random.below(5000);
  const marks = new SharedArrayBuffer(size * 4);
  await pool.runMultithreaded({
    threadFn: { module, name: 'mark' },
    arg: { marks },
    start: 0,
    size,
    align: 1 + random.below(64),
    minChunk: random.below(200),
  });
  if (!new Int32Array(marks).every((n) => n === 1)) violation(`range of ${size} not covered once`);
  ranges += 1;
}

const first = pool.seriesFrom<Work>({ fn: { module, name: 'work' }, window: 1024 }, 0xffff_0000);
const fragile = pool.series<Work>({ fn: { module, name: 'fragile' }, window: 64 });
await first.ready();
while (!over()) {
  await stream(
    first,
    200_000,
    (i) => (i * 40503) >>> 0,
    (n) => (n ^ 0x5bd1e995) >>> 0,
  );
  await rangeJob();
  await massacre(fragile);
  if (random.below(4) === 0) await storm();
  log.tick(`${kills} kills, ${ranges} ranges, ${generations} generations`);
}
const left = first.stats().inFlight + fragile.stats().inFlight;
if (left !== 0) violation(`${left} jobs were left`);
if (pool.stats().freeWorks !== pool.stats().works) violation('works are missing');
await first.close();
await fragile.close();
await pool.close();
console.log(`${kills} kills, ${ranges} ranges, ${generations} mask changes, seed ${seed}`);
log.finish();
