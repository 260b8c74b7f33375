/**
 * Mapping device memory: what the call costs, how long it holds the hotplug lock, when the first small range is usable,
 * when all of it is; by size, and for eight devices at once with one waiter, beside what kernel developers published.
 */
import { Memmap } from '@bootmem/memmap';
import { createPoolRunner } from '@bootmem/page-init';
import { DeviceMemory, type DeviceMapping, type HotplugLock } from '@bootmem/page-init/device';
import type { Samples } from '../../../kit/samples.js';
import { quantile } from '../../../kit/statistics.js';
import { printTable } from '../../../kit/table.js';
import { OURS, collect, fixed, type BenchOptions } from '../bench-options.js';

const GIB = 2 ** 18;
const SECTION = 2 ** 15;
const SIZES = [16, 128, 384, 1024, 3072];
/** The system of the mail that asked for asynchronous initialisation: one such device a socket. */
const EIGHT = { devices: 8, gib: 384 };
/** A waiter's range: one huge page. */
const SMALL = 512;
const METRICS = ['call', 'lock held', 'first range', 'all ready'] as const;

/** Published figures; other hardware, 64-byte descriptors. */
const PUBLISHED = [
  [
    'kernel to 4.19: the second of two passes, the first one under the lock',
    '3 TB a node',
    '+20 s',
  ],
  ['kernel 4.20: one pass, outside the lock', '3 TB a node', '24.17 s'],
  ['the series after it, merged in part (5.2)', '3 TB a node', '19.12 s'],
  ['kernel of 2018, eight sockets', '8 devices', '~4 min'],
  ['proposed then: asynchronous, 8 threads a device; not merged', '8 devices', '~4 s'],
] as const;

const module = new URL('../support/worker.mjs', import.meta.url);
let machines = 0;

/** A lock of one thread that knows how long it was held. */
class TimedLock implements HotplugLock {
  heldMs = 0;

  withLock<T>(body: () => T): T {
    const started = performance.now();
    try {
      return body();
    } finally {
      this.heldMs += performance.now() - started;
    }
  }
}

interface Mapped {
  readonly call: number;
  readonly 'lock held': number;
  readonly 'first range': number;
  readonly 'all ready': number;
}

/** Maps `count` devices of a size, waits for a small range of the last, then for all. */
async function map(count: number, gib: number, { pool, most }: BenchOptions): Promise<Mapped> {
  const first = 4 * GIB;
  const pages = gib * GIB;
  const memory = [{ startPfn: 0, endPfn: SECTION }];
  const memmap = Memmap.create({ ranges: memory, maxPfn: first + count * pages });
  const lock = new TimedLock();
  const devices = new DeviceMemory({ memmap, memory, lock });
  const runnerOf = (mapping: DeviceMapping): ReturnType<typeof createPoolRunner> =>
    createPoolRunner(pool, {
      threadFn: { module, name: 'initDevice' },
      argOf: (job) => ({
        key: `device ${machines++}`,
        memmap: memmap.toHandle(),
        device: mapping.handleFor(job.start),
      }),
    });
  const started = performance.now();
  const mappings: DeviceMapping[] = [];
  for (let i = 0; i < count; i++) {
    const startPfn = first + i * pages;
    const ranges = [{ startPfn, endPfn: startPfn + pages }];
    const request = { name: `pmem${i}`, type: 'fs-dax' as const, nid: i, ranges };
    mappings.push(devices.memremapPagesAsync(request, { runner: runnerOf, maxThreads: most }));
  }
  const call = performance.now() - started;
  const held = lock.heldMs;
  // Far from where the job begins.
  await mappings.at(-1)!.sync(first + count * pages - 3 * SECTION, SMALL);
  const firstRange = performance.now() - started;
  await Promise.all(mappings.map((mapping) => mapping.ready));
  const allReady = performance.now() - started;
  await Promise.all(mappings.map((mapping) => devices.release(mapping)));
  collect();
  return { call, 'lock held': held, 'first range': firstRange, 'all ready': allReady };
}

export async function deviceMapping(samples: Samples, options: BenchOptions): Promise<void> {
  const { quick, json } = options;
  const rounds = quick ? 3 : 5;
  const sizes = quick ? SIZES.slice(0, 3) : SIZES;
  const runs = [
    ...sizes.map((gib) => ({ name: `device ${gib} GiB`, count: 1, gib })),
    { name: `devices ${EIGHT.devices} x ${EIGHT.gib} GiB`, count: EIGHT.devices, gib: EIGHT.gib },
  ].slice(0, quick ? -1 : undefined);
  // Code gets warm; the descriptors of each run are untouched memory.
  for (let i = 0; i < 20; i++) await map(1, 4, options);
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, count, gib } of runs) {
      const mapped = await map(count, gib, options);
      for (const metric of METRICS) samples.add(name, OURS, metric, 'ms', mapped[metric]);
      samples.add(name, OURS, 'pages', 'M/s', (count * gib * GIB) / mapped['all ready'] / 1e3);
    }
  }
  if (json) return;
  const table = runs.map(({ name }) => [
    name,
    ...METRICS.map((metric) => fixed(samples.median(name, OURS, metric), 3)),
    fixed(quantile(samples.values(name, OURS, 'lock held'), 1), 3),
    fixed(samples.median(name, OURS, 'pages'), 0),
  ]);
  printTable(
    `mapping device memory, medians of ${rounds}, ms from the call; ${options.most} threads`,
    ['', ...METRICS, 'longest lock', 'M pages/s'],
    table,
  );
  printTable(
    'published',
    ['', 'what', 'all ready'],
    PUBLISHED.map((row) => [...row]),
  );
}
