/**
 * Facts that need the exact state at hand-over, so only logs with `memblock=debug`: the printed dumps, and
 * the managed pages that the allocator ends up with.
 */
import { dmaReserve, bootManagedPages } from '@bootmem/buddy-allocator/zones';
import type { PfnRange } from '@bootmem/memmap';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { freedLater, pagesByZone, zoneKeyOf } from '../late-frees.js';
import { toPageFrames } from '../../plan/page-frames.js';
import { finalState } from '../../plan/replay.js';
import { KERNEL_BASE } from '../../plan/reservations.js';
import { lacksHighmem, NO_RELEASE } from './layout-facts.js';
import type { FactList } from '../fact-list.js';
import { replayMachine } from '../replay-machine.js';

/** Dumps, managed pages, `Total pages`. */
export function memblockFacts(plan: LayoutPlan, facts: FactList): void {
  const { description } = plan;
  if (description.memblock.dumps.length > 1) {
    const replay = replayMachine({ description, source: '', notes: [] });
    for (let index = 0; index < replay.dumps; index++) {
      const difference = replay.differences.find((_, at) => at === index - replay.equalDumps);
      facts.compare('memblock dump', `#${index + 2}`, 'equal', difference ?? 'equal');
    }
  }
  managedFacts(plan, facts);
  totalPagesFacts(plan, facts);
}

/** Free ranges in whole pages at hand-over. */
function freePages(plan: LayoutPlan): PfnRange[] | undefined {
  const state = finalState(plan);
  if (state === undefined) return undefined;
  return toPageFrames([...state.freeRanges()], plan.pageSize, 'inward');
}

/** Final managed pages: free at hand-over plus what the log says was given back later. */
function managedFacts(plan: LayoutPlan, facts: FactList): void {
  const zones = (plan.description.proc.zoneinfo ?? []).filter((zone) => (zone.managed ?? 0) > 0);
  if (zones.length === 0) return;
  const reason = 'the state at hand-over is only known with memblock=debug';
  const free = freePages(plan);
  const later = freedLater(plan);
  if (free === undefined || later === undefined) {
    for (const zone of zones) {
      facts.open(
        'managed pages',
        `node ${zone.nid} ${zone.zone}`,
        zone.managed ?? 0,
        free === undefined ? reason : 'a late free names no place',
      );
    }
    return;
  }
  const managed = new Map(later);
  for (const { startPfn, endPfn } of free) {
    for (const [key, pages] of pagesByZone(plan, startPfn, endPfn)) {
      managed.set(key, (managed.get(key) ?? 0) + pages);
    }
  }
  addEarlyFrees(plan, managed);
  for (const zone of zones) {
    const ours = managed.get(`${zone.nid}/${zone.zone}`) ?? 0;
    facts.compare('managed pages', `node ${zone.nid} ${zone.zone}`, zone.managed ?? 0, ours);
  }
}

/** What is given back between hand-over and the first initcalls: parts of the image, doubled arrays, EFI. */
function addEarlyFrees(plan: LayoutPlan, managed: Map<string, number>): void {
  const image = zoneKeyOf(plan, KERNEL_BASE / plan.pageSize);
  for (const line of plan.description.printed.freeing) {
    if (!/SMP alternatives/i.test(line.what) || image === undefined) continue;
    managed.set(image, (managed.get(image) ?? 0) + (line.kb * 1024) / plan.pageSize);
  }
  const grown = plan.description.memblock.operations.filter((one) => one.op === 'grow');
  for (const { startPfn, endPfn } of toPageFrames(grown, plan.pageSize, 'outward')) {
    const key = zoneKeyOf(plan, startPfn);
    if (key !== undefined) managed.set(key, (managed.get(key) ?? 0) + endPfn - startPfn);
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
  const free = freePages(plan);
  if (free === undefined) {
    facts.open(
      'Total pages',
      'machine',
      line.totalPages,
      'needs what is reserved below 16 MiB, only known with memblock=debug',
    );
    return;
  }
  const reserve = dmaReserve(plan.memory, free);
  const ours = plan.layout.nodes
    .flatMap((node) => node.zones)
    .reduce((sum, zone) => sum + bootManagedPages(zone, profile, reserve), 0);
  facts.compare('Total pages', 'machine', line.totalPages, ours);
}
