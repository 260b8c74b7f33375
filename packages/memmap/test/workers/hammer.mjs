// Test worker: runs one of the jobs below and posts the result.
import { setInterval } from 'node:timers';
import { parentPort, workerData } from 'node:worker_threads';

import { Memmap, PageState } from '../../dist/index.js';
import { SharedLock, ThreadRegistry } from '../../dist/shared.js';

const jobs = {
  // Adds to a plain (not atomic) counter under the lock.
  count({ words, registry, rounds }) {
    const threads = ThreadRegistry.attach(registry);
    const self = threads.register();
    const lock = new SharedLock(words, 0, self, { registry: threads });
    for (let i = 0; i < rounds; i++) {
      lock.lock();
      words[8] = words[8] + 1;
      lock.unlock();
    }
    threads.unregister(self);
    return lock.sleeps();
  },
  // Takes the lock and never gives it back.
  hold({ words, registry, offset = 0, id }) {
    const threads = ThreadRegistry.attach(registry);
    const self = threads.register(id);
    new SharedLock(words, offset, self, { registry: threads }).lock();
    return self;
  },
  // Holds the lock without a sign of life until it is told to go on.
  silent({ words, registry }) {
    const threads = ThreadRegistry.attach(registry);
    const lock = new SharedLock(words, 0, threads.register(), { registry: threads });
    lock.lock();
    Atomics.store(words, 8, 1);
    Atomics.notify(words, 8);
    while (Atomics.load(words, 9) === 0) Atomics.wait(words, 9, 0);
    lock.unlock();
    return 'done';
  },
  // Comes and leaves.
  join({ registry, id }) {
    const threads = ThreadRegistry.attach(registry);
    threads.register(id);
    threads.unregister(id);
    return id;
  },
  // Initialises its share of sections of an on-demand map.
  init({ handle, zoneId, first, step, sections }) {
    const map = Memmap.attach(handle);
    for (let s = first; s < sections; s += step) {
      map.initRange(s * map.pagesPerSection, (s + 1) * map.pagesPerSection, zoneId);
    }
    return map.usage().sections;
  },
  // Owns a range that begins and ends inside sections of others; adds, uses and removes it again and again.
  own({ handle, zoneId, pgmap, startPfn, endPfn, rounds }) {
    const map = Memmap.attach(handle);
    const wrong = [];
    const all = endPfn - startPfn;
    for (let round = 0; round < rounds; round++) {
      map.addMemory(startPfn, endPfn);
      const fresh = map.countInState(startPfn, endPfn, PageState.UNINITIALISED);
      if (fresh !== all) wrong.push(`round ${round}: ${all - fresh} pages are not fresh`);
      map.initDeviceRange(startPfn, endPfn, zoneId, pgmap);
      for (const pfn of [startPfn, startPfn + 60, endPfn - 1]) {
        if (map.driverWord(pfn) !== 0) wrong.push(`round ${round}: pfn ${pfn} has an old word`);
        map.setDriverWord(pfn, pgmap + round);
        if (map.pgmapIndex(pfn) !== pgmap) wrong.push(`round ${round}: pfn ${pfn} is not its own`);
      }
      const own = map.countInState(startPfn, endPfn, PageState.DEVICE);
      if (own !== all) wrong.push(`round ${round}: ${all - own} pages got lost`);
      map.removeMemory(startPfn, endPfn);
      if (map.isPresent(startPfn) || map.isPresent(endPfn - 1)) wrong.push(`${round}: still there`);
    }
    map.addMemory(startPfn, endPfn);
    map.initDeviceRange(startPfn, endPfn, zoneId, pgmap);
    return wrong;
  },
  // Populates the same sections as everybody else.
  populate({ handle, sections }) {
    const map = Memmap.attach(handle);
    map.populate(0, sections * map.pagesPerSection);
    return map.usage().sections;
  },
};

parentPort.postMessage(jobs[workerData.job](workerData));
if (workerData.job === 'hold') setInterval(() => undefined, 1000);
