// Child process of the benchmark: runs one trace on one subject and prints one JSON line. CPU time is that
// of the whole process: compiling and collecting garbage included. With `workers` > 1 each worker thread
// replays its own trace on the same allocator.
import { Worker, isMainThread, workerData, parentPort } from 'node:worker_threads';

import { BuddyAllocator } from '@bootmem/buddy-allocator';

import { ours, subject } from './subjects.mjs';
import { prepare, run, warmUpWith } from './traces.mjs';

const BARRIER_READY = 0;
const BARRIER_GO = 1;

function clock() {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  return () => {
    const used = process.cpuUsage(cpu);
    return { cpu: (used.user + used.system) / 1e6, wall: (performance.now() - wall) / 1e3 };
  };
}

async function several(job) {
  const allocator = BuddyAllocator.create({
    pages: job.pages,
    data: null,
    threads: job.workers + 1,
  });
  const barrier = new Int32Array(new SharedArrayBuffer(8));
  const workers = Array.from({ length: job.workers }, (_, i) => {
    const data = { ...job, seed: job.seed + i, handle: allocator.toHandle(), barrier };
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    const done = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return { worker, done };
  });
  while (Atomics.load(barrier, BARRIER_READY) < job.workers) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const stop = clock();
  Atomics.store(barrier, BARRIER_GO, 1);
  Atomics.notify(barrier, BARRIER_GO);
  const counts = await Promise.all(workers.map((w) => w.done));
  const times = stop();
  await Promise.all(workers.map((w) => w.worker.terminate()));
  allocator.drain();
  const broken = allocator.verify();
  if (broken.length > 0 || allocator.stats().freePages !== job.pages) {
    throw new Error(`lists are not sound afterwards: ${JSON.stringify(broken[0])}`);
  }
  return { operations: counts.reduce((a, b) => a + b, 0), ...times };
}

async function workerSide() {
  const { handle, barrier, trace, pages, workers, operations, seed } = workerData;
  const allocator = BuddyAllocator.attach(handle);
  const { step, end } = prepare(trace, ours(allocator), Math.floor(pages / workers), seed);
  await warmUpWith(step);
  Atomics.add(barrier, BARRIER_READY, 1);
  Atomics.wait(barrier, BARRIER_GO, 0);
  let done = 0;
  while (done < operations) done += step();
  end();
  allocator.close();
  parentPort.postMessage(done);
}

if (isMainThread) {
  const job = JSON.parse(process.argv[2]);
  const result =
    job.workers > 1
      ? await several(job)
      : await run(job, await subject(job.subject, job.pages), clock);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} else {
  await workerSide();
}
