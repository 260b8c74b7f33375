import { expect, test } from '@jest/globals';
import { Memmap, PageState } from '@bootmem/memmap';
import { ThreadRegistry } from '@bootmem/memmap/shared';
import {
  createDeferredNodes,
  createInlineRunner,
  createZoneGrower,
  DeferredNode,
  initDeferred,
  initEarly,
  type InitPlan,
  profileForRelease,
  releaseEarly,
} from '@bootmem/page-init';
import { Phase } from '@bootmem/page-init/deferred';
import { memmapFor, picture, SECTION, tinyPlan, waitedFor, WatchingSink } from './machines.js';

const PROFILE_LATEST = profileForRelease();
const PROFILE_6_12 = profileForRelease('6.12');
const PROFILE_5_7 = profileForRelease('5.7');

interface Machine {
  plan: InitPlan;
  memmap: Memmap;
  sink: WatchingSink;
  nodes: DeferredNode[];
}

type Growth = 'until-done' | 'until-pass';

function bringUp(input: Parameters<typeof tinyPlan>[0], growth: Growth = 'until-done'): Machine {
  const plan = tinyPlan(input);
  const memmap = memmapFor(plan);
  const sink = new WatchingSink(plan, memmap);
  initEarly(plan, memmap, { verify: true });
  releaseEarly(plan, sink);
  const nodes = createDeferredNodes(plan, memmap, { sink, threadId: 1, verify: true }, { growth });
  return { plan, memmap, sink, nodes };
}

const inline = (nodes: readonly DeferredNode[]): ReturnType<typeof createInlineRunner> =>
  createInlineRunner((start, end, job) =>
    nodes.find((node) => node.nid === job.nid)!.initChunk(start, end),
  );

function expectComplete({ plan, memmap, sink }: Machine): void {
  expect(sink.faults).toEqual([]);
  let free = 0;
  for (const run of plan.runs) {
    for (let pfn = run.startPfn; pfn < run.endPfn; pfn++) {
      const wanted = { free: PageState.BODY, reserved: PageState.RESERVED, owned: PageState.BODY };
      const noInit = run.owner === 'no-init';
      expect(memmap.state(pfn)).toBe(noInit ? PageState.UNINITIALISED : wanted[run.fate]);
      if (run.fate === 'free') free++;
      expect(sink.freed.get(pfn) ?? 0).toBe(run.fate === 'free' ? 1 : 0);
    }
  }
  expect(sink.freed.size).toBe(free);
}

const TWO_NODES = {
  memory: [
    { startPfn: 5, endPfn: 500, nid: 0 },
    { startPfn: 500, endPfn: 1300, nid: 1 },
  ],
  reserved: [
    { startPfn: 140, endPfn: 150 },
    { startPfn: 250, endPfn: 270 },
    { startPfn: 700, endPfn: 705 },
  ],
};

test.each([PROFILE_LATEST, PROFILE_6_12, PROFILE_5_7])(
  'the deferred pass of profile $name initialises and frees every page once',
  async (profile) => {
    const machine = bringUp({ ...TWO_NODES, profile });
    const result = await initDeferred(machine.nodes, { profile, runner: inline(machine.nodes) });
    expectComplete(machine);
    expect(result.pages).toBe(machine.plan.pages.deferred);
    expect(result.nodes.map((node) => node.nid).sort()).toEqual([0, 1]);
    expect(machine.nodes.every((node) => node.phase === Phase.DONE)).toBe(true);
  },
);

test('both splittings leave the same state', async () => {
  const pictures: string[] = [];
  for (const profile of [
    PROFILE_LATEST,
    { ...PROFILE_LATEST, splitting: 'range-groups' as const },
  ]) {
    const machine = bringUp({ ...TWO_NODES, profile });
    await initDeferred(machine.nodes, { profile, runner: inline(machine.nodes) });
    pictures.push(picture(machine.plan, machine.memmap));
  }
  expect(pictures[1]).toBe(pictures[0]);
});

test('before the deferred pass the deferred pages are untouched', () => {
  const { plan, memmap } = bringUp(TWO_NODES);
  for (const run of plan.runs) {
    const untouched = run.owner === 'deferred';
    for (let pfn = run.startPfn; pfn < run.endPfn; pfn++) {
      expect(memmap.isInitialised(pfn)).toBe(!untouched);
    }
  }
});

test('two free ranges that touch inside one largest block are both ready before either is freed', async () => {
  // Neighbouring memblock regions with different flags: [64,200) [200,400), no gap at 200.
  const machine = bringUp({
    memory: [
      { startPfn: 0, endPfn: 200, nid: 0 },
      { startPfn: 200, endPfn: 400, nid: 0 },
    ],
  });
  expect(machine.nodes[0]?.rangesIn(64, 400).length).toBe(2);
  await initDeferred(machine.nodes, { profile: PROFILE_LATEST, runner: inline(machine.nodes) });
  expectComplete(machine);
});

test('nodes that meet inside a largest block never share a section claim or a page', async () => {
  const machine = bringUp({
    memory: [
      { startPfn: 0, endPfn: 333, nid: 0 },
      { startPfn: 333, endPfn: 777, nid: 1 },
    ],
  });
  await initDeferred(machine.nodes, { profile: PROFILE_LATEST, runner: inline(machine.nodes) });
  expectComplete(machine);
  expect(machine.memmap.nid(332)).toBe(0);
  expect(machine.memmap.nid(333)).toBe(1);
});

test('pageblocks whose first page is free memory become movable, others stay as they were', async () => {
  const machine = bringUp({
    memory: [{ startPfn: 0, endPfn: 400, nid: 0 }],
    reserved: [{ startPfn: 160, endPfn: 162 }],
  });
  await initDeferred(machine.nodes, { profile: PROFILE_LATEST, runner: inline(machine.nodes) });
  expect(machine.memmap.pageblocks.migratetype(160)).toBe(0);
  expect(machine.memmap.pageblocks.migratetype(168)).toBe(1);
  expect(machine.memmap.pageblocks.migratetype(0)).toBe(1);
});

test('log lines follow the profile', async () => {
  for (const [profile, pattern] of [
    [PROFILE_LATEST, /^node 0 deferred pages initialised in \d+ms$/],
    [PROFILE_5_7, /^node 0 initialised, 576 pages in \d+ms$/],
  ] as const) {
    const { nodes } = bringUp({ memory: [{ startPfn: 0, endPfn: 640, nid: 0 }], profile });
    const result = await initDeferred(nodes, { profile, runner: inline(nodes) });
    expect(result.lines).toEqual([expect.stringMatching(pattern)]);
  }
});

test('early log lines name node extents, memoryless nodes and unavailable pages', () => {
  const plan = tinyPlan({ memory: [{ startPfn: 1, endPfn: 60, nid: 1 }], memorylessNids: [0] });
  expect(initEarly(plan, memmapFor(plan)).lines).toEqual([
    'Initmem setup node 0 as memoryless',
    'Initmem setup node 1 [mem 0x0000000000001000-0x000000000003bfff]',
    'On node 1, zone Normal: 1 pages in unavailable ranges',
    'On node 1, zone Normal: 4 pages in unavailable ranges',
  ]);
});

test('threads: the profile decides by CPUs, at least one, and callers may override', async () => {
  const asked: number[] = [];
  const run = async (options: object): Promise<void> => {
    const { nodes } = bringUp({ memory: [{ startPfn: 0, endPfn: 640, nid: 0 }] });
    const runner = inline(nodes);
    await initDeferred(nodes, {
      profile: PROFILE_LATEST,
      runner: {
        run: (job) => {
          asked.push(job.maxThreads);
          return runner.run(job);
        },
      },
      ...options,
    });
  };
  await run({ cpusOf: () => 0 });
  await run({ cpusOf: () => 52 });
  await run({ cpusOf: () => 52, maxThreads: (cpus: number) => cpus / 2 });
  await run({ profile: PROFILE_5_7, cpusOf: () => 52 });
  expect(asked).toEqual([1, 52, 26, 1]);
});

test('growth takes whole sections until the order is covered, then says when there is no more', () => {
  const machine = bringUp({ memory: [{ startPfn: 0, endPfn: 5 * SECTION, nid: 0 }] });
  const [node] = machine.nodes as [DeferredNode];
  expect(node.firstDeferredPfn).toBe(SECTION);
  expect(node.grow(0)).toBe(true);
  expect(node.firstDeferredPfn).toBe(2 * SECTION);
  expect(node.grow(7)).toBe(true);
  expect(node.firstDeferredPfn).toBe(4 * SECTION);
  expect(node.grow(7)).toBe(true);
  expect(node.firstDeferredPfn).toBeUndefined();
  expect(node.grow(0)).toBe(false);
  expectComplete(machine);
  expect(node.counts()).toMatchObject({ pages: 256, grownPages: 256, growCalls: 4, growWaits: 0 });
});

test('growth passes over sections without a free page', () => {
  const machine = bringUp({
    memory: [{ startPfn: 0, endPfn: 6 * SECTION, nid: 0 }],
    reserved: [{ startPfn: SECTION, endPfn: 4 * SECTION + 5 }],
  });
  const [node] = machine.nodes as [DeferredNode];
  expect(node.grow(0)).toBe(true);
  expect(node.counts().grownPages).toBeGreaterThanOrEqual(SECTION - 5);
  expect(machine.sink.faults).toEqual([]);
});

test('with the older rule growth stops at the next free page, with the newer at a section', () => {
  const input = {
    memory: [{ startPfn: 0, endPfn: 6 * SECTION, nid: 0 }],
    reserved: [{ startPfn: 2 * SECTION, endPfn: 2 * SECTION + 9 }],
  };
  const newer = bringUp(input).nodes[0]!;
  newer.grow(0);
  expect(newer.firstDeferredPfn).toBe(2 * SECTION);
  const older = bringUp({ ...input, profile: PROFILE_6_12 }).nodes[0]!;
  older.grow(0);
  expect(older.firstDeferredPfn).toBe(2 * SECTION + 9);
});

test('growth goes on during the pass, or not at all with the kernel rule; never after it', async () => {
  for (const growth of ['until-done', 'until-pass'] as const) {
    const machine = bringUp({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] }, growth);
    const grow = createZoneGrower(machine.nodes);
    const zoneId = machine.nodes[0]!.zoneId;
    const during: boolean[] = [];
    const runner = createInlineRunner((start, end) => {
      if (during.length === 0) during.push(grow(zoneId, 0));
      machine.nodes[0]!.initChunk(start, end);
    });
    expect(grow(99, 0)).toBe(false);
    expect(grow(zoneId, 0)).toBe(true);
    await initDeferred(machine.nodes, { profile: PROFILE_LATEST, runner });
    expect(during).toEqual([growth === 'until-done']);
    expect(grow(zoneId, 0)).toBe(false);
    expectComplete(machine);
  }
});

test('a pass that fails half way can be started again and goes on where it stopped', async () => {
  const machine = bringUp({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  let chunks = 0;
  const failing = createInlineRunner((start, end) => {
    if (++chunks === 3) throw new Error('runner stopped');
    machine.nodes[0]!.initChunk(start, end);
  });
  const options = { profile: PROFILE_LATEST };
  await expect(initDeferred(machine.nodes, { ...options, runner: failing })).rejects.toThrow(
    'stopped',
  );
  expect(machine.nodes[0]!.phase).toBe(Phase.RUNNING);
  await initDeferred(machine.nodes, { ...options, runner: inline(machine.nodes) });
  expectComplete(machine);
  await expect(
    initDeferred(machine.nodes, { ...options, runner: inline(machine.nodes) }),
  ).resolves.toMatchObject({ nodes: [{ jobs: 0 }] });
});

test('a sink that fails leaves its section marked, and the pass says so', async () => {
  const plan = tinyPlan({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  const memmap = memmapFor(plan);
  initEarly(plan, memmap);
  let calls = 0;
  const sink = {
    freeBlocks: (start: number, end: number): number => {
      if (++calls === 2) throw new Error('sink broke');
      return end - start;
    },
  };
  const nodes = createDeferredNodes(plan, memmap, { sink, threadId: 1 });
  const options = { profile: PROFILE_LATEST, runner: inline(nodes) };
  await expect(initDeferred(nodes, options)).rejects.toThrow('sink broke');
  await expect(initDeferred(nodes, options)).rejects.toMatchObject({
    code: 'ERR_PAGE_INIT_INCOMPLETE',
  });
});

test('a thread that dies in the middle of a section fails the pass, and nobody waits for it', async () => {
  const plan = tinyPlan({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  const memmap = memmapFor(plan);
  const sink = new WatchingSink(plan, memmap);
  initEarly(plan, memmap);
  releaseEarly(plan, sink);
  const liveness = ThreadRegistry.create(4);
  const [here, there] = [liveness.register(), liveness.register()];
  const nodes = createDeferredNodes(plan, memmap, { sink, threadId: here, liveness });
  const other = DeferredNode.attach(nodes[0]!.toHandle(), {
    memmap,
    sink,
    threadId: there,
    liveness,
  });
  expect(other.claims.tryClaim(2)).toBe(true);
  const pass = initDeferred(nodes, { profile: PROFILE_LATEST, runner: inline(nodes) });
  // The pass waits for the section of a living thread; then the thread dies.
  await waitedFor(other.claims, 2);
  liveness.markDead(there);
  await expect(pass).rejects.toMatchObject({
    code: 'ERR_PAGE_INIT_INCOMPLETE',
    details: { unit: 2 },
  });
  await expect(
    initDeferred(nodes, { profile: PROFILE_LATEST, runner: inline(nodes) }),
  ).rejects.toMatchObject({ code: 'ERR_PAGE_INIT_INCOMPLETE' });
});

test('a sink that takes fewer pages than it got breaks an invariant', () => {
  const plan = tinyPlan({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  const memmap = memmapFor(plan);
  const sink = { freeBlocks: (): number => 1 };
  const [node] = createDeferredNodes(plan, memmap, { sink, threadId: 1 });
  expect(() => node?.grow(0)).toThrow(expect.objectContaining({ code: 'ERR_PAGE_INIT_INVARIANT' }));
});

test('finish refuses while sections are pending', () => {
  const { nodes } = bringUp({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  expect(() => {
    nodes[0]!.finish();
  }).toThrow(expect.objectContaining({ code: 'ERR_PAGE_INIT_INCOMPLETE' }));
});

test('a chunk must end at a section border', () => {
  const { nodes } = bringUp({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  expect(() => nodes[0]!.initChunk(SECTION, SECTION + 10)).toThrow(
    expect.objectContaining({ code: 'ERR_PAGE_INIT_ARGUMENT' }),
  );
});

test('handles: another view sees the same node; strangers are refused', () => {
  const { nodes, memmap, sink } = bringUp({
    memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }],
  });
  const other = DeferredNode.attach(nodes[0]!.toHandle(), { memmap, sink, threadId: 2 });
  nodes[0]!.grow(0);
  expect(other.counts()).toEqual(nodes[0]!.counts());
  const stranger = { type: 'bootmem.deferred-node' as const, buffer: new ArrayBuffer(128) };
  expect(() => DeferredNode.attach(stranger, { memmap, sink, threadId: 2 })).toThrow(
    expect.objectContaining({ code: 'ERR_PAGE_INIT_HANDLE' }),
  );
});

test('creation refuses unaligned starts and ranges out of place', () => {
  const { memmap, sink } = bringUp({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  const base = { memmap, sink, threadId: 1, nid: 0, zoneId: 1, endPfn: 512 };
  for (const bad of [
    { firstDeferredPfn: 70, ranges: [] },
    { firstDeferredPfn: 512, ranges: [] },
    { firstDeferredPfn: 64, ranges: [{ startPfn: 10, endPfn: 20 }] },
    { firstDeferredPfn: 64, ranges: [{ startPfn: 500, endPfn: 520 }] },
  ]) {
    expect(() => DeferredNode.create({ ...base, ...bad })).toThrow(
      expect.objectContaining({ code: 'ERR_PAGE_INIT_ARGUMENT' }),
    );
  }
});

test('verify: true finds a page that was initialised before', () => {
  const plan = tinyPlan({ memory: [{ startPfn: 0, endPfn: 8 * SECTION, nid: 0 }] });
  const memmap = memmapFor(plan);
  initEarly(plan, memmap);
  expect(() => initEarly(plan, memmap, { verify: true })).toThrow(
    expect.objectContaining({ code: 'ERR_PAGE_INIT_TWICE' }),
  );
});
