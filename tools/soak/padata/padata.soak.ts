/**
 * npm run soak -- padata [--minutes M] [--seed S] [--jobs N] [--kills K]
 *
 * Ordered jobs by the hundred million with random delays, mask changes, threads that come and go and threads
 * that are killed, range jobs in between. Every callback has to come exactly once and in order, with the
 * right value. Ends by itself after M minutes, or after N jobs and K kills if these are given.
 */
import { createWorkPool } from '@bootmem/padata';
import type { Series } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';

const module = new URL('./jobs.mjs', import.meta.url);
type Work = (n: number) => number;

function option(name: string): number | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
}

/** Small generator of repeatable random numbers (xorshift32). */
function randomFrom(seed: number): (below: number) => number {
  let x = seed | 0 || 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

const seed = option('seed') ?? 1;
const jobLimit = option('jobs');
const killLimit = option('kills');
const minutes = option('minutes') ?? (jobLimit === undefined ? 1 : 600);
const deadline = Date.now() + minutes * 60_000;
const random = randomFrom(seed);
let violations = 0;
let operations = 0;
let kills = 0;
let ranges = 0;
let generations = 0;

function violation(text: string): void {
  violations += 1;
  if (violations <= 20) console.error(`VIOLATION: ${text}`);
}

function textOf(value: unknown): string {
  return value instanceof Error ? value.message : JSON.stringify(value);
}

function over(): boolean {
  if (violations > 1000 || Date.now() > deadline) return true;
  if (jobLimit === undefined) return false;
  return operations >= jobLimit && kills >= (killLimit ?? 0);
}

const pool = createWorkPool({ threads: 2, capacity: 4, name: 'soak' });
await pool.ready();
let lastLine = Date.now();
function progress(): void {
  if (Date.now() - lastLine < 60_000) return;
  lastLine = Date.now();
  console.log(
    `${operations} jobs, ${kills} kills, ${ranges} ranges, ${generations} generations, ${violations} violations`,
  );
}

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
        series.submit(value(next), callback, undefined, random(4) === 0);
        next += 1;
      }
    };
    submit();
  });
  operations += count;
}

/** Jobs of which some kill their thread: those fail, all others do not, and the order holds. */
async function massacre(series: Series<Work>): Promise<void> {
  const places = new Set(Array.from({ length: 1 + random(3) }, () => random(200)));
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
  operations += 200;
}

/** Shells under changing masks and a changing number of threads. */
async function storm(): Promise<void> {
  const instance = createPadata(pool);
  const shell = instance.createShell<Work>({ parallel: { module, name: 'patient' }, window: 32 });
  const counts = new Map<number, number>();
  let accepted = 0;
  for (let i = 0; i < 300; i += 1) {
    if (random(40) === 0) {
      const ids = [1, 2, 3, 4].filter(() => random(4) === 0);
      void instance.setWorkers('parallel', [1, ...ids]);
      generations += 1;
    }
    if (random(60) === 0) pool.resize(1 + random(4));
    try {
      const id = i;
      shell.submit({
        input: id,
        serialWorker: random(3),
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
  operations += accepted;
  instance.close();
  pool.resize(2);
  await pool.ready();
}

async function rangeJob(): Promise<void> {
  const size = 1 + random(5000);
  const marks = new SharedArrayBuffer(size * 4);
  await pool.runMultithreaded({
    threadFn: { module, name: 'mark' },
    arg: { marks },
    start: 0,
    size,
    align: 1 + random(64),
    minChunk: random(200),
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
  if (random(4) === 0) await storm();
  progress();
}
const left = first.stats().inFlight + fragile.stats().inFlight;
if (left !== 0) violation(`${left} jobs were left`);
if (pool.stats().freeWorks !== pool.stats().works) violation('works are missing');
await first.close();
await fragile.close();
await pool.close();
console.log(`${kills} kills, ${ranges} ranges, ${generations} mask changes, seed ${seed}`);
console.log(`padata: ${operations} operations, ${violations} violations`);
process.exitCode = violations === 0 ? 0 : 1;
