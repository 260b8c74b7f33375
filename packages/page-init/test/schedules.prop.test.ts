import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ARM64_64K, Memmap, PageState, type MemoryPfnRange } from '@bootmem/memmap';
import {
  createDeferredNodes,
  type DeferredNode,
  initDeferred,
  initEarly,
  type InitPlan,
  planInit,
  profileForRelease,
  type RangeJob,
  type RangeJobRunner,
  releaseEarly,
  type ReservedPfnRange,
} from '@bootmem/page-init';
import { Random } from '../../../tools/kit/random.mjs';
import { memmapFor, picture, tinyPlan, WatchingSink, zonesOf } from './machines.js';

const PROFILE_LATEST = profileForRelease();

/** Memory of one to three nodes as neighbouring or separated ranges, reservations anywhere. */
const layout = fc.record({
  parts: fc.array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 })),
      pages: fc.integer({ min: 1, max: 330 }),
      nid: fc.integer({ min: 0, max: 2 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  reserved: fc.array(
    fc.record({
      start: fc.integer({ min: 0, max: 1500 }),
      pages: fc.integer({ min: 1, max: 100 }),
      noInit: fc.boolean(),
    }),
    { maxLength: 8 },
  ),
});

type Layout = typeof layout extends fc.Arbitrary<infer T> ? T : never;

/** Interleaved nodes are kept apart per zone by giving each node one zone over its whole span. */
function planOf({ parts, reserved }: Layout): InitPlan {
  const memory: MemoryPfnRange[] = [];
  let at = 0;
  for (const { gap, pages, nid } of parts) {
    memory.push({ startPfn: at + gap, endPfn: at + gap + pages, nid });
    at += gap + pages;
  }
  const ranges: ReservedPfnRange[] = reserved.map(({ start, pages, noInit }) => ({
    startPfn: start,
    endPfn: start + pages,
    ...(noInit ? { noInit } : {}),
  }));
  return tinyPlan({ memory, reserved: ranges });
}

/** One section at a time, in a shuffled order, some of them twice, growing now and then. */
class ShuffledRunner implements RangeJobRunner {
  readonly nodes: readonly DeferredNode[];
  readonly random: (below: number) => number;

  constructor(nodes: readonly DeferredNode[], random: (below: number) => number) {
    this.nodes = nodes;
    this.random = random;
  }

  run(job: RangeJob): ReturnType<RangeJobRunner['run']> {
    const node = this.nodes.find((candidate) => candidate.nid === job.nid)!;
    const chunks: [number, number][] = [];
    for (let at = job.start; at < job.start + job.size;) {
      const next = (Math.floor(at / job.align) + 1) * job.align;
      chunks.push([at, next]);
      at = next;
    }
    for (let i = chunks.length - 1; i > 0; i--) {
      const j = this.random(i + 1);
      [chunks[i], chunks[j]] = [chunks[j]!, chunks[i]!];
    }
    for (const [start, end] of chunks) {
      if (this.random(3) === 0) node.grow(this.random(8));
      node.initChunk(start, end);
      if (this.random(4) === 0) node.initChunk(start, end);
    }
    return Promise.resolve({ got: 1, chunks: chunks.length, wallMs: 0, workers: [] });
  }
}

async function run(
  plan: InitPlan,
  splitting: 'zone' | 'range-groups',
  seed: number,
): Promise<string> {
  const memmap = memmapFor(plan);
  const sink = new WatchingSink(plan, memmap);
  initEarly(plan, memmap, { verify: true });
  releaseEarly(plan, sink);
  const nodes = createDeferredNodes(plan, memmap, { sink, threadId: 1, verify: true });
  const source = new Random(seed);
  const random = (below: number): number => source.below(below);
  for (const node of nodes) if (seed % 3 === 0) node.grow(random(8));
  const profile = { ...PROFILE_LATEST, splitting };
  await initDeferred(nodes, { profile, runner: new ShuffledRunner(nodes, random) });
  expect(sink.faults).toEqual([]);
  for (const planRun of plan.runs) {
    for (let pfn = planRun.startPfn; pfn < planRun.endPfn; pfn++) {
      const freed = sink.freed.get(pfn) ?? 0;
      if (freed !== (planRun.fate === 'free' ? 1 : 0))
        throw new Error(`page ${pfn} freed ${freed} times`);
      const untouched = memmap.state(pfn) === PageState.UNINITIALISED;
      if (untouched !== (planRun.owner === 'no-init'))
        throw new Error(`page ${pfn} untouched: ${untouched}`);
    }
  }
  return picture(plan, memmap);
}

test('any layout, splitting, chunk order and growth leave the same map, each page initialised and freed once', async () => {
  await fc.assert(
    fc.asyncProperty(layout, fc.integer({ min: 0, max: 2 ** 31 }), async (input, seed) => {
      const plan = planOf(input);
      const first = await run(plan, 'zone', seed);
      expect(await run(plan, 'range-groups', seed + 1)).toBe(first);
    }),
    { numRuns: 60 },
  );
});

test('the owners of all pages of all present sections add up, whatever the layout', () => {
  fc.assert(
    fc.property(layout, (input) => {
      const plan = planOf(input);
      const sections = plan.sections.reduce((sum, s) => sum + s.endPfn - s.startPfn, 0);
      const owned = Object.values(plan.pages).reduce((a, b) => a + b, 0);
      expect(owned).toBe(sections);
    }),
    { numRuns: 200 },
  );
});

test('arm64 with 64 KiB pages: sections of one largest block come up completely', async () => {
  const size = 2 ** ARM64_64K.sectionOrder;
  const memory = [{ startPfn: size, endPfn: 6 * size + 100, nid: 0 }];
  const plan = planInit({
    geometry: ARM64_64K,
    memory,
    reserved: [{ startPfn: 3 * size + 5, endPfn: 3 * size + 10 }],
    zones: zonesOf(memory),
  });
  const memmap = Memmap.create({ ranges: plan.sections, geometry: ARM64_64K, storage: 'shared' });
  const taken: number[] = [];
  const sink = {
    freeBlocks: (start: number, end: number): number => {
      taken.push(end - start);
      return end - start;
    },
  };
  initEarly(plan, memmap, { verify: true });
  releaseEarly(plan, sink);
  const nodes = createDeferredNodes(plan, memmap, { sink, threadId: 1, verify: true });
  const runner = new ShuffledRunner(nodes, () => 0);
  await initDeferred(nodes, { profile: PROFILE_LATEST, runner });
  expect(taken.reduce((a, b) => a + b, 0)).toBe(5 * size + 100 - 5);
  expect(memmap.countInState(size, 7 * size, PageState.UNINITIALISED)).toBe(0);
});
