/**
 * A machine with one zone: what the page allocator got at the hand-over is then one number, which the `Memory:` line tells
 * without any line of memblock.
 *
 * ```
 * Memory: 1912348K/2097152K available (…, 119268K reserved, 65536K cma-reserved)
 *                  └ present           └ not managed yet    └ not yet either
 * ```
 * Pages whose initialisation is deferred are counted as if they were there.
 * @kernel mem_init_print_info
 */
import { zeroPages } from '../../accounts/zero-pages.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { countsHoles } from '../../plan/memory-line.js';

/**
 * Managed pages right after the hand-over, by `nid/zone`.
 * @param plan  a planned machine
 * @returns `undefined` with several zones, or where the line is of another kind
 */
export function soleZonePages(plan: LayoutPlan): Map<string, number> | undefined {
  const { description, layout, pageSize } = plan;
  const zones = layout.nodes.flatMap((node) => node.zones.filter((zone) => zone.presentPages > 0));
  const [zone] = zones;
  const line = description.printed.memory;
  const reservedKb = line?.partsKb['reserved'];
  if (zone === undefined || zones.length > 1 || line === undefined || reservedKb === undefined) {
    return undefined;
  }
  if (countsHoles(plan)) return undefined;
  const managedKb = line.totalKb - reservedKb - (line.partsKb['cma-reserved'] ?? 0);
  // Pages of zeros are taken before the line is printed, and counted among what is given and taken later.
  const [zeros = 0] = zeroPages(plan);
  return new Map([[`${zone.nid}/${zone.zone}`, (managedKb * 1024) / pageSize + zeros]]);
}
