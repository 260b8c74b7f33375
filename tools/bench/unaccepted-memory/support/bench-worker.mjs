// A thread of the benchmark. Each message is one run; the reply carries what was measured.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { Pacer, UnacceptedMemory, ZoneAcceptor, runArenaHelper } from '@bootmem/unaccepted-memory';
import { meterBackend, openBackend } from '@bootmem/unaccepted-memory/platform';
import { SharedZone } from '../../../../packages/unaccepted-memory/test/support/shared-zone.mjs';

const { add, load } = Atomics;

// An arena lives until every thread has collected its views of it.
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

function barrier(words, parties) {
  add(words, 0, 1);
  while (load(words, 0) < parties);
}

/** The zone with the hooks of one design; every accept is metered, under the zone lock or not. */
export function openDesign({ design, handle, zoneHandle, acceptorHandle, counters }) {
  const zone = new SharedZone(zoneHandle);
  const backend = meterBackend(openBackend(handle.backend), {
    counters,
    underLock: () => zone.holding,
  });
  const memory = UnacceptedMemory.attach(handle, { backend });
  const accept = (pfn, order) => memory.acceptMemory(pfn * 4096, 4096 << order);
  if (design === 'v1')
    zone.onTakeOffline = (pfn, order) => zone.withBitmapLock(() => accept(pfn, order));
  else if (design === 'v2') zone.onTakeOffline = accept;
  else zone.gate = ZoneAcceptor.attach(acceptorHandle, { memory, port: zone });
  return { zone, memory };
}

/**
 * Allocates blocks and works on each: writes all of it, then computes for `workMicroseconds`; with a `rate`, waits until
 * its time has come (blocks a second). Latency = the allocation alone.
 */
function demand(run) {
  const { zone, memory } = openDesign(run);
  const { order, blocks, workMicroseconds, rate, sync, parties } = run;
  const arena = new Float64Array(run.handle.backend.arena);
  const words = (4096 << order) / 8;
  const latencies = new Float64Array(blocks);
  barrier(new Int32Array(sync), parties);
  const begin = performance.now();
  let got = 0;
  for (; got < blocks; got += 1) {
    const due = rate === undefined ? 0 : begin + (got * 1000) / rate;
    while (performance.now() < due);
    const before = performance.now();
    const pfn = zone.alloc(order);
    const after = performance.now();
    if (pfn === undefined) break;
    latencies[got] = after - before;
    const at = pfn * 512;
    arena.fill(pfn, at, at + words);
    while (performance.now() - after < workMicroseconds / 1000);
  }
  const wall = performance.now() - begin;
  memory.close();
  return {
    latencies: latencies.subarray(0, got),
    wall,
    heldMs: zone.heldMs,
    longestHoldMs: zone.longestHoldMs,
  };
}

/** The background helper of a zone, until its pacer is stopped. */
function helpZone(run) {
  const { zone, memory } = openDesign(run);
  const pacer = Pacer.attach(run.pacer, { idleMs: 5, stepBytes: 128 * 1024 });
  parentPort.postMessage('ready');
  const bytes = zone.gate.runHelper([1], { reservePages: run.reservePages, pacer });
  memory.close();
  return { bytes };
}

/** The background helper of an arena. */
function helpArena({ handle, pacer, sync, parties }) {
  const memory = UnacceptedMemory.attach(handle);
  barrier(new Int32Array(sync), parties);
  const begin = performance.now();
  const { physBase, unitSize, unitCount } = memory.geometry;
  const range = { start: physBase, end: physBase + unitCount * unitSize };
  const bytes = runArenaHelper(
    memory,
    range,
    Pacer.attach(pacer, { stepBytes: 128 * 1024, yieldToLoad: false }),
  );
  const wall = performance.now() - begin;
  memory.close();
  return { bytes, wall };
}

const runs = { demand, helpZone, helpArena, collect: () => gc() };
parentPort?.on('message', (run) => {
  parentPort.postMessage(runs[run.kind](run));
});
