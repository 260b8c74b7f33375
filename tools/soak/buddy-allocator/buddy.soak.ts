// `npm run soak -- buddy [--minutes M] [--seed S] [--operations N]`: long random runs of the allocator.
//
// Alternates between one thread and several on one memory of 256 MiB; mobilities, exact sizes and wrong frees
// mixed in; after each batch all threads pause and every invariant is checked. A line a minute; at the end
// everything is freed and must have merged back. Default: 10 million operations.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { BuddyAllocator } from '@bootmem/buddy-allocator';

const PAGES = 65536;
const BATCH = 200_000;

function option(name: string): number | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
}

const seed = option('seed') ?? 1;
const minutes = option('minutes');
const wanted = option('operations') ?? (minutes === undefined ? 1e7 : Infinity);
const end = minutes === undefined ? Infinity : performance.now() + minutes * 60_000;

interface Report {
  readonly operations: number;
  readonly violations: number;
}

const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 8 });
const owners = new Int32Array(new SharedArrayBuffer(PAGES * 4));
let operations = 0;
let violations = 0;
let lastLine = performance.now();

function check(what: string): void {
  allocator.drain();
  const broken = allocator.verify();
  violations += broken.length;
  for (const violation of broken.slice(0, 5)) {
    console.log(`${what}: ${violation.invariant} ${violation.text}`);
  }
}

/** One life of a group of workers: batches, then everything freed. */
async function group(workers: number, batches: number, groupSeed: number): Promise<void> {
  const crew = Array.from(
    { length: workers },
    (_, i) =>
      new Worker(new URL('soak-worker.mjs', import.meta.url), {
        workerData: { handle: allocator.toHandle(), owners, id: i + 1, seed: groupSeed },
        execArgv: [],
      }),
  );
  for (let batch = 1; batch <= batches; batch += 1) {
    const finish = batch === batches;
    // From nearly empty to more than there is.
    const limit = Math.floor((PAGES * (0.2 + (0.9 * batch) / batches)) / workers);
    const reports = crew.map((worker) => once(worker, 'message') as Promise<[Report]>);
    for (const worker of crew) {
      worker.postMessage({ steps: Math.floor(BATCH / workers), limit, finish });
    }
    for (const [report] of await Promise.all(reports)) {
      operations += report.operations;
      violations += report.violations;
    }
    check(`seed ${groupSeed}, ${workers} workers, batch ${batch}`);
    if (performance.now() - lastLine > 60_000) {
      lastLine = performance.now();
      console.log(`${operations} operations, ${violations} violations`);
    }
  }
  await Promise.all(crew.map((worker) => worker.terminate()));
  for (let thread = 1; thread <= allocator.registry.maxThreads; thread += 1) {
    if (thread !== allocator.thread) allocator.reclaimThread(thread);
  }
  const { freePages, freeBlocks } = allocator.stats();
  if (freePages !== PAGES || freeBlocks[allocator.maxOrder] !== PAGES / 1024) {
    violations += 1;
    console.log(
      `seed ${groupSeed}: ${freePages} of ${PAGES} pages free, blocks ${freeBlocks.join(' ')}`,
    );
  }
  if (owners.some((owner) => owner !== 0)) violations += 1;
}

for (let i = 0; operations < wanted && performance.now() < end; i += 1) {
  await group([1, 2, 4, 3][i % 4]!, 5, seed + i);
}
check('end');
if (allocator.allocExact(PAGES) !== 0) violations += 1;
console.log(`buddy: ${operations} operations, ${violations} violations`);
process.exitCode = violations === 0 ? 0 : 1;
