/**
 * Pages of zeros that a kernel takes from the page allocator right after the hand-over and no longer counts as managed:
 * on MIPS as many as the cache has colours, on s390x up to 128. From 6.15 on they come from memblock.
 * @kernel setup_zero_pages
 */
import type { LayoutPlan } from '../plan/layout-plan.js';

/** Orders of what s390x takes: most with a lot of memory, less where that would be more than a thousandth of a thousandth. */
const S390X_ORDERS = { most: 7, least: 2 };

/** Pages of MIPS: one, or eight where the cache has virtual coherency exceptions. */
const MIPS_PAGES = [1, 8];

/**
 * How many pages that can be, the usual number first.
 * @param plan  a planned machine
 * @returns `[0]` where a kernel takes none
 */
export function zeroPages(plan: LayoutPlan): readonly number[] {
  const { description, kernel, pageSize } = plan;
  if (!kernel.printed.allocatesZeroPages) return [0];
  if (description.architecture === 'mips') return MIPS_PAGES;
  if (description.architecture !== 's390x') return [0];
  const free = ((description.printed.memory?.availableKb ?? 0) * 1024) / pageSize;
  let order = S390X_ORDERS.most;
  while (order > S390X_ORDERS.least && free / 1024 < 2 ** order) order--;
  return [2 ** order];
}

/** The zone that they come from, as `nid/zone`: the highest that the kernel maps. */
export function zoneOfZeroPages({ layout }: LayoutPlan): string | undefined {
  const zones = layout.nodes.find(({ presentPages }) => presentPages > 0)?.zones ?? [];
  const zone = zones.findLast(
    (one) => one.presentPages > 0 && one.zone !== 'HighMem' && one.zone !== 'Movable',
  );
  return zone === undefined ? undefined : `${zone.nid}/${zone.zone}`;
}
