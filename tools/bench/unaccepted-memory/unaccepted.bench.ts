/**
 * npm run bench -- unaccepted [--quick] [--json] [--only designs|stalls|first|platforms]
 *
 * The designs of the seed discussion side by side on real threads over a real arena (each page is really faulted
 * in), then the time to the first allocation, the stalls of a paced consumer, and the price on modelled platforms.
 *
 *   v1                  the block is accepted when it leaves the free list: inside the zone lock, under one bitmap lock
 *   v2                  the same without the bitmap lock: atomic bits, still inside the zone lock
 *   bootmem             parked blocks, accepted by watermark, outside every lock, shared between threads
 *   bootmem+background  the same with a helper thread that keeps accepted memory ready
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  Pacer,
  UnacceptedMemory,
  ZoneAcceptor,
  createPrefaultBackend,
} from '@bootmem/unaccepted-memory';
import { createSnpModel, createTdxModel, meterBackend } from '@bootmem/unaccepted-memory/platform';
import type { UnacceptedMemoryHandle } from '@bootmem/unaccepted-memory';
import { Samples, format, quantile } from './support/measure.js';
import { SharedZone } from '../../../packages/unaccepted-memory/test/support/shared-zone.mjs';

const QUICK = process.argv.includes('--quick');
const JSON_OUTPUT = process.argv.includes('--json');
const only = process.argv.indexOf('--only');
const wanted = (part: string): boolean => only < 0 || process.argv[only + 1] === part;
const M = 2 ** 20;
const G = 2 ** 30;
const REPEATS = QUICK ? 3 : 5;
const DESIGNS = ['v1', 'v2', 'bootmem', 'bootmem+background'] as const;
type Design = (typeof DESIGNS)[number];

/** Accepted pages that the watermark keeps: 16 MiB, as a guest of a few GiB has. */
const PROMO_PAGES = 4096;
/** What the helper keeps beyond: 32 MiB. */
const RESERVE_PAGES = 8192;

const samples = new Samples();
const gc = (globalThis as { gc?: () => void }).gc;

/** Lets go of the last arena and waits until it is unmapped: that goes on for a while, and faults wait for it. */
async function collect(): Promise<void> {
  await Promise.all(threads.map((worker) => ask(worker, { kind: 'collect' })));
  gc?.();
  let last = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 50; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { rss } = process.memoryUsage();
    if (rss > last - M) return;
    last = rss;
  }
}

interface DemandResult {
  readonly latencies: Float64Array;
  readonly wall: number;
  readonly heldMs: number;
  readonly longestHoldMs: number;
}

function newWorker(): Worker {
  return new Worker(new URL('./support/bench-worker.mjs', import.meta.url), { execArgv: [] });
}
const threads = Array.from({ length: 5 }, newWorker);

async function ask<T>(worker: Worker, run: object): Promise<T> {
  const reply = once(worker, 'message');
  worker.postMessage(run);
  const [answer] = (await reply) as [T];
  return answer;
}

function createArena(bytes: number, unitSize = 2 * M): UnacceptedMemory {
  const arena = new SharedArrayBuffer(bytes);
  const backend = createPrefaultBackend({ arena });
  const ranges = [{ start: 0, end: bytes }];
  return UnacceptedMemory.create({ ranges, backend, guard: false, unitSize });
}

/** One run of one design: `count` threads share a zone of `bytes`. */
async function runDesign(
  name: string,
  design: Design,
  count: number,
  bytes: number,
  load: { order: number; workMicroseconds: number; rate?: number },
): Promise<void> {
  await collect();
  const begin = performance.now();
  const memory = createArena(bytes);
  const zone = new SharedZone({ pages: bytes / 4096 });
  const meter = meterBackend(memory.backend, { underLock: () => zone.holding });
  const own = UnacceptedMemory.attach(memory.toHandle(), { backend: meter });
  const seed = design === 'v1' || design === 'v2';
  // One block an allocation at most: the refill after the marks are set is spread out.
  const acceptor = ZoneAcceptor.create({ memory: own, port: zone, burst: 1 });
  if (seed) {
    const accept = (pfn: number, order: number): void => {
      own.acceptMemory(pfn * 4096, 4096 << order);
    };
    zone.onTakeOffline =
      design === 'v1'
        ? (pfn, order) => {
            zone.withBitmapLock(() => {
              accept(pfn, order);
            });
          }
        : accept;
  } else zone.gate = acceptor;
  zone.handOver(0, zone.pages, { offline: seed });
  zone.alloc(load.order);
  samples.add(name, design, 'first', 'ms', performance.now() - begin);

  zone.setPromo(PROMO_PAGES);
  const run = {
    design,
    handle: memory.toHandle(),
    zoneHandle: zone.toHandle(),
    acceptorHandle: acceptor.toHandle(),
    counters: meter.counters,
  };
  const pacer = Pacer.create();
  const helper = threads[4]!;
  let helperDone: Promise<unknown> | undefined;
  if (design === 'bootmem+background') {
    await ask(helper, {
      kind: 'helpZone',
      ...run,
      pacer: pacer.toHandle(),
      reservePages: RESERVE_PAGES,
    });
    helperDone = once(helper, 'message');
  }
  const sync = new SharedArrayBuffer(4);
  // Three quarters of the zone, so that no design runs into its end.
  const blocks = Math.floor((bytes * 0.75) / (4096 << load.order) / count);
  const cpuBefore = process.cpuUsage();
  const results = await Promise.all(
    threads.slice(0, count).map((worker) =>
      ask<DemandResult>(worker, {
        kind: 'demand',
        ...run,
        ...load,
        blocks,
        sync,
        parties: count,
      }),
    ),
  );
  const cpu = process.cpuUsage(cpuBefore);
  if (helperDone !== undefined) {
    pacer.stop();
    await helperDone;
  }
  const all = new Float64Array(results.reduce((sum, result) => sum + result.latencies.length, 0));
  let at = 0;
  for (const { latencies } of results) {
    all.set(latencies, at);
    at += latencies.length;
  }
  if (all.length !== blocks * count)
    throw new Error(`${design}: ran out of memory at ${all.length}`);
  all.sort();
  const wall = Math.max(...results.map((result) => result.wall));
  const { lockedCalls, lockedNanoseconds } = meter.stats();
  const add = (metric: string, unit: string, value: number): void => {
    samples.add(name, design, metric, unit, value);
  };
  add('p50', 'us', quantile(all, 0.5) * 1000);
  add('p99', 'us', quantile(all, 0.99) * 1000);
  add('max', 'ms', quantile(all, 1));
  add('over 100 us', '%', (100 * all.filter((value) => value > 0.1).length) / all.length);
  add('rate', '/s', (all.length / wall) * 1000);
  add('total', 'ms', wall);
  add(
    'lock held',
    'ms',
    results.reduce((sum, result) => sum + result.heldMs, 0),
  );
  add('longest hold', 'ms', Math.max(...results.map((result) => result.longestHoldMs)));
  add('accepts under lock', 'calls', lockedCalls);
  add('of it', 'ms', lockedNanoseconds / 1e6);
  // Of the whole process, helper included; waiting for the due time is busy waiting.
  add('CPU', 'us/op', (cpu.user + cpu.system) / all.length);
}

async function designs(): Promise<void> {
  const bytes = (QUICK ? 64 : 128) * M;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    for (const count of [1, 2, 4]) {
      for (const design of DESIGNS) {
        await runDesign(concurrentCase(count), design, count, bytes, {
          order: 2,
          workMicroseconds: 50,
        });
      }
    }
    for (const design of DESIGNS) {
      await runDesign(PACED, design, 1, bytes, { order: 4, workMicroseconds: 0, rate: 1000 });
    }
  }
}
function concurrentCase(count: number): string {
  return `concurrent demand: ${count} thread${count > 1 ? 's' : ''}, 16 KiB blocks, 50 us of work on each`;
}
const PACED = 'paced demand: 1 thread, 64 KiB blocks, 1000 a second';

function arenaSizes(): number[] {
  return QUICK ? [G / 4] : [2 * G, 4 * G];
}
/** The lazy one is cheap: it runs more often. */
const FIRST_SUBJECTS = ['bootmem', 'eager', 'bootmem', 'eager, 2 threads', 'bootmem'] as const;
/** Units of a plain arena may be small: the table costs a few bits for each, and a stall lasts one unit at most. */
const ARENA_UNIT = 256 * 1024;
function firstCase(bytes: number): string {
  return `first allocation: arena of ${bytes / G} GiB`;
}
const STALL_BYTES = (QUICK ? 128 : 512) * M;
function stallCase(): string {
  return `stalls of a consumer at half the helper's rate: ${STALL_BYTES / M} MiB in 64 KiB blocks, units of 256 KiB`;
}

/** Time from nothing to the first usable block, and to everything, for large arenas. */
async function firstAllocation(): Promise<void> {
  const { createWorkPool } = await import('@bootmem/padata');
  const threadFn = {
    module: import.meta.resolve('@bootmem/unaccepted-memory'),
    name: 'acceptUnitsJob',
  };
  for (let repeat = 0; repeat < (QUICK ? 1 : 2); repeat += 1) {
    for (const bytes of arenaSizes()) {
      for (const subject of FIRST_SUBJECTS) {
        await collect();
        // A pool of its own each time: its threads keep the arena of their last job.
        const pool = subject === 'eager, 2 threads' ? createWorkPool({ threads: 1 }) : undefined;
        await pool?.ready();
        await pool?.load(threadFn);
        const cpuBefore = process.cpuUsage();
        const begin = performance.now();
        const memory = createArena(bytes, ARENA_UNIT);
        const zone = new SharedZone({ pages: bytes / 4096 });
        const mode = subject === 'bootmem' ? 'lazy' : 'eager';
        zone.gate = ZoneAcceptor.create({ memory, port: zone, mode });
        const arg = { memory: memory.toHandle() };
        const size = memory.geometry.unitCount;
        await pool?.runMultithreaded({
          threadFn,
          arg,
          start: 0,
          size,
          minChunk: 64,
          maxThreads: 2,
        });
        zone.handOver(0, zone.pages);
        if (zone.alloc(0) === undefined) throw new Error('no memory');
        const took = performance.now() - begin;
        const cpu = process.cpuUsage(cpuBefore);
        samples.add(firstCase(bytes), subject, 'first', 'ms', took);
        samples.add(firstCase(bytes), subject, 'CPU', 'ms', (cpu.user + cpu.system) / 1000);
        await pool?.close();
      }
    }
  }
}

/** Takes 64 KiB of an arena at a time, at `bytesPerSecond`; how long it was held up. */
function consume(
  memory: UnacceptedMemory,
  bytes: number,
  bytesPerSecond: number,
): { stallMs: number; stalls: number; worstMs: number } {
  const step = 64 * 1024;
  const begin = performance.now();
  let stallMs = 0;
  let stalls = 0;
  let worstMs = 0;
  for (let at = 0; at < bytes; at += step) {
    const due = begin + (at / bytesPerSecond) * 1000;
    while (performance.now() < due);
    const before = performance.now();
    const { cells, waited } = memory.acceptMemory(at, step);
    const took = performance.now() - before;
    if (cells === 0 && waited === 0) continue;
    stallMs += took;
    stalls += 1;
    worstMs = Math.max(worstMs, took);
  }
  return { stallMs, stalls, worstMs };
}

async function stalls(): Promise<void> {
  const bytes = STALL_BYTES;
  const name = stallCase();
  const helper = threads[4]!;
  const help = (handle: UnacceptedMemoryHandle, sync: SharedArrayBuffer, parties: number) =>
    ask<{ bytes: number; wall: number }>(helper, {
      kind: 'helpArena',
      handle,
      pacer: Pacer.create().toHandle(),
      sync,
      parties,
    });
  // The helper's rate varies with the frames it gets (backed by the host already, or not) by a factor of
  // three; the consumer goes by the slowest seen so far, while another thread is busy as it will be.
  let slowest = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    await collect();
    const alone = help(createArena(bytes, ARENA_UNIT).toHandle(), new SharedArrayBuffer(4), 1);
    const finished = alone.then(() => true);
    // As busy as the consumer will be.
    while (!(await Promise.race([finished, soon()]))) busy(5);
    const { bytes: done, wall } = await alone;
    slowest = Math.min(slowest, (done / wall) * 1000);
    for (const subject of ['bootmem', 'bootmem+background']) {
      await collect();
      const memory = createArena(bytes, ARENA_UNIT);
      let helped: Promise<{ bytes: number; wall: number }> | undefined;
      if (subject === 'bootmem+background') {
        const sync = new SharedArrayBuffer(4);
        helped = help(memory.toHandle(), sync, 2);
        const words = new Int32Array(sync);
        while (Atomics.load(words, 0) === 0) await soon();
        Atomics.add(words, 0, 1);
      }
      const result = consume(memory, bytes, slowest / 2);
      const helper = await helped;
      samples.add(name, subject, 'consumer', 'MB/s', slowest / 2e6);
      if (helper !== undefined) {
        samples.add(name, subject, 'helper', 'MB/s', helper.bytes / helper.wall / 1000);
      }
      samples.add(name, subject, 'stalled', 'ms', result.stallMs);
      samples.add(name, subject, 'stalls', '', result.stalls);
      samples.add(name, subject, 'worst', 'ms', result.worstMs);
    }
  }
}

/** False, after the messages that wait have been handled. */
function soon(): Promise<boolean> {
  return new Promise((resolve) => {
    setImmediate(() => {
      resolve(false);
    });
  });
}

/** Keeps this thread busy. */
function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** What one 4 MiB block costs where the platform is modelled. */
function platforms(): void {
  const name = 'modelled platforms: one block of 4 MiB';
  const small = { hostPageSize: 4096 };
  const rows = [
    ['TDX, host maps 2 MiB', createTdxModel()],
    ['TDX, host maps 4 KiB', createTdxModel({ ...small, refusedCycles: 0 })],
    ['TDX with MapGPA (2021), 2 MiB', createTdxModel({ mapGpa: true })],
    ['SNP, host maps 2 MiB', createSnpModel()],
    ['SNP, host maps 4 KiB', createSnpModel(small)],
  ] as const;
  for (const [subject, model] of rows) {
    const { calls, cycles } = model.cost(0, 4 * M);
    samples.add(name, subject, 'calls', '', calls);
    samples.add(name, subject, 'cycles', '', cycles);
    samples.add(name, subject, 'cycles of a 2 MiB unit', '', model.cost(0, 2 * M).cycles);
  }
}

if (wanted('designs')) await designs();
if (wanted('stalls')) await stalls();
if (wanted('first')) await firstAllocation();
if (wanted('platforms')) platforms();
await Promise.all(threads.map((worker) => worker.terminate()));

if (JSON_OUTPUT) samples.printJson();
else print();

function print(): void {
  samples.printTables();
  const ratio = (name: string, a: string, b: string, metric: string): number =>
    samples.median(name, a, metric) / samples.median(name, b, metric);
  console.log();
  if (wanted('designs')) {
    console.log(
      `p99, 4 threads: v1 / bootmem = ${format(ratio(concurrentCase(4), 'v1', 'bootmem', 'p99'))}`,
    );
    const paced = ratio(PACED, 'bootmem', 'bootmem+background', 'p99');
    console.log(`p99, paced: bootmem / bootmem+background = ${format(paced)}`);
  }
  if (wanted('stalls')) {
    const share = ratio(stallCase(), 'bootmem+background', 'bootmem', 'stalled');
    console.log(`stalled with the helper: ${format(100 * share)} % of the time without`);
  }
  if (wanted('first')) {
    for (const bytes of arenaSizes()) {
      const sooner = ratio(firstCase(bytes), 'eager', 'bootmem', 'first');
      console.log(`first allocation, ${bytes / G} GiB: eager / bootmem = ${format(sooner)}`);
    }
  }
}
