/**
 * Pages that the kernel gave back after it had set up watermarks: the initrd and unused parts of its own
 * image, by zone. `Freeing SMP alternatives` comes earlier and is not among them.
 */
import type { LayoutPlan } from '../plan/layout-plan.js';
import { toPageFrames } from '../plan/page-frames.js';
import { KERNEL_BASE } from '../plan/reservations.js';

/**
 * @param plan  a planned machine
 * @returns pages by `nid/zone`; `undefined` when a line names memory whose place is not in the log
 */
export function freedLater(plan: LayoutPlan): Map<string, number> | undefined {
  const freed = new Map<string, number>();
  const { printed } = plan.description;
  for (const line of printed.freeing) {
    const pages = (line.kb * 1024) / plan.pageSize;
    let place: number | undefined;
    if (/SMP alternatives/i.test(line.what)) continue;
    if (/boot services/i.test(line.what)) {
      const parts = bootServices(plan, pages);
      if (parts === undefined) return undefined;
      for (const [key, own] of parts) freed.set(key, (freed.get(key) ?? 0) + own);
      continue;
    }
    if (/initrd/i.test(line.what)) place = printed.ramdisk?.start;
    else if (/unused kernel|init memory|initmem|unused decrypted/i.test(line.what))
      place = KERNEL_BASE;
    if (place === undefined) return undefined;
    const key = zoneKeyOf(plan, Math.floor(place / plan.pageSize));
    if (key === undefined) return undefined;
    freed.set(key, (freed.get(key) ?? 0) + pages);
  }
  return freed;
}

/**
 * EFI boot services memory by zone: the ranges that were kept for it, if they add up to what was freed.
 * @param plan   a planned machine
 * @param pages  pages that the log says were freed
 */
function bootServices(plan: LayoutPlan, pages: number): Map<string, number> | undefined {
  const parts = new Map<string, number>();
  let sum = 0;
  const kept = plan.description.memblock.operations.flatMap((one) =>
    one.op === 'reserve' && one.caller.includes('efi_reserve_boot_services') ? [one] : [],
  );
  for (const { startPfn, endPfn } of toPageFrames(kept, plan.pageSize, 'outward')) {
    for (const [key, own] of pagesByZone(plan, startPfn, endPfn)) {
      parts.set(key, (parts.get(key) ?? 0) + own);
      sum += own;
    }
  }
  return sum === pages ? parts : undefined;
}

/**
 * The zone a page of memory is in, as `nid/zone`.
 * @param plan  a planned machine
 * @param pfn   page frame
 */
export function zoneKeyOf(plan: LayoutPlan, pfn: number): string | undefined {
  const nid = plan.memory.find((range) => range.startPfn <= pfn && pfn < range.endPfn)?.nid;
  const zone = plan.layout.nodes
    .find((node) => node.nid === nid)
    ?.zones.find((one) => one.startPfn <= pfn && pfn < one.endPfn);
  return zone === undefined ? undefined : `${zone.nid}/${zone.zone}`;
}

/**
 * Pages of a range by zone, as `nid/zone`; pages in no zone are left out.
 * @param plan      a planned machine
 * @param startPfn  first page frame
 * @param endPfn    page frame after the last
 */
export function pagesByZone(
  plan: LayoutPlan,
  startPfn: number,
  endPfn: number,
): Map<string, number> {
  const parts = new Map<string, number>();
  for (const range of plan.memory) {
    const node = plan.layout.nodes.find((one) => one.nid === range.nid);
    for (const zone of node?.zones ?? []) {
      const start = Math.max(startPfn, range.startPfn, zone.startPfn);
      const end = Math.min(endPfn, range.endPfn, zone.endPfn);
      if (start >= end) continue;
      const key = `${zone.nid}/${zone.zone}`;
      parts.set(key, (parts.get(key) ?? 0) + end - start);
    }
  }
  return parts;
}

/**
 * Whether a line was printed after the machine was up, so that it tells of memory added later.
 * @param plan  a planned machine
 * @param line  line number
 */
export function printedAfterBoot(plan: LayoutPlan, line: number): boolean {
  const end = plan.description.printed.memory?.line;
  return end !== undefined && line > end;
}
