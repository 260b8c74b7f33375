/**
 * Facts that need the exact state at hand-over, so only logs with `memblock=debug`: the printed dumps, and
 * the managed pages that the allocator ends up with.
 */
import { dmaReserve } from '@bootmem/buddy-allocator/zones';
import type { Steps } from '@bootmem/firmware-map/derive';
import { MemFlags, Memblock } from '@bootmem/memblock';
import type { MemRegion } from '@bootmem/memblock';
import type { PfnRange } from '@bootmem/memmap';
import type { LoadedMachine } from '../../input/types.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { bootTotalPages } from '../boot-total.js';
import { addedMemory, grownZone } from '../added-memory.js';
import type { AddedMemory } from '../added-memory.js';
import { lateFrees, printedAfterBoot, sumOfFrees } from '../late-frees.js';
import { soleZonePages } from './sole-zone.js';
import { addTo, pagesByZone } from '../zone-parts.js';
import { toPageFrames } from '../../plan/page-frames.js';
import { finalState, finalStateSteps } from '../../plan/replay.js';
import { lacksHighmem } from './layout-facts.js';
import { reservedForNextKernel } from '../kept-memblock.js';
import { NO_RELEASE } from '../lost/reasons.js';
import { AFTER_BOOT } from './zonelist-facts.js';
import type { FactList } from '../fact-list.js';
import { replayDumps } from '../replay-machine.js';
import type { DumpReplay } from '../replay-machine.js';

/** Dumps, managed pages, `Total pages`. */
export function* memblockFacts(
  plan: LayoutPlan,
  facts: FactList,
  input?: LoadedMachine,
): Steps<void> {
  const { description } = plan;
  if (description.memblock.dumps.length > 1) {
    dumpFacts(yield* replayDumps({ description, source: '', notes: [] }), facts);
    yield;
  }
  yield* managedFacts(plan, addedMemory(plan, input?.blocks), facts);
  yield;
  totalPagesFacts(plan, facts);
}

/** Every dump after the first. */
function dumpFacts({ report, looksLost }: DumpReplay, facts: FactList): void {
  for (let index = 0; index < report.dumps; index++) {
    const at = index - report.equalDumps;
    const difference = report.differences[at] ?? 'equal';
    if (looksLost[at] === true) {
      facts.open(
        'memblock dump',
        `#${index + 2}`,
        'equal',
        `the log lacks a line of memblock=debug: ${difference}`,
      );
    } else facts.compare('memblock dump', `#${index + 2}`, 'equal', difference);
  }
}

/** Free ranges in whole pages at hand-over. */
function freePages(plan: LayoutPlan, exact: Memblock | undefined): PfnRange[] | undefined {
  const state = exact ?? keptState(plan);
  if (state === undefined) return undefined;
  return toPageFrames([...state.freeRanges()], plan.pageSize, 'inward');
}

/**
 * What memblock holds after boot, on the architectures that keep it. Lists of older kernels print no marks: what is never
 * mapped is then known from the map alone.
 */
function keptState(plan: LayoutPlan): Memblock | undefined {
  const { description, kernel, derived } = plan;
  const kept = description.proc.memblock;
  if (kept === undefined) return undefined;
  const regions = (lines: typeof kept.memory): MemRegion[] =>
    lines.map(({ start, end, nid, flags }) => ({
      base: start,
      size: end - start,
      nid: nid ?? 0,
      flags,
    }));
  const state = Memblock.restore(
    { memory: regions(kept.memory), reserved: regions(kept.reserved) },
    { profile: kernel.memblock },
  );
  for (const { start, end, noMap } of derived.memory) {
    if (noMap === true) state.mark(start, end - start, MemFlags.NOMAP);
  }
  for (const { start, end } of reservedForNextKernel(plan)) state.free(start, end - start);
  return state;
}

/** Pages of ranges, by zone. */
function pagesOf(plan: LayoutPlan, ranges: readonly PfnRange[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { startPfn, endPfn } of ranges) {
    for (const [key, pages] of pagesByZone(plan, startPfn, endPfn)) addTo(sum, key, pages);
  }
  return sum;
}

/** Final managed pages: free at hand-over plus what the log says was given back later. */
function* managedFacts(plan: LayoutPlan, added: AddedMemory, facts: FactList): Steps<void> {
  const zones = (plan.description.proc.zoneinfo ?? []).filter((zone) => (zone.managed ?? 0) > 0);
  if (zones.length === 0) return;
  const reason = 'the state at hand-over is only known with memblock=debug';
  const exact = yield* finalStateSteps(plan);
  yield;
  const free = freePages(plan, exact);
  const isKept = exact === undefined && free !== undefined;
  yield;
  const later = lateFrees(plan, isKept);
  const handedOver = free === undefined ? soleZonePages(plan) : pagesOf(plan, free);
  if (handedOver === undefined || later === undefined) {
    for (const zone of zones) {
      facts.open(
        'managed pages',
        `node ${zone.nid} ${zone.zone}`,
        zone.managed ?? 0,
        handedOver === undefined ? reason : 'a late free names no place',
      );
    }
    return;
  }
  const managed = sumOfFrees(later);
  for (const [key, pages] of handedOver) addTo(managed, key, pages);
  for (const zone of zones) {
    const atBoot = managed.get(`${zone.nid}/${zone.zone}`) ?? 0;
    const ours = atBoot + grownZone(plan, added, zone).addedManaged;
    facts.compare('managed pages', `node ${zone.nid} ${zone.zone}`, zone.managed ?? 0, ours);
  }
}

/** `Total pages:` of the zonelist line: managed pages when zonelists are built, before the hand-over. */
function totalPagesFacts(plan: LayoutPlan, facts: FactList): void {
  const line = plan.description.printed.zonelists;
  if (line?.totalPages === undefined) return;
  if (lacksHighmem(plan)) {
    facts.open(
      'Total pages',
      'machine',
      line.totalPages,
      'the kernel was built without high memory',
    );
    return;
  }
  if (printedAfterBoot(plan, line.line)) {
    facts.open('Total pages', 'machine', line.totalPages, AFTER_BOOT);
    return;
  }
  if (plan.kernel.release === undefined) {
    facts.open('Total pages', 'machine', line.totalPages, NO_RELEASE);
    return;
  }
  const profile = plan.kernel.buddy;
  const present = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
  if (profile.managedAtBoot === 'present') {
    facts.compare('Total pages', 'machine', line.totalPages, present);
    return;
  }
  const ours = bootTotalPages(plan, line.totalPages, exactReserve(plan));
  if (typeof ours === 'string') facts.open('Total pages', 'machine', line.totalPages, ours);
  else facts.compare('Total pages', 'machine', line.totalPages, ours);
}

/** What x86-64 sets apart for DMA, where memblock's lines tell it. */
function exactReserve(plan: LayoutPlan): number | undefined {
  const { architecture } = plan.description;
  const free = architecture === 'x86_64' ? freePages(plan, finalState(plan)) : undefined;
  const reserve = free === undefined ? -1 : dmaReserve(plan.memory, free);
  return reserve < 0 ? undefined : reserve;
}
