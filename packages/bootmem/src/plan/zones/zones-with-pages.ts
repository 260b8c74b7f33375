/**
 * Zones that pages belong to: those that count memory as present, and one that counts none and has some all the same.
 *
 * ```
 *  memory              |==|===================|     none of it mirrored, and it begins between two largest blocks
 *  Movable                |===================|     from the next one on
 *  Normal              |..|...................|     spans all of it, and counts mirrored memory only
 *                      ^^^^ a page of Normal
 * ```
 * The kernel goes by what a zone spans when it links pages to zones. Since 5.14 it goes by what is present as well, and so links
 * these pages to Movable, outside its span; here they stay with Normal.
 * @kernel memmap_init, zone_absent_pages_in_node
 */
import type { ZoneSpan } from '@bootmem/buddy-allocator/zones';
import { byNode } from '../by-node.js';
import type { LayoutPlan } from '../layout-plan.js';

/**
 * Zones with pages, by node and then by kind. O(zones), and O(ranges) where memory is mirrored.
 * @param plan  a planned machine
 */
export function zonesWithPages({
  layout,
  memory,
}: Pick<LayoutPlan, 'layout' | 'memory'>): ZoneSpan[] {
  let memoryOf: ReturnType<typeof byNode<(typeof memory)[number]>> | undefined;
  return layout.nodes.flatMap(({ nid, zones }) => {
    const movable = zones.find(({ zone, spannedPages }) => zone === 'Movable' && spannedPages > 0);
    return zones.filter((zone) => {
      if (zone.presentPages > 0) return true;
      if (movable === undefined || zone === movable || zone.spannedPages === 0) return false;
      memoryOf ??= byNode(memory);
      const endPfn = Math.min(zone.endPfn, movable.startPfn);
      return memoryOf
        .get(nid)
        ?.some((range) => range.startPfn < endPfn && range.endPfn > zone.startPfn);
    });
  });
}
