/**
 * A machine with one zone: what the page allocator got at the hand-over is then one number, which the `Memory:` line tells
 * without any line of memblock.
 *
 * ```
 * Memory: 1912348K/2097152K available (…, 119268K reserved, 65536K cma-reserved)
 *                  └ present           └ not managed yet    └ not yet either
 * ```
 * What was given back before that line is in it already, and is taken off: it is added with all that came late.
 * Pages whose initialisation is deferred are counted as if they were there.
 * @kernel mem_init_print_info
 */
import { giganticPages } from '../../accounts/reserved/totals.js';
import { zeroPages } from '../../accounts/zero-pages.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { countsHoles } from '../../plan/memory-line.js';

/**
 * Managed pages right after the hand-over, by `nid/zone`.
 * @param plan  a planned machine
 * @returns `undefined` with several zones, with gigantic pages, or where the line is of another kind
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
  // Kernels count gigantic pages before or after they print the line.
  if (countsHoles(plan) || giganticPages(plan).length > 0) return undefined;
  const freedKb = description.printed.freeing
    .filter((free) => free.line < line.line)
    .reduce((sum, { kb }) => sum + kb, 0);
  const managedKb = line.totalKb - reservedKb - (line.partsKb['cma-reserved'] ?? 0) - freedKb;
  // Pages of zeros are taken before the line is printed, and counted among what is given and taken later.
  const [zeros = 0] = zeroPages(plan);
  return new Map([[`${zone.nid}/${zone.zone}`, (managedKb * 1024) / pageSize + zeros]]);
}
