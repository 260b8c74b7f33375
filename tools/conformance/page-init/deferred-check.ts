/**
 * The deferred pass: managed pages of every zone at P7, and free blocks equal to brute force, for both ways
 * to split, for several thread counts and chunk orders, with growth in between.
 */
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { PageState } from '@bootmem/memmap';
import {
  createDeferredNodes,
  createInlineRunner,
  createPoolRunner,
  createZoneGrower,
  type DeferredNode,
  initDeferred,
  type InitPlan,
  type RangeJobRunner,
} from '@bootmem/page-init';
import type { WorkPool } from '@bootmem/padata';
import { Random } from '../../kit/random.mjs';
import type { Checks } from './checks.js';
import { bringUpEarly } from './early-check.js';
import type { Machine } from './machine.js';

/** Free blocks that full merging leaves, from nothing but the free runs of the plan. */
function bruteForce(plan: InitPlan): Map<number, number> {
  const blocks = new Map<number, number>();
  const top = plan.geometry.maxOrder;
  let start = 0;
  let end = 0;
  let zone = '';
  const close = (): void => {
    for (let at = start; at < end;) {
      let order = top;
      while (at % 2 ** order !== 0 || at + 2 ** order > end) order--;
      blocks.set(at, order);
      at += 2 ** order;
    }
  };
  for (const run of plan.runs) {
    if (run.fate !== 'free') continue;
    const key = `${run.nid}/${run.zoneIndex}`;
    if (run.startPfn === end && key === zone) end = run.endPfn;
    else {
      close();
      [start, end, zone] = [run.startPfn, run.endPfn, key];
    }
  }
  close();
  return blocks;
}

function checkBlocks(
  what: string,
  allocator: PageAllocator,
  expected: ReadonlyMap<number, number>,
  checks: Checks,
): void {
  let bad = 0;
  for (const [pfn, order] of expected) {
    if (allocator.memmap.state(pfn) !== (PageState.FREE | order) && bad++ === 0) {
      checks.failures.push(`${what}: no free block of order ${order} at ${pfn}`);
    }
  }
  const count = allocator.zones.reduce(
    (sum, { core }) => sum + core.freeBlocks().reduce((a, b) => a + b, 0),
    0,
  );
  checks.equal(`${what}: number of free blocks`, count, expected.size);
}

/** Runs chunks one section at a time in an order that a seed decides, growing now and then. */
function shuffledRunner(nodes: readonly DeferredNode[], seed: number): RangeJobRunner {
  const random = new Random(seed);
  const grow = createZoneGrower(nodes);
  return {
    run(job) {
      const node = nodes.find((candidate) => candidate.nid === job.nid)!;
      const chunks: [number, number][] = [];
      for (let at = job.start; at < job.start + job.size;) {
        const next = Math.min(job.start + job.size, (Math.floor(at / job.align) + 1) * job.align);
        chunks.push([at, next]);
        at = next;
      }
      for (let i = chunks.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [chunks[i], chunks[j]] = [chunks[j]!, chunks[i]!];
      }
      for (const [start, end] of chunks) {
        if (random.once(4)) grow(node.zoneId, random.below(11));
        node.initChunk(start, end);
      }
      const workers = [{ worker: 0, chunks: chunks.length, units: job.size, ms: 0 }];
      return Promise.resolve({ got: 1, chunks: chunks.length, wallMs: 0, workers });
    },
  };
}

let runs = 0;

/** All checks of the deferred pass. */
export async function checkDeferred(
  machine: Machine,
  pool: WorkPool | undefined,
  checks: Checks,
): Promise<void> {
  const { plan } = machine;
  const expected = bruteForce(plan);
  const module = new URL('./worker.mjs', import.meta.url);
  const variants: {
    name: string;
    splitting: 'zone' | 'range-groups';
    grow: number;
    threads: number;
    runner: (nodes: readonly DeferredNode[], allocator: PageAllocator) => RangeJobRunner;
  }[] = [
    {
      name: '1 thread',
      splitting: machine.profile.splitting,
      grow: 0,
      threads: 1,
      runner: (nodes) =>
        createInlineRunner(
          (start, end, job) => nodes.find((node) => node.nid === job.nid)!.initChunk(start, end),
          2 ** 20,
        ),
    },
    {
      name: 'shuffled, growing',
      splitting: 'zone',
      grow: 2,
      threads: 1,
      runner: (nodes) => shuffledRunner(nodes, 7),
    },
    ...(pool === undefined ? [] : [2, 3]).map((threads) => ({
      name: `${threads} threads`,
      splitting: threads === 2 ? ('range-groups' as const) : ('zone' as const),
      grow: threads - 2,
      threads,
      runner: (nodes: readonly DeferredNode[], allocator: PageAllocator) =>
        createPoolRunner(pool!, {
          threadFn: { module, name: 'initChunk' },
          argOf: (job) => ({
            key: `${runs}/${job.nid}`,
            memmap: allocator.memmap.toHandle(),
            allocator: allocator.toHandle(),
            node: nodes.find((node) => node.nid === job.nid)!.toHandle(),
          }),
        }),
    })),
  ];
  for (const variant of variants) {
    runs++;
    const allocator = bringUpEarly(machine);
    const attach = { sink: allocator, threadId: allocator.thread, verify: true };
    const nodes = createDeferredNodes(plan, allocator.memmap, attach);
    for (let i = 0; i < variant.grow; i++) for (const node of nodes) node.grow(i * 10);
    const profile = { ...machine.profile, splitting: variant.splitting };
    const runner = variant.runner(nodes, allocator);
    const result = await initDeferred(nodes, { profile, runner, cpusOf: () => variant.threads });
    checkBlocks(variant.name, allocator, expected, checks);
    checks.equal(`${variant.name}: deferred pages`, result.pages, plan.pages.deferred);
    if (variant.name === '1 thread') checkManaged(machine, allocator, result.lines, checks);
    allocator.close();
  }
}

/**
 * P7 has what the kernel gave back between hand-over and P7 on top of ours: the pages of the alternatives,
 * as the log says, and two pages for each memblock array that was grown.
 */
function checkManaged(
  { boot }: Machine,
  allocator: PageAllocator,
  lines: readonly string[],
  checks: Checks,
): void {
  const text = boot.has('console.txt') ? boot.text('console.txt') : boot.text('dmesg.txt');
  const doubled = text.split('@@BEGIN')[0]!.match(/memblock: \w+ is doubled to/g)?.length ?? 0;
  const alternatives = /Freeing SMP alternatives memory: (\d+)K/.exec(text)?.[1];
  let extra = 0;
  for (const zone of boot.zones('P7').nodes.flatMap((node) => node.zones)) {
    const own = allocator.zones.find((z) => z.nid === zone.nid && z.zone === zone.name);
    const difference = zone.managed - (own?.core.managedPages ?? 0);
    checks.ok(
      difference >= 0 && difference <= 12,
      () => `zone ${zone.nid}/${zone.name} managed at P7: ${difference} pages more there`,
    );
    extra += difference;
  }
  checks.equal('pages given back by P7', extra, Number(alternatives) / 4 + 2 * doubled);
  const pending = boot.zones('P6').nodes.filter((node) => node.firstDeferredPfn !== undefined);
  checks.equal(
    'nodes with a deferred line',
    lines
      .map((line) => Number(/^node (\d+) deferred pages initialised in \d+ms$/.exec(line)?.[1]))
      .sort(),
    pending.map((node) => node.nid).sort(),
  );
  const printed = [
    ...text.split('@@BEGIN')[0]!.matchAll(/node (\d+) deferred pages initialised in \d+ms/g),
  ];
  checks.equal(
    'nodes that printed a deferred line',
    printed.map((m) => Number(m[1])).sort(),
    pending.map((n) => n.nid).sort(),
  );
}
