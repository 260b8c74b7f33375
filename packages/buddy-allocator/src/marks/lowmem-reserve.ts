/**
 * Pages of a lower zone that requests which could be served higher up must leave alone.
 *
 * A request names the highest zone it may use; a zone below it keeps `reserve[zone][highest]` pages on top
 * of its mark. The reserve is the memory between the two zones divided by the lower zone's ratio.
 *
 * Source: reference of the buddy allocator, section 8; sysctl/vm.rst (lowmem_reserve_ratio)
 */
import type { ZoneName } from '@bootmem/memmap';
import type { KernelProfile } from './profile.js';
import type { ManagedZone } from './watermarks.js';

/** Default of `lowmem_reserve_ratio`; zones that are missing have ratio 0, that is no reserve. */
const DEFAULT_LOWMEM_RESERVE_RATIO: Readonly<Partial<Record<ZoneName, number>>> = {
  DMA: 256,
  DMA32: 256,
  Normal: 32,
  HighMem: 0,
  Movable: 0,
};

/**
 * Reserves of one node.
 * @param zones      all zones of the node in index order, empty ones included
 * @param ratios     of each zone; 0 is no reserve
 * @param emptyZones whether zones without pages have one, as before 5.8
 * @returns `result[i][j]`: pages zone i keeps from requests whose highest zone is j; 0 for j <= i
 * @kernel setup_per_zone_lowmem_reserve
 */
export function lowmemReserve(
  zones: readonly ManagedZone[],
  ratios: Readonly<Partial<Record<ZoneName, number>>> = DEFAULT_LOWMEM_RESERVE_RATIO,
  emptyZones: KernelProfile['emptyZoneReserve'] = 'none',
): number[][] {
  return zones.map(({ zone, managedPages }, i) => {
    const ratio = managedPages === 0 && emptyZones === 'none' ? 0 : (ratios[zone] ?? 0);
    let above = 0;
    return zones.map((upper, j) => {
      if (j <= i) return 0;
      above += upper.managedPages;
      return ratio < 1 ? 0 : Math.floor(above / ratio);
    });
  });
}

/**
 * Pages that ordinary allocations cannot count on: per zone the largest reserve and the high mark, but
 * never more than the zone has.
 * @param zones all zones with their reserves and marks
 * @kernel calculate_totalreserve_pages
 */
export function totalReservePages(
  zones: readonly {
    readonly managedPages: number;
    readonly high: number;
    readonly lowmemReserve: readonly number[];
  }[],
): number {
  return zones.reduce(
    (sum, zone) =>
      sum + Math.min(zone.managedPages, Math.max(0, ...zone.lowmemReserve) + zone.high),
    0,
  );
}
