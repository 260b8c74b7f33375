// Threads of the race tests. `workerData.mode` names what to do; all state is shared memory.
import { parentPort, workerData } from 'node:worker_threads';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Pacer, UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { meterBackend } from '@bootmem/unaccepted-memory/platform';
import { Random } from '../../../../tools/kit/random.mjs';
import { SharedZone } from './shared-zone.mjs';

const { add, load, notify, wait } = Atomics;

/** A backend that counts, per page, how often it was asked to accept it. */
export function countingBackend({ counts, granularity, repeatable }) {
  const pages = new Int32Array(counts);
  return {
    name: 'counting',
    granularity,
    maxRun: granularity,
    repeatable,
    accept(start, end) {
      for (let page = start / 4096; page < end / 4096; page += 1) add(pages, page, 1);
    },
    toHandle: () => ({ kind: 'counting', counts, granularity, repeatable }),
  };
}
const openers = { counting: countingBackend };

/** Everyone arrives before anyone goes on. */
function barrier(words, at, parties) {
  add(words, at, 1);
  while (load(words, at) < parties);
}

/** Random overlapping requests until the whole table is accepted; reports what it saw that must not be. */
function acceptRandomly({ handles, sync, parties, index }) {
  const words = new Int32Array(sync);
  const problems = [];
  handles.forEach((handle, round) => {
    const memory = UnacceptedMemory.attach(handle, { openers });
    const pages = new Int32Array(handle.backend.counts);
    const random = new Random(round, index);
    const { unitSize, unitCount } = memory.geometry;
    barrier(words, round, parties);
    for (let turn = 0; turn < 60; turn += 1) {
      const start = random.below(unitCount * unitSize);
      const size = 1 + random.below(6 * unitSize);
      memory.acceptMemory(start, size);
      if (memory.containsUnaccepted(start, size)) problems.push(`round ${round}: not accepted`);
      const probe = random.below(unitCount) * unitSize;
      if (memory.unitState(probe) === 'accepted') {
        for (let page = probe / 4096; page < (probe + unitSize) / 4096; page += 1) {
          if (load(pages, page) === 0) problems.push(`round ${round}: visible too early`);
        }
      }
    }
    memory.acceptMemory(0, unitCount * unitSize);
    memory.close();
  });
  return problems;
}

/** Allocates single pages of one zone until it is empty; returns them. */
function allocateAll({ handle, zoneHandle, acceptorHandle, counters, sync, parties }) {
  const zone = new SharedZone(zoneHandle);
  let memory = UnacceptedMemory.attach(handle, { openers });
  const backend = meterBackend(memory.backend, { counters, underLock: () => zone.holding });
  memory = UnacceptedMemory.attach(handle, { backend });
  zone.gate = ZoneAcceptor.attach(acceptorHandle, { memory, port: zone });
  const pages = [];
  let unaccepted = 0;
  barrier(new Int32Array(sync), 0, parties);
  for (;;) {
    const pfn = zone.alloc(0);
    if (pfn === undefined) break;
    if (memory.containsUnaccepted(pfn * 4096, 4096)) unaccepted += 1;
    pages.push(pfn);
  }
  memory.close();
  return { pages, unaccepted };
}

/** The same on the real page allocator; `order` 0 goes through this thread's page cache. */
function allocateBuddy({
  handle,
  allocatorHandle,
  acceptorHandle,
  counters,
  sync,
  parties,
  order,
}) {
  const inner = countingBackend(handle.backend);
  const backend = meterBackend(inner, { counters });
  const memory = UnacceptedMemory.attach(handle, { backend });
  const allocator = PageAllocator.attach(allocatorHandle);
  allocator.setHooks({ accept: ZoneAcceptor.attach(acceptorHandle, { memory, port: allocator }) });
  const blocks = [];
  let unaccepted = 0;
  barrier(new Int32Array(sync), 0, parties);
  for (;;) {
    const pfn = allocator.allocPages(order);
    if (pfn === undefined) break;
    if (memory.containsUnaccepted(pfn * 4096, 4096 << order)) unaccepted += 1;
    blocks.push(pfn);
  }
  memory.close();
  allocator.close();
  return { blocks, unaccepted };
}

/** Stops for good inside the platform call of `stopAt`. */
function stopInside({ handle, participant, stopAt, sync, zoneHandle, acceptorHandle }) {
  const words = new Int32Array(sync);
  const inner = countingBackend(handle.backend);
  const backend = {
    ...inner,
    accept(start, end) {
      if (start <= stopAt && stopAt < end) {
        add(words, 0, 1);
        notify(words, 0);
        wait(words, 1, 0); // nobody changes word 1
      }
      inner.accept(start, end);
    },
  };
  const memory = UnacceptedMemory.attach(handle, { participant, backend });
  if (zoneHandle === undefined) memory.acceptMemory(stopAt, 4096);
  else {
    const acceptor = ZoneAcceptor.attach(acceptorHandle, {
      memory,
      port: new SharedZone(zoneHandle),
    });
    acceptor.acceptOneInSteps(1, 1, () => true);
  }
  return 'went on';
}

/** Waits for a unit that another thread is inside of. */
function acceptOnce({ handle, start, size, sync }) {
  const memory = UnacceptedMemory.attach(handle, { openers });
  const words = new Int32Array(sync);
  add(words, 2, 1);
  notify(words, 2);
  try {
    memory.acceptMemory(start, size);
    return 'accepted';
  } catch (error) {
    return error.code;
  }
}

/** The background helper of a zone. */
function help({ handle, zoneHandle, acceptorHandle, pacer, reservePages }) {
  const memory = UnacceptedMemory.attach(handle, { openers });
  const acceptor = ZoneAcceptor.attach(acceptorHandle, {
    memory,
    port: new SharedZone(zoneHandle),
  });
  return acceptor.runHelper([1], { reservePages, pacer: Pacer.attach(pacer, { idleMs: 5 }) });
}

const modes = { acceptRandomly, allocateAll, allocateBuddy, stopInside, acceptOnce, help };
if (parentPort !== null && workerData?.mode !== undefined) {
  parentPort.postMessage(modes[workerData.mode](workerData));
}
