/**
 * The deferred pass: every node's jobs, nodes at the same time, jobs of a node one after another.
 *
 *     create nodes -> (growth) -> initDeferred: begin - jobs - finish, per node -> growth is off
 *
 * The boot waits for the slowest node, so all nodes start at once and share the pool. A node is finished
 * only when each of its sections is; a pass that failed or was aborted can be started again and goes on
 * where it stopped. Source: reference "Late init sequence", "Per-node thread".
 */
import type { Memmap } from '@bootmem/memmap';
import { defineZones } from '../early/early.js';
import type { InitPlan } from '../plan/plan.js';
import type { PageInitProfile } from '../profiles.js';
import type { RangeJobResult, RangeJobRunner, WorkerShare } from '../base/types.js';
import { DeferredNode } from './node.js';
import type { DeferredAttach, DeferredCounts } from './types.js';
import { splitJobs } from './split.js';
import { checkFields } from '../base/check.js';

/** What one node's pass did. */
export interface NodeResult {
  readonly nid: number;
  readonly jobs: number;
  readonly chunks: number;
  /** Participants that the runner got, the most over its jobs. */
  readonly threads: number;
  readonly maxThreads: number;
  readonly ms: number;
  readonly counts: DeferredCounts;
  /** Busy time per participant, summed over jobs: where it is uneven, the split was. */
  readonly workers: readonly WorkerShare[];
  /** The kernel's line. */
  readonly line: string;
}

/** What the whole pass did. */
export interface DeferredResult {
  /** In order of completion, as the log shows them. */
  readonly nodes: readonly NodeResult[];
  readonly pages: number;
  readonly ms: number;
  readonly lines: readonly string[];
}

/** Options of {@link initDeferred}. */
export interface DeferredRunOptions {
  readonly profile: PageInitProfile;
  readonly runner: RangeJobRunner;
  /** CPUs of a node; a node without CPUs gets one thread. Default: 1 each. */
  readonly cpusOf?: (nid: number) => number;
  /** Participants for a number of CPUs; default the profile's rule. */
  readonly maxThreads?: (cpus: number) => number;
  readonly onNode?: (result: NodeResult) => void;
}

/** Options of {@link createDeferredNodes}. */
export interface DeferredNodesOptions {
  /** Default `until-done`. */
  readonly growth?: 'until-done' | 'until-pass';
}

/**
 * The deferred parts of a plan's nodes that have one.
 * @remarks O(sections); nothing is initialised
 */
export function createDeferredNodes(
  plan: InitPlan,
  memmap: Memmap,
  attach: Omit<DeferredAttach, 'memmap'>,
  options: DeferredNodesOptions = {},
): DeferredNode[] {
  defineZones(plan, memmap);
  return plan.nodes.flatMap((node) => {
    if (node.firstDeferredPfn === undefined || node.deferredZone === undefined) return [];
    const { nid, firstDeferredPfn, deferredZone } = node;
    return [
      DeferredNode.create({
        ...attach,
        memmap,
        nid,
        zoneId: memmap.defineZone(nid, deferredZone.zoneIndex),
        firstDeferredPfn,
        endPfn: deferredZone.endPfn,
        ranges: node.deferredRanges,
        growth: options.growth ?? 'until-done',
        growthStop: plan.profile.splitting === 'zone' ? 'section' : 'free-page',
      }),
    ];
  });
}

/**
 * Initialises and hands over all that is deferred.
 * @throws what the runner throws; ERR_PAGE_INIT_INCOMPLETE when a section was left half done
 * @kernel page_alloc_init_late
 */
export async function initDeferred(
  nodes: readonly DeferredNode[],
  options: DeferredRunOptions,
): Promise<DeferredResult> {
  checkFields('options', options, { profile: 'object', runner: 'object' });
  checkFields('arguments', { nodes }, { nodes: 'array' });
  const started = performance.now();
  const finished: NodeResult[] = [];
  const settled = await Promise.allSettled(
    nodes.map(async (node) => {
      const result = await runNode(node, options);
      finished.push(result);
      options.onNode?.(result);
    }),
  );
  // All nodes have stopped before the first failure is reported: no job is left behind.
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  return {
    nodes: finished,
    pages: finished.reduce((sum, node) => sum + node.counts.pages, 0),
    ms: performance.now() - started,
    lines: finished.map((node) => node.line),
  };
}

async function runNode(node: DeferredNode, options: DeferredRunOptions): Promise<NodeResult> {
  const started = performance.now();
  const { profile, runner } = options;
  const cpus = options.cpusOf?.(node.nid) ?? 1;
  const maxThreads = Math.max(1, Math.floor((options.maxThreads ?? profile.maxThreads)(cpus)));
  const size = node.sectionPages;
  const from = node.begin();
  const ranges = from === undefined ? [] : node.rangesIn(from, node.endPfn);
  const jobs =
    from === undefined
      ? []
      : splitJobs(profile.splitting, ranges, { startPfn: from, endPfn: node.endPfn }, size);
  const beforeMs = performance.now() - started;
  const results: RangeJobResult[] = [];
  for (const { startPfn, endPfn } of jobs) {
    const job = { nid: node.nid, start: startPfn, size: endPfn - startPfn, align: size };
    results.push(await runner.run({ ...job, minChunk: size, maxThreads }));
  }
  const rest = performance.now();
  // Sections without a free page are in no job of the older splitting; claiming them is all there is.
  node.initChunk(node.startPfn, node.endPfn);
  await node.whenDone();
  node.finish();
  // The node's own time: a job's result may come late, when its runner waits for those of other nodes.
  const jobsMs = results.reduce((sum, { wallMs }) => sum + wallMs, 0);
  const ms = beforeMs + jobsMs + performance.now() - rest;
  const counts = node.counts();
  return {
    nid: node.nid,
    jobs: jobs.length,
    chunks: results.reduce((sum, result) => sum + result.chunks, 0),
    threads: Math.max(0, ...results.map((result) => result.got)),
    maxThreads,
    ms,
    counts,
    workers: sumShares(results),
    line: profile.deferredLine(node.nid, counts.pages, Math.round(ms)),
  };
}

function sumShares(results: readonly RangeJobResult[]): WorkerShare[] {
  const byWorker = new Map<number, WorkerShare>();
  for (const share of results.flatMap((result) => result.workers)) {
    const known = byWorker.get(share.worker);
    byWorker.set(share.worker, {
      worker: share.worker,
      chunks: share.chunks + (known?.chunks ?? 0),
      units: share.units + (known?.units ?? 0),
      ms: share.ms + (known?.ms ?? 0),
    });
  }
  return [...byWorker.values()].sort((a, b) => a.worker - b.worker);
}

/** The allocator's growth hook: true means "try again". */
export type GrowHook = (zoneId: number, order: number) => boolean;

/**
 * Growth hook over a machine's nodes; answers false for zones that have no deferred part.
 * @remarks works in every thread that attached the nodes
 */
export function createZoneGrower(nodes: readonly DeferredNode[]): GrowHook {
  const byZone = new Map(nodes.map((node) => [node.zoneId, node]));
  return (zoneId, order) => byZone.get(zoneId)?.grow(order) ?? false;
}
