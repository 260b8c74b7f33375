/** What is timed of ours: the deferred pass of one node alone, and whole machines with hand-over. */
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, ZONE_NAMES } from '@bootmem/memmap';
import {
  createDeferredNodes,
  createInlineRunner,
  createZoneGrower,
  DeferredNode,
  initDeferred,
  initEarly,
  type InitPlan,
  profileForRelease,
  type RangeJob,
  type RangeJobRunner,
  releaseEarly,
} from '@bootmem/page-init';
import type { WorkPool } from '@bootmem/padata';
import { timed, type Times } from '../../../kit/stopwatch.js';

const PROFILE_LATEST = profileForRelease();

const module = new URL('./worker.mjs', import.meta.url);
const SECTION_ORDER = 15;
let keys = 0;

const nullSink = { freeBlocks: (start: number, end: number): number => end - start };

/** Runs each node's jobs through a prepared range job: its argument is with every thread already. */
async function prepared(
  pool: WorkPool,
  nodes: readonly DeferredNode[],
  memmap: Memmap,
  threads: number,
  allocator?: PageAllocator,
): Promise<{ runner: RangeJobRunner; dispose: () => void }> {
  const ranges = new Map<number, Awaited<ReturnType<WorkPool['prepareRange']>>>();
  const args: object[] = [];
  for (const node of nodes) {
    const arg = {
      key: ++keys,
      memmap: memmap.toHandle(),
      node: node.toHandle(),
      ...(allocator === undefined ? {} : { allocator: allocator.toHandle() }),
    };
    args.push(arg);
    const align = 2 ** SECTION_ORDER;
    const range = await pool.prepareRange({
      threadFn: { module, name: 'initChunk' },
      arg,
      align,
      minChunk: align,
      maxThreads: threads,
    });
    ranges.set(node.nid, range);
  }
  const barrier = new Int32Array(new SharedArrayBuffer(4));
  await pool.runMultithreaded({
    threadFn: { module, name: 'attach' },
    arg: { nodes: args, barrier, threads },
    start: 0,
    size: threads,
    maxThreads: threads,
  });
  return {
    runner: { run: (job: RangeJob) => ranges.get(job.nid)!.run(job.start, job.size) },
    dispose: () => {
      for (const range of ranges.values()) range.close();
    },
  };
}

/** Runs all chunks on this thread, without giving others a turn in between. */
function inlineRunner(nodes: readonly DeferredNode[]): RangeJobRunner {
  return createInlineRunner(
    (start, end, job) => nodes.find((node) => node.nid === job.nid)!.initChunk(start, end),
    2 ** 40,
  );
}

/** Initialisation alone, without hand-over, of one node of `pages` pages. */
export async function initOnly(
  memmap: Memmap,
  pages: number,
  threads: number,
  pool: WorkPool,
): Promise<Times> {
  const zoneId = memmap.defineZone(0, 2);
  const node = DeferredNode.create({
    memmap,
    sink: nullSink,
    threadId: 1,
    nid: 0,
    zoneId,
    firstDeferredPfn: 0,
    endPfn: pages,
    ranges: [{ startPfn: 0, endPfn: pages }],
  });
  const nodes = [node];
  const made = threads === 1 ? undefined : await prepared(pool, nodes, memmap, threads);
  const runner = made?.runner ?? inlineRunner(nodes);
  const sample = await timed(() =>
    initDeferred(nodes, { profile: PROFILE_LATEST, runner, cpusOf: () => threads }),
  );
  made?.dispose();
  return sample;
}

/** A machine brought up as far as the first allocation. */
export interface FirstAllocation {
  readonly memmap: Memmap;
  readonly allocator: PageAllocator;
  readonly nodes: DeferredNode[];
  readonly phases: Readonly<
    Record<'plan' | 'map' | 'allocator' | 'early' | 'deferred' | 'allocate', number>
  >;
  readonly totalMs: number;
}

/** Brings a machine up to its first allocation; larger maps than fit get descriptors on demand. */
export function bringUp(makePlan: () => InitPlan, onDemand: boolean): FirstAllocation {
  const at: number[] = [performance.now()];
  const mark = (): void => {
    at.push(performance.now());
  };
  const plan = makePlan();
  mark();
  const memmap = Memmap.create({ ranges: plan.sections, populate: onDemand ? 'ondemand' : 'full' });
  mark();
  const zones = plan.nodes.flatMap((node) =>
    node.zones.map((zone) => ({
      nid: zone.nid,
      zone: ZONE_NAMES[zone.zoneIndex]!,
      startPfn: zone.startPfn,
      endPfn: zone.endPfn,
      presentPages: zone.endPfn - zone.startPfn,
    })),
  );
  const allocator = PageAllocator.create(memmap, zones);
  mark();
  initEarly(plan, memmap);
  releaseEarly(plan, allocator);
  mark();
  const nodes = createDeferredNodes(plan, memmap, { sink: allocator, threadId: allocator.thread });
  allocator.setHooks({ grow: createZoneGrower(nodes) });
  mark();
  const pfn = allocator.allocPages(0);
  mark();
  if (pfn === undefined) throw new Error('no page to allocate');
  const [plan_, map, create, early, deferred, allocate] = at.slice(1).map((t, i) => t - at[i]!);
  return {
    memmap,
    allocator,
    nodes,
    phases: {
      plan: plan_!,
      map: map!,
      allocator: create!,
      early: early!,
      deferred: deferred!,
      allocate: allocate!,
    },
    totalMs: at.at(-1)! - at[0]!,
  };
}

/** The deferred pass of a machine, hand-over included; 0 threads: without the pool. */
export async function runDeferred(
  machine: FirstAllocation,
  threads: number,
  pool: WorkPool,
): Promise<Times & { pages: number }> {
  const { nodes, memmap, allocator } = machine;
  const made = threads === 0 ? undefined : await prepared(pool, nodes, memmap, threads, allocator);
  const runner = made?.runner ?? inlineRunner(nodes);
  let pages = 0;
  const sample = await timed(async () => {
    const result = await initDeferred(nodes, {
      profile: PROFILE_LATEST,
      runner,
      cpusOf: () => Math.max(1, threads),
    });
    pages = result.pages;
  });
  made?.dispose();
  return { ...sample, pages };
}
