import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, PageState } from '@bootmem/memmap';
import { ThreadRegistry } from '@bootmem/memmap/shared';
import {
  createDeferredNodes,
  createPoolRunner,
  createZoneGrower,
  type DeferredNode,
  initDeferred,
  initEarly,
  type InitPlan,
  planInit,
  profileForRelease,
  releaseEarly,
} from '@bootmem/page-init';
import { DeviceMemory } from '@bootmem/page-init/device';
import { createWorkPool, type WorkPool } from '@bootmem/padata';

const PROFILE_LATEST = profileForRelease();
const PROFILE_6_12 = profileForRelease('6.12');

const module = new URL('./support/worker.mjs', import.meta.url);
const SECTION = 2 ** 15;
const ROUNDS = 10;
const { load } = Atomics;

let pool: WorkPool;
beforeAll(() => {
  pool = createWorkPool({ threads: 3 });
});
afterAll(async () => {
  await pool.close();
});

/** Two nodes that meet inside a largest block, with reservations at awkward places. */
const plan: InitPlan = planInit({
  memory: [
    { startPfn: 1, endPfn: 9 * SECTION + 300, nid: 0 },
    { startPfn: 9 * SECTION + 300, endPfn: 16 * SECTION + 777, nid: 1 },
  ],
  reserved: [
    { startPfn: 2 * SECTION - 5, endPfn: 2 * SECTION + 5 },
    { startPfn: 3 * SECTION + 1000, endPfn: 3 * SECTION + 1030 },
    { startPfn: 12 * SECTION, endPfn: 12 * SECTION + 1 },
  ],
  zones: [
    { nid: 0, zoneIndex: 2, startPfn: 1, endPfn: 9 * SECTION + 300 },
    { nid: 1, zoneIndex: 2, startPfn: 9 * SECTION + 300, endPfn: 16 * SECTION + 777 },
  ],
});

interface Machine {
  allocator: PageAllocator;
  nodes: DeferredNode[];
  arg: (nid?: number) => object;
}

let machines = 0;

function machine(): Machine {
  const memmap = Memmap.create({ ranges: plan.sections, storage: 'shared' });
  const zones = plan.nodes.map((node) => ({
    nid: node.nid,
    zone: 'Normal' as const,
    startPfn: node.startPfn,
    endPfn: node.endPfn,
    presentPages: node.presentPages,
  }));
  const allocator = PageAllocator.create(memmap, zones);
  initEarly(plan, memmap, { verify: true });
  releaseEarly(plan, allocator);
  const nodes = createDeferredNodes(plan, memmap, {
    sink: allocator,
    threadId: allocator.thread,
    verify: true,
  });
  allocator.setHooks({ grow: createZoneGrower(nodes) });
  const key = ++machines;
  const owners = new Int32Array(new SharedArrayBuffer(4 * 17 * SECTION));
  const handles = nodes.map((node) => node.toHandle());
  const shared = {
    key,
    memmap: memmap.toHandle(),
    allocator: allocator.toHandle(),
    nodes: handles,
    owners,
  };
  return { allocator, nodes, arg: (nid) => ({ ...shared, nid }) };
}

/** Every free block by its first page, over all zones. */
function freeBlocks({ allocator }: Machine): string {
  const { memmap } = allocator;
  const rows: string[] = [];
  const { state } = memmap.columns();
  for (let pfn = 0; pfn < 17 * SECTION; pfn++) {
    const byte = state[pfn]!;
    if ((byte & 0xf0) === PageState.FREE) rows.push(`${pfn}:${byte & 15}`);
  }
  return rows.join(' ');
}

const managed = ({ allocator }: Machine): number[] =>
  allocator.zones.map(({ core }) => core.managedPages);
const expectedManaged = [0, 1].map((nid) =>
  plan.runs
    .filter((run) => run.nid === nid && run.fate === 'free')
    .reduce((sum, run) => sum + run.endPfn - run.startPfn, 0),
);

const poolRunner = (made: Machine): ReturnType<typeof createPoolRunner> =>
  createPoolRunner(pool, {
    threadFn: { module, name: 'initChunk' },
    argOf: (job) => made.arg(job.nid),
  });

test('1 to 4 threads and both splittings leave the same free blocks; nodes run at the same time', async () => {
  const pictures = new Set<string>();
  for (let threads = 1; threads <= 4; threads++) {
    const made = machine();
    const profile = threads % 2 === 0 ? PROFILE_LATEST : PROFILE_6_12;
    const result = await initDeferred(made.nodes, {
      profile: { ...profile, strayReserved: 'adjacent' },
      runner: poolRunner(made),
      cpusOf: () => threads,
    });
    expect(result.pages).toBe(plan.pages.deferred);
    expect(result.nodes.every((node) => node.threads >= 1 && node.threads <= threads)).toBe(true);
    const units = result.nodes
      .flatMap((node) => node.workers)
      .reduce((sum, share) => sum + share.units, 0);
    expect(units).toBeGreaterThanOrEqual(plan.pages.deferred);
    expect(managed(made)).toEqual(expectedManaged);
    pictures.add(freeBlocks(made));
    made.allocator.close();
  }
  expect(pictures.size).toBe(1);
});

test('workers allocate and grow while the pass runs: no page twice, none lost', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const made = machine();
    const pass = initDeferred(made.nodes, {
      profile: PROFILE_LATEST,
      runner: poolRunner(made),
      cpusOf: () => 2,
    });
    const wanted = 60_000;
    const shared = made.arg() as { owners: Int32Array };
    const taken = await pool.runMultithreaded({
      threadFn: { module, name: 'allocate' },
      arg: shared,
      start: 0,
      size: wanted,
      minChunk: 2000,
      reduce: (sum: number, got: unknown) => sum + Number(got),
      initial: 0,
    });
    await pass;
    let owned = 0;
    for (let pfn = 0; pfn < shared.owners.length; pfn++) owned += load(shared.owners, pfn);
    expect(taken.value).toBe(owned);
    expect(owned).toBeGreaterThan(0);
    expect(managed(made)).toEqual(expectedManaged);
    made.allocator.close();
  }
});

test('growers on all threads share the sections: each initialised once, then nobody can grow', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const made = machine();
    await pool.runMultithreaded({
      threadFn: { module, name: 'growOnly' },
      arg: made.arg(),
      start: 0,
      size: 64,
      minChunk: 4,
    });
    for (const node of made.nodes) {
      expect(node.grow(0)).toBe(false);
      expect(node.counts().sectionsDone).toBe(node.counts().sections);
      expect(node.firstDeferredPfn).toBeUndefined();
    }
    expect(managed(made)).toEqual(expectedManaged);
    made.allocator.close();
  }
});

test('of two growers at a time one grows; the other is told to try again and grows nothing', async () => {
  const made = machine();
  const [node] = made.nodes as [DeferredNode];
  const result = await pool.runMultithreaded({
    threadFn: { module, name: 'growTogether' },
    arg: made.arg(),
    start: 0,
    size: 2,
    maxThreads: 2,
    reduce: (sum: number, again: unknown) => sum + Number(again),
    initial: 0,
  });
  expect(result.value).toBe(2);
  // Five pages of the first section are reserved, so one growth takes two sections; two would take more.
  expect(node.counts()).toMatchObject({ growCalls: 2, growWaits: 1, sectionsDone: 2 });
  made.allocator.close();
});

test('devices on two nodes come up on a busy pool, with faults in between, each unit once', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const memmap = Memmap.create({
      ranges: [{ startPfn: 0, endPfn: SECTION }],
      maxPfn: 80 * SECTION,
      storage: 'shared',
    });
    const devices = new DeviceMemory({ memmap, memory: [{ startPfn: 0, endPfn: SECTION }] });
    const mappings = [0, 1].map((nid) =>
      devices.memremapPagesAsync(
        {
          name: `pmem${nid}`,
          type: 'generic',
          nid,
          ranges: [{ startPfn: (8 + 32 * nid) * SECTION, endPfn: (40 + 32 * nid) * SECTION - 512 }],
        },
        {
          maxThreads: 2,
          runner: (mapping) =>
            createPoolRunner(pool, {
              priority: 'low',
              threadFn: { module, name: 'initDevice' },
              argOf: (job) => ({
                key: `${round}/${nid}`,
                memmap: memmap.toHandle(),
                device: mapping.handleFor(job.start),
              }),
            }),
        },
      ),
    );
    for (const mapping of mappings) {
      const { startPfn } = mapping.ranges[0]!;
      for (let fault = 0; fault < 12; fault++) {
        const pfn = startPfn + ((fault * 7919 * 131) % (31 * SECTION));
        await mapping.sync(pfn, 700);
        expect(memmap.isRangeInitialised(pfn, pfn + 700)).toBe(true);
      }
    }
    await Promise.all(mappings.map((mapping) => mapping.ready));
    for (const mapping of mappings) {
      const { startPfn, endPfn, init } = mapping.ranges[0]!;
      expect(init.initialisedPages).toBe(endPfn - startPfn);
      expect(memmap.countInState(startPfn, endPfn, PageState.DEVICE)).toBe(endPfn - startPfn);
    }
    await Promise.all(mappings.map((mapping) => devices.release(mapping)));
    expect(devices.mappedRanges).toBe(0);
  }
});

test('release while the pool is at it cancels the rest and waits for what is busy', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const memmap = Memmap.create({
      ranges: [{ startPfn: 0, endPfn: SECTION }],
      maxPfn: 80 * SECTION,
      storage: 'shared',
    });
    const devices = new DeviceMemory({ memmap, memory: [{ startPfn: 0, endPfn: SECTION }] });
    const mapping = devices.memremapPagesAsync(
      { name: 'pmem', type: 'generic', ranges: [{ startPfn: 8 * SECTION, endPfn: 72 * SECTION }] },
      {
        runner: (made) =>
          createPoolRunner(pool, {
            threadFn: { module, name: 'initDevice' },
            argOf: (job) => ({
              key: `release ${round}`,
              memmap: memmap.toHandle(),
              device: made.handleFor(job.start),
            }),
          }),
      },
    );
    if (round % 2 === 0) await mapping.sync(9 * SECTION, 1);
    await devices.release(mapping);
    expect(memmap.isPresent(8 * SECTION)).toBe(false);
    expect(devices.mappedRanges).toBe(0);
  }
});

test('a helper that ends over its unit fails the mapping; the range comes back for the next one, clean', async () => {
  const memmap = Memmap.create({
    ranges: [{ startPfn: 0, endPfn: SECTION }],
    maxPfn: 80 * SECTION,
    storage: 'shared',
  });
  const liveness = ThreadRegistry.create(4);
  const owner = { threadId: liveness.register(), liveness };
  const devices = new DeviceMemory({ memmap, memory: [{ startPfn: 0, endPfn: SECTION }], owner });
  // It ends inside a section, beside a device that stays.
  const [startPfn, endPfn] = [8 * SECTION, 14 * SECTION + 512];
  const request = { name: 'pmem', type: 'generic' as const, ranges: [{ startPfn, endPfn }] };
  const neighbour = devices.memremapPages({
    ...request,
    ranges: [{ startPfn: endPfn, endPfn: 15 * SECTION }],
  });
  const noHelpers = { run: () => Promise.reject(new Error('no helpers')) };
  for (let unit = 0; unit < 7; unit++) {
    const mapping = devices.memremapPagesAsync(request, { runner: () => noHelpers });
    const threadId = liveness.reserve();
    const worker = new Worker(new URL('./support/dying-helper.mjs', import.meta.url), {
      workerData: {
        memmap: memmap.toHandle(),
        device: mapping.handleFor(startPfn),
        liveness: liveness.toHandle(),
        threadId,
        unit,
      },
    });
    await once(worker, 'message');
    const waiting = mapping.sync(startPfn + unit * SECTION, 1);
    await worker.terminate();
    liveness.markDead(threadId);
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_INCOMPLETE' });
    liveness.release(threadId);
    await devices.release(mapping);
    expect(memmap.isPresent(startPfn + unit * SECTION)).toBe(false);
    const next = devices.memremapPages({ ...request, type: 'fs-dax' });
    expect(memmap.countInState(startPfn, endPfn, PageState.DEVICE_IDLE)).toBe(endPfn - startPfn);
    expect(memmap.driverWord(startPfn + unit * SECTION)).toBe(0);
    expect(memmap.pgmapIndex(endPfn - 1)).toBe(next.index);
    expect(memmap.pgmapIndex(endPfn)).toBe(neighbour.index);
    await devices.release(next);
  }
});
