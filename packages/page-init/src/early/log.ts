/** Kernel log lines of the early pass; wording is the same in all profiles. */
import { ZONE_NAMES } from '@bootmem/memmap';
import type { InitPlan } from '../plan/plan.js';

/** A byte address as the kernel prints it in node extents. */
function address(bytes: number): string {
  return `0x${bytes.toString(16).padStart(16, '0')}`;
}

/**
 * Node extents, memoryless nodes, and pages in unavailable ranges, in print order.
 * @kernel free_area_init_node, init_unavailable_range
 */
export function initmemLines(plan: InitPlan): string[] {
  const page = 2 ** plan.geometry.pageShift;
  const nodes = plan.nodes.map(({ nid, startPfn, endPfn }) => ({
    nid,
    line: `Initmem setup node ${nid} [mem ${address(startPfn * page)}-${address(endPfn * page - 1)}]`,
  }));
  const memoryless = plan.memorylessNids.map((nid) => ({
    nid,
    line: `Initmem setup node ${nid} as memoryless`,
  }));
  return [
    ...[...nodes, ...memoryless].sort((a, b) => a.nid - b.nid).map(({ line }) => line),
    ...plan.unavailable.map(
      ({ nid, zoneIndex, pages }) =>
        `On node ${nid}, zone ${ZONE_NAMES[zoneIndex]!}: ${pages} pages in unavailable ranges`,
    ),
  ];
}
