/**
 * The designs of the seed discussion side by side on real threads over a real arena (each page is really faulted in).
 *
 *   v1                  the block is accepted when it leaves the free list: inside the zone lock, under one bitmap lock
 *   v2                  the same without the bitmap lock: atomic bits, still inside the zone lock
 *   bootmem             parked blocks, accepted by watermark, outside every lock, shared between threads
 *   bootmem+background  the same with a helper thread that keeps accepted memory ready
 */
import { once } from 'node:events';
import { Pacer, UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { meterBackend } from '@bootmem/unaccepted-memory/platform';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { quantile } from '../../../kit/statistics.js';
import { stopwatch } from '../../../kit/stopwatch.js';
import { short } from '../../../kit/table.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import { SharedZone } from '../../../../packages/unaccepted-memory/test/support/shared-zone.mjs';
import { M, ask, createArena, type BenchOptions, type Stage } from '../support/stage.js';

const DESIGNS = ['v1', 'v2', 'bootmem', 'bootmem+background'] as const;
type Design = (typeof DESIGNS)[number];

/** Accepted pages that the watermark keeps: 16 MiB, as a guest of a few GiB has. */
const PROMO_PAGES = 4096;
/** What the helper keeps beyond: 32 MiB. */
const RESERVE_PAGES = 8192;
const PACED = 'paced demand: 1 thread, 64 KiB blocks, 1000 a second';
const CONCURRENT_LOAD = { order: 2, workMicroseconds: 50 };
const PACED_LOAD = { order: 4, workMicroseconds: 0, rate: 1000 };

interface Load {
  readonly order: number;
  readonly workMicroseconds: number;
  /** Blocks a second; none: as fast as it goes. */
  readonly rate?: number;
}

interface Demand {
  readonly latencies: Float64Array;
  readonly wall: number;
  readonly heldMs: number;
  readonly longestHoldMs: number;
}

/** A metric, its unit and its value. */
type Figure = readonly [metric: string, unit: string, value: number];

interface Outcome {
  /** Allocations a second. */
  readonly rate: number;
  readonly figures: readonly Figure[];
}

/** A zone over fresh memory with the hooks of one design. */
function openDesign(design: Design, bytes: number) {
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
  return { memory, zone, meter, acceptor };
}

/** One run of one design: `count` threads share a zone of `bytes`. */
async function runDesign(
  stage: Stage,
  design: Design,
  count: number,
  bytes: number,
  load: Load,
): Promise<Outcome> {
  await stage.collect();
  const begin = performance.now();
  const { memory, zone, meter, acceptor } = openDesign(design, bytes);
  zone.alloc(load.order);
  const first = performance.now() - begin;

  zone.setPromo(PROMO_PAGES);
  const run = {
    design,
    handle: memory.toHandle(),
    zoneHandle: zone.toHandle(),
    acceptorHandle: acceptor.toHandle(),
    counters: meter.counters,
  };
  const pacer = Pacer.create();
  let helperDone: Promise<unknown> | undefined;
  if (design === 'bootmem+background') {
    const help = { kind: 'helpZone', ...run, pacer: pacer.toHandle(), reservePages: RESERVE_PAGES };
    await ask(stage.helper, help);
    helperDone = once(stage.helper, 'message');
  }
  const sync = new SharedArrayBuffer(4);
  // Three quarters of the zone, so that no design runs into its end.
  const blocks = Math.floor((bytes * 0.75) / (4096 << load.order) / count);
  const demand = { kind: 'demand', ...run, ...load, blocks, sync, parties: count };
  const times = stopwatch();
  const results = await Promise.all(
    stage.threads.slice(0, count).map((worker) => ask<Demand>(worker, demand)),
  );
  const { cpuMs } = times();
  if (helperDone !== undefined) {
    pacer.stop();
    await helperDone;
  }
  const all = results.flatMap(({ latencies }) => [...latencies]);
  if (all.length !== blocks * count)
    throw new Error(`${design}: ran out of memory at ${all.length}`);
  const wall = Math.max(...results.map((result) => result.wall));
  const rate = (all.length / wall) * 1000;
  const { lockedCalls, lockedNanoseconds } = meter.stats();
  return {
    rate,
    figures: [
      ['first', 'ms', first],
      ['p50', 'us', quantile(all, 0.5) * 1000],
      ['p99', 'us', quantile(all, 0.99) * 1000],
      ['max', 'ms', quantile(all, 1)],
      ['over 100 us', '%', (100 * all.filter((value) => value > 0.1).length) / all.length],
      ['rate', '/s', rate],
      ['total', 'ms', wall],
      ['lock held', 'ms', results.reduce((sum, result) => sum + result.heldMs, 0)],
      ['longest hold', 'ms', Math.max(...results.map((result) => result.longestHoldMs))],
      ['accepts under lock', 'calls', lockedCalls],
      ['of it', 'ms', lockedNanoseconds / 1e6],
      // Of the whole process, helper included; waiting for the due time is busy waiting.
      ['CPU', 'us/op', (cpuMs * 1000) / all.length],
    ],
  };
}

const concurrentCase = (count: number): string =>
  `concurrent demand: ${count} thread${count > 1 ? 's' : ''}, 16 KiB blocks, 50 us of work on each`;

export async function designs(samples: Samples, options: BenchOptions): Promise<void> {
  const { quick, rounds, stage } = options;
  const bytes = (quick ? 64 : 128) * M;
  const measure = async (
    name: string,
    design: Design,
    count: number,
    load: Load,
  ): Promise<void> => {
    const { figures } = await runDesign(stage, design, count, bytes, load);
    for (const [metric, unit, value] of figures) samples.add(name, design, metric, unit, value);
  };
  for (const design of DESIGNS)
    await warmUp(async () => (await runDesign(stage, design, 4, 16 * M, CONCURRENT_LOAD)).rate);
  for (let round = 0; round < rounds; round += 1) {
    for (const count of [1, 2, 4]) {
      for (const design of inTurn(DESIGNS, round))
        await measure(concurrentCase(count), design, count, CONCURRENT_LOAD);
    }
    for (const design of inTurn(DESIGNS, round)) await measure(PACED, design, 1, PACED_LOAD);
  }
}

/** What the designs are about, in two ratios. */
export function summariseDesigns(samples: Samples): void {
  const p99 = (name: string, subject: Design): number => samples.median(name, subject, 'p99');
  const four = concurrentCase(4);
  console.log(`p99, 4 threads: v1 / bootmem = ${short(p99(four, 'v1') / p99(four, 'bootmem'))}`);
  const paced = p99(PACED, 'bootmem') / p99(PACED, 'bootmem+background');
  console.log(`p99, paced: bootmem / bootmem+background = ${short(paced)}`);
}
