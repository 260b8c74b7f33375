/**
 * Operations of memblock that are missing. `Memory: A/T available (… R reserved, C cma-reserved)` counts what memblock
 * handed over: T less R less C, and where the line comes late, what was given back before it.
 */
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { toPageFrames } from '../../plan/page-frames.js';
import { finalState } from '../../plan/replay.js';
import { zeroPages } from '../../accounts/zero-pages.js';

/** What is missing, in words. */
export function memblockEvidence(plan: LayoutPlan): string | undefined {
  const { memory } = plan.description.printed;
  const reserved = memory?.partsKb['reserved'];
  const state = finalState(plan);
  if (memory === undefined || reserved === undefined || state === undefined) return undefined;
  const handedOver = memory.totalKb - reserved - (memory.partsKb['cma-reserved'] ?? 0);
  const free = pagesKb(plan, [...state.freeRanges()]);
  const off = handedOver - free;
  const back = givenBack(plan, memory.line);
  const isWhole = zeroPages(plan).some((pages) =>
    back.includes(off + (pages * plan.pageSize) / 1024),
  );
  return isWhole
    ? undefined
    : `the log lacks lines of memblock=debug: what they leave free is ${Math.abs(off)} KiB off what the kernel took over`;
}

function pagesKb(plan: LayoutPlan, ranges: readonly { start: number; end: number }[]): number {
  const frames = toPageFrames(ranges, plan.pageSize, 'inward');
  // Memory that no zone has is not handed over.
  const end = plan.maxPfn;
  return frames.reduce(
    (kb, { startPfn, endPfn }) =>
      kb + (Math.max(0, Math.min(endPfn, end) - startPfn) * plan.pageSize) / 1024,
    0,
  );
}

/** KiB that may have been given back before a line: huge pages of a gibibyte join early in some kernels, late in others. */
function givenBack(plan: LayoutPlan, line: number): number[] {
  const { printed, memblock } = plan.description;
  const lines = printed.freeing.reduce((kb, one) => (one.line < line ? kb + one.kb : kb), 0);
  const isEarlier = (one: MemblockOperation): boolean => one.op === 'free-late' && one.line < line;
  const late = memblock.operations.flatMap((one) =>
    isEarlier(one) && 'start' in one ? [one] : [],
  );
  const sure = lines + pagesKb(plan, late);
  const gigantic = printed.hugetlb.reduce(
    (kb, one) => (one.pageBytes >= 2 ** 30 ? kb + (one.pageBytes / 1024) * one.preallocated : kb),
    0,
  );
  return [sure, sure + gigantic];
}
