/**
 * `npm run soak -- buddy`: long random runs of the allocator.
 *
 * Alternates between one thread and several on one memory of 256 MiB; mobilities, exact sizes and wrong frees
 * mixed in; after each batch all threads pause and every invariant is checked. A line a minute; at the end
 * everything is freed and must have merged back. Default: 10 million operations.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { integer, number, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';

const PAGES = 65536;
const BATCH = 200_000;

const { minutes, seed, operations } = readOptions(
  { name: 'soak -- buddy', about: 'Random allocations and frees on one thread and on several.' },
  {
    minutes: number(undefined, 'ends after so many'),
    seed: integer(1, 'default 1'),
    operations: integer(undefined, 'ends after so many, default 10000000 without --minutes'),
  },
).values;
const wanted = operations ?? (minutes === undefined ? 1e7 : Infinity);

interface Report {
  readonly operations: number;
  readonly violations: number;
}

const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 8 });
const owners = new Int32Array(new SharedArrayBuffer(PAGES * 4));
const log = new RunLog('buddy');

function check(what: string): void {
  allocator.drain();
  for (const { invariant, text } of allocator.verify()) log.fault(`${what}: ${invariant} ${text}`);
}

/** One life of a group of workers: batches, then everything freed. */
async function group(workers: number, batches: number, groupSeed: number): Promise<void> {
  const crew = Array.from(
    { length: workers },
    (_, i) =>
      new Worker(new URL('buddy-worker.mjs', import.meta.url), {
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
      log.done += report.operations;
      log.faults += report.violations;
    }
    check(`seed ${groupSeed}, ${workers} workers, batch ${batch}`);
    log.tick();
  }
  await Promise.all(crew.map((worker) => worker.terminate()));
  for (let thread = 1; thread <= allocator.registry.maxThreads; thread += 1) {
    if (thread !== allocator.thread) allocator.reclaimThread(thread);
  }
  const { freePages, freeBlocks } = allocator.stats();
  if (freePages !== PAGES || freeBlocks[allocator.maxOrder] !== PAGES / 1024) {
    const blocks = freeBlocks.join(' ');
    log.fault(`seed ${groupSeed}: ${freePages} of ${PAGES} pages free, blocks ${blocks}`);
  }
  if (owners.some((owner) => owner !== 0)) log.fault(`seed ${groupSeed}: pages still owned`);
}

for (let i = 0; log.done < wanted && !log.over(minutes ?? Infinity); i += 1) {
  await group([1, 2, 4, 3][i % 4]!, 5, seed + i);
}
check('end');
if (allocator.allocExact(PAGES) !== 0) log.fault('the whole cannot be allocated');
log.finish();
