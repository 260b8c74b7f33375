// Child process of the benchmark of two threads: keeps its allocator and answers each line of its input with a line.
//   warm                -> ready, when the rate of every thread stands still
//   run OPERATIONS      -> {operations, cpu, wall}: each thread replays its own trace for so many operations
//   check               -> sound, when everything is free again and the lists are in order; ends the process
// With one worker the process's only thread does it, with more each of them on the same allocator.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '@bootmem/buddy-allocator';

import { ours } from './subjects.mjs';
import { prepare, warmUpWith } from './traces.mjs';

/** What one thread does with its part of the pages. */
function actor(allocator, { trace, pages, workers, seed }) {
  const { step, end } = prepare(trace, ours(allocator), Math.floor(pages / workers), seed);
  return {
    warm: () => warmUpWith(step),
    run(operations) {
      let done = 0;
      while (done < operations) done += step();
      return done;
    },
    end() {
      end();
      allocator.drain();
    },
  };
}

/** The actor in a thread of its own, behind the same names. */
function remoteActor(data) {
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const ask = async (name, ...args) => {
    worker.postMessage({ name, args });
    const [reply] = await once(worker, 'message');
    return reply;
  };
  return {
    warm: () => ask('warm'),
    run: (operations) => ask('run', operations),
    end: () => ask('end').then(() => worker.terminate()),
  };
}

function workerSide() {
  const { handle, ...job } = workerData;
  const allocator = BuddyAllocator.attach(handle);
  const own = actor(allocator, job);
  parentPort.on('message', ({ name, args }) => {
    void Promise.resolve(own[name](...args)).then((result) => {
      if (name === 'end') allocator.close();
      parentPort.postMessage(result);
    });
  });
}

async function mainSide() {
  const job = JSON.parse(process.argv[2]);
  const { pages, workers, seed } = job;
  const allocator = BuddyAllocator.create({ pages, data: null, threads: workers + 1 });
  const actors =
    workers === 1
      ? [actor(allocator, job)]
      : Array.from({ length: workers }, (_, i) =>
          remoteActor({ ...job, seed: seed + i, handle: allocator.toHandle() }),
        );
  const all = (work) => Promise.all(actors.map(work));
  const commands = {
    async warm() {
      await all((one) => one.warm());
      return 'ready';
    },
    async run(operations) {
      const before = process.cpuUsage();
      const start = performance.now();
      const done = await all((one) => one.run(Number(operations)));
      const wall = (performance.now() - start) / 1e3;
      const { user, system } = process.cpuUsage(before);
      const sum = done.reduce((a, b) => a + b, 0);
      return JSON.stringify({ operations: sum, cpu: (user + system) / 1e6, wall });
    },
    async check() {
      await all((one) => one.end());
      allocator.drain();
      const broken = allocator.verify();
      if (broken.length > 0 || allocator.stats().freePages !== pages)
        throw new Error(`lists are not sound afterwards: ${JSON.stringify(broken[0])}`);
      return 'sound';
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...args] = line.split(' ');
    process.stdout.write(`${await commands[name](...args)}\n`);
  }
  process.exit();
}

if (isMainThread) await mainSide();
else workerSide();
