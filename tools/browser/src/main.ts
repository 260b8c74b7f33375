/** The tests that run on the page; `globalThis.results` holds what came of them. */
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, ZoneIndex } from '@bootmem/memmap';
import { createWorkPool, orderedMap, provideModule, type WorkPool } from '@bootmem/padata';
import * as jobs from './jobs.js';
import { sumSquares } from './jobs.js';
import type { MemoryTask } from './memory.worker.js';
import { jobsWorker, memoryWorker } from './workers.js';

declare const crossOriginIsolated: boolean;

const THREADS = 3;
const tests: { name: string; run: () => Promise<void> }[] = [];
const test = (name: string, run: () => Promise<void>): void => {
  tests.push({ name, run });
};
const equal = (got: unknown, expected: unknown, what: string): void => {
  if (JSON.stringify(got) !== JSON.stringify(expected)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  }
};

provideModule('app:jobs', { ...jobs });
const openPool = (): WorkPool =>
  createWorkPool({
    threads: THREADS,
    worker: jobsWorker,
  });

test('ordered map gives results in input order', async () => {
  const pool = openPool();
  const results: unknown[] = [];
  const source = Array.from({ length: 500 }, (_, i) => i);
  for await (const result of orderedMap(pool, source, { module: 'app:jobs', name: 'square' }, {})) {
    results.push(result);
  }
  equal(
    results,
    source.map((i) => i * i),
    'results',
  );
  await pool.close();
});

test('a range job covers its range exactly once', async () => {
  const pool = openPool();
  await pool.ready();
  const size = 3_000_000;
  const { value, workers } = await pool.runMultithreaded({
    threadFn: { module: 'app:jobs', name: 'sumSquares' },
    arg: undefined,
    start: 0,
    size,
    minChunk: 1000,
    initial: 0,
    reduce: (sum: number, part: unknown) => sum + (part as number),
  });
  equal(value, sumSquares(0, size), 'sum');
  equal(
    workers.reduce((sum, worker) => sum + worker.units, 0),
    size,
    'units over all workers',
  );
  await pool.close();
});

const PAGES = 32_768;
const machine = (): PageAllocator => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: PAGES }] });
  const allocator = PageAllocator.create(memmap, [
    { nid: 0, zone: 'Normal', startPfn: 0, endPfn: PAGES, presentPages: PAGES },
  ]);
  memmap.initRange(0, PAGES, memmap.zones.idOf(0, ZoneIndex.NORMAL)!);
  allocator.freeBlocks(0, PAGES);
  return allocator;
};

test('the allocator works on the page itself', () => {
  const allocator = machine();
  const first = allocator.allocPages(3);
  const second = allocator.allocPages(0);
  if (first === undefined || second === undefined) throw new Error('no page');
  if (second >= first && second < first + 8) throw new Error('page given out twice');
  allocator.freePages(first, 3);
  allocator.freePages(second, 0);
  allocator.drain();
  equal(allocator.zones[0]!.core.freePages, PAGES, 'free pages');
  return Promise.resolve();
});

if (crossOriginIsolated) {
  test('several workers allocate from one zone, and no page is owned twice', async () => {
    const allocator = machine();
    const owners = new Int32Array(new SharedArrayBuffer(4 * PAGES));
    const collisions = await Promise.all(
      Array.from({ length: THREADS }, (_, index) => {
        const worker = memoryWorker();
        return new Promise<number>((resolve, reject) => {
          worker.onmessage = ({ data }) => {
            worker.terminate();
            resolve(data.collisions);
          };
          worker.onerror = ({ message }) => {
            reject(new Error(message));
          };
          const task: MemoryTask = {
            allocator: allocator.toHandle(),
            owners,
            self: index + 1,
            rounds: 20_000,
          };
          worker.postMessage(task);
        });
      }),
    );
    equal(collisions, [0, 0, 0], 'pages owned twice');
    equal(allocator.zones[0]!.core.freePages, PAGES, 'free pages at the end');
    equal(
      owners.some((owner) => owner !== 0),
      false,
      'pages still owned',
    );
  });
}

const results: { name: string; error?: string }[] = [];
for (const { name, run } of tests) {
  try {
    await Promise.race([
      run(),
      new Promise((_, reject) => {
        setTimeout(() => {
          reject(new Error('did not finish within 30 s'));
        }, 30_000);
      }),
    ]);
    results.push({ name });
  } catch (error) {
    results.push({
      name,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}
(globalThis as unknown as { results: unknown }).results = results;
