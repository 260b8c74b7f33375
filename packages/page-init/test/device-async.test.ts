import { expect, test } from '@jest/globals';
import { Memmap, PageState } from '@bootmem/memmap';
import { ThreadRegistry } from '@bootmem/memmap/shared';
import { createInlineRunner, type RangeJob, type RangeJobRunner } from '@bootmem/page-init';
import type { RangeJobResult } from '@bootmem/page-init/deferred';
import { DeviceInit, type DeviceMapping, DeviceMemory } from '@bootmem/page-init/device';
import { ClaimState, ClaimTable } from '../dist/core/claims.js';
import { TINY, waitedFor } from './machines.js';

const RAM = [{ startPfn: 0, endPfn: 64, nid: 0 }];
const REQUEST = {
  name: 'pmem0',
  type: 'generic' as const,
  ranges: [{ startPfn: 640, endPfn: 1920 }],
};

function machine(): { memmap: Memmap; devices: DeviceMemory } {
  const memmap = Memmap.create({ ranges: RAM, geometry: TINY, maxPfn: 8192, storage: 'shared' });
  return { memmap, devices: new DeviceMemory({ memmap, memory: RAM }) };
}

/** A runner that waits until it is told to go on. */
class HeldRunner implements RangeJobRunner {
  jobs: RangeJob[] = [];
  #go: (() => void)[] = [];
  readonly #inner: RangeJobRunner;

  constructor(mapping: DeviceMapping) {
    const rangeOf = (pfn: number): DeviceInit =>
      mapping.ranges.find((r) => r.startPfn <= pfn && pfn < r.endPfn)!.init;
    this.#inner = createInlineRunner((start, end) => rangeOf(start).initChunk(start, end));
  }

  async run(job: RangeJob): Promise<RangeJobResult> {
    this.jobs.push(job);
    await new Promise<void>((resolve) => this.#go.push(resolve));
    return this.#inner.run(job);
  }

  release(): void {
    for (const go of this.#go.splice(0)) go();
  }
}

test('a background mapping returns at once; sync makes just the request ready, exactly once', async () => {
  const { memmap, devices } = machine();
  let runner: HeldRunner | undefined;
  const mapping = devices.memremapPagesAsync(REQUEST, {
    runner: (made) => (runner = new HeldRunner(made)),
    maxThreads: 2,
  });
  const { init } = mapping.ranges[0]!;
  expect(memmap.countInState(640, 1920, PageState.UNINITIALISED)).toBe(1280);
  expect(devices.lookup(700)).toBeUndefined();
  expect(mapping.pageInfo(700)).toBeUndefined();
  await mapping.sync(700, 1);
  expect(init.foregroundUnits).toBe(1);
  expect(memmap.countInState(640, 1920, PageState.UNINITIALISED)).toBe(1280 - 64);
  expect(devices.lookup(700)).toBe(mapping);
  mapping.references.put();
  expect(await devices.resolve(800)).toBe(mapping);
  mapping.references.put();
  runner!.release();
  await mapping.ready;
  expect(runner!.jobs).toEqual([
    { nid: 0, start: 640, size: 1280, align: 64, minChunk: 64, maxThreads: 2 },
  ]);
  expect(init.initialisedPages).toBe(1280);
  expect(init.isComplete()).toBe(true);
  await devices.release(mapping);
});

test('a request that straddles sub-ranges covers the first and the last of them', async () => {
  const { memmap, devices } = machine();
  const mapping = devices.memremapPagesAsync(REQUEST, { runner: (made) => new HeldRunner(made) });
  // Units of 64 pages: [690, 770) begins in [640, 704) and ends in [768, 832).
  await mapping.sync(690, 80);
  expect(memmap.firstUninitialised(640, 832)).toBeUndefined();
  expect(memmap.firstUninitialised(640, 1920)).toBe(832);
  // One unit's worth of pages that begins in the middle of a unit needs two units.
  await mapping.sync(1000, 64);
  expect(memmap.firstUninitialised(1000, 1064)).toBeUndefined();
});

test('without a runner the calling thread does it between other events', async () => {
  const { devices } = machine();
  const mapping = devices.memremapPagesAsync(REQUEST);
  mapping.syncBlocking(1900, 20);
  expect(mapping.isReady(1919)).toBe(true);
  expect(mapping.isReady(900)).toBe(false);
  await mapping.ready;
  expect(mapping.isReady(900)).toBe(true);
});

test('release while work is pending cancels it, and whoever waits learns it', async () => {
  const { memmap, devices } = machine();
  let runner: HeldRunner | undefined;
  const mapping = devices.memremapPagesAsync(REQUEST, {
    runner: (made) => (runner = new HeldRunner(made)),
  });
  await mapping.sync(640, 64);
  const released = devices.release(mapping);
  await expect(mapping.sync(1000, 1)).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_CANCELLED' });
  expect(() => {
    mapping.syncBlocking(1000, 1);
  }).toThrow(expect.objectContaining({ code: 'ERR_PAGE_INIT_CANCELLED' }));
  runner!.release();
  await released;
  await expect(mapping.ready).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_CANCELLED' });
  expect(memmap.isPresent(640)).toBe(false);
  expect(devices.mappedRanges).toBe(0);
});

test('a runner that fails rejects ready; sync still works, and so does release', async () => {
  const { devices } = machine();
  const mapping = devices.memremapPagesAsync(REQUEST, {
    runner: () => ({ run: () => Promise.reject(new Error('pool is gone')) }),
  });
  await expect(mapping.ready).rejects.toThrow('pool is gone');
  await mapping.sync(900, 10);
  expect(mapping.isReady(905)).toBe(true);
  await devices.release(mapping);
});

test('two devices on two nodes: neither waits for the other', async () => {
  const { devices } = machine();
  const held: HeldRunner[] = [];
  const hold = (made: DeviceMapping): HeldRunner => {
    const runner = new HeldRunner(made);
    held.push(runner);
    return runner;
  };
  const one = devices.memremapPagesAsync({ ...REQUEST, nid: 0 }, { runner: hold });
  const two = devices.memremapPagesAsync(
    { ...REQUEST, nid: 1, ranges: [{ startPfn: 4096, endPfn: 4480 }] },
    { runner: hold },
  );
  held[1]!.release();
  await two.ready;
  expect(two.isReady(4400)).toBe(true);
  expect(one.isReady(700)).toBe(false);
  held[0]!.release();
  await one.ready;
});

test('a mapping without a device page is ready at once', async () => {
  const { devices } = machine();
  const request = { ...REQUEST, altmap: { reserve: 1200, free: 80 } };
  const mapping = devices.memremapPagesAsync(request);
  await mapping.ready;
  expect(mapping.pages).toBe(0);
});

test('requests outside the device pages are refused', async () => {
  const { devices } = machine();
  const mapping = devices.memremapPagesAsync(REQUEST);
  for (const [pfn, count] of [
    [639, 1],
    [1919, 2],
    [700, 0],
  ] as const) {
    await expect(mapping.sync(pfn, count)).rejects.toMatchObject({ code: 'ERR_DEVICE_ARGUMENT' });
  }
  expect(() => mapping.handleFor(5)).toThrow(
    expect.objectContaining({ code: 'ERR_DEVICE_ARGUMENT' }),
  );
  await mapping.ready;
});

test('a sync from another view waits for a busy unit and sees its pages', async () => {
  const { memmap, devices } = machine();
  const mapping = devices.memremapPagesAsync(REQUEST, { runner: (made) => new HeldRunner(made) });
  const init = DeviceInit.attach(mapping.handleFor(640), { memmap });
  expect(mapping.handles.length).toBe(1);
  expect(init.claims.tryClaim(0)).toBe(true);
  let done = false;
  const waiting = mapping.sync(650, 1).then(() => {
    done = true;
  });
  await waitedFor(init.claims, 0);
  expect(done).toBe(false);
  init.claims.finish(0);
  await waiting;
  const stranger = { type: 'bootmem.device-init' as const, buffer: new ArrayBuffer(200) };
  expect(() => DeviceInit.attach(stranger, { memmap })).toThrow(
    expect.objectContaining({ code: 'ERR_PAGE_INIT_HANDLE' }),
  );
});

test('a unit that fails says so to everybody', async () => {
  const words = new Int32Array(new SharedArrayBuffer(16));
  const units = new ClaimTable(words, 0, 4);
  expect(units.tryClaim(1)).toBe(true);
  expect(units.tryClaim(1)).toBe(false);
  const waiting = units.whenDone(1);
  units.fail(1);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_INCOMPLETE' });
  expect(() => {
    units.blockUntilDone(1);
  }).toThrow(expect.objectContaining({ code: 'ERR_PAGE_INIT_INCOMPLETE' }));
  expect(() => {
    units.finish(0);
  }).toThrow(expect.objectContaining({ code: 'ERR_PAGE_INIT_INVARIANT' }));
  expect(units.cancel(2)).toBe(true);
  expect(units.cancel(1)).toBe(false);
  expect(units.tryClaim(2)).toBe(false);
  expect(units.firstPending(0)).toBe(3);
  expect(units.countIn(ClaimState.FAILED)).toBe(1);
});

test('a device whose descriptors run out fails its unit and the foreground sync', async () => {
  const memmap = Memmap.create({
    ranges: RAM,
    geometry: TINY,
    maxPfn: 8192,
    capacitySections: 3,
    populate: 'ondemand',
    storage: 'shared',
  });
  const devices = new DeviceMemory({ memmap, memory: RAM });
  const mapping = devices.memremapPagesAsync(REQUEST, { runner: (made) => new HeldRunner(made) });
  await mapping.sync(640, 128);
  await expect(mapping.sync(1000, 400)).rejects.toMatchObject({ code: 'ERR_MEMMAP_CAPACITY' });
  // Never done: its background work is held for good.
  void devices.release(mapping);
  expect(mapping.references.live).toBe(false);
});

test('pages that a dead helper left half done fail whoever syncs them, and nobody else', async () => {
  const liveness = ThreadRegistry.create(4);
  const [here, there] = [liveness.register(), liveness.register()];
  const memmap = Memmap.create({ ranges: RAM, geometry: TINY, maxPfn: 8192, storage: 'shared' });
  const owner = { threadId: here, liveness };
  const devices = new DeviceMemory({ memmap, memory: RAM, owner });
  let runner: HeldRunner | undefined;
  const mapping = devices.memremapPagesAsync(REQUEST, {
    runner: (made) => (runner = new HeldRunner(made)),
  });
  const other = DeviceInit.attach(mapping.handleFor(640), {
    memmap,
    owner: { threadId: there, liveness },
  });
  // The helper has the unit of [704, 768).
  expect(other.claims.tryClaim(1)).toBe(true);
  const waiting = mapping.sync(700, 80);
  await waitedFor(other.claims, 1);
  liveness.markDead(there);
  await expect(waiting).rejects.toMatchObject({
    code: 'ERR_PAGE_INIT_INCOMPLETE',
    details: { unit: 1 },
  });
  await mapping.sync(640, 64);
  await mapping.sync(768, 64);
  expect(mapping.isReady(704)).toBe(false);
  runner!.release();
  await expect(mapping.ready).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_INCOMPLETE' });
  await devices.release(mapping);
  expect(memmap.isPresent(640)).toBe(false);
});

test('a claim is of one thread: its id given to another one is no sign of life', async () => {
  const words = new Int32Array(new SharedArrayBuffer(16));
  const liveness = ThreadRegistry.create(4);
  const [here, there] = [liveness.register(), liveness.register()];
  const claims = new ClaimTable(words, 0, 1, { threadId: there, liveness });
  expect(claims.tryClaim(0)).toBe(true);
  liveness.markDead(there);
  liveness.release(there);
  expect(liveness.register()).toBe(there);
  const waiter = new ClaimTable(words, 0, 1, { threadId: here, liveness });
  await expect(waiter.whenDone(0)).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_INCOMPLETE' });
});

test('options that are none are refused before anything is mapped', () => {
  const { devices } = machine();
  for (const junk of [null, 1, { runner: 1 }, { maxThreads: 0 }, { maxThreads: 1.5 }]) {
    expect(() => devices.memremapPagesAsync(REQUEST, junk as never)).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_ARGUMENT' }),
    );
    expect(devices.mappedRanges).toBe(0);
  }
});

test('a mapping whose runner cannot be made is taken back', () => {
  const { memmap, devices } = machine();
  const none = new Error('no runner');
  const runners = [
    () => {
      throw none;
    },
    () => ({}) as RangeJobRunner,
  ];
  for (const runner of runners) {
    expect(() => devices.memremapPagesAsync(REQUEST, { runner })).toThrow();
    expect(devices.mappedRanges).toBe(0);
    expect(memmap.isPresent(640)).toBe(false);
  }
  expect(devices.memremapPages(REQUEST).pages).toBe(1280);
});
