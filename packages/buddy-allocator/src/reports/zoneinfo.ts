/** The text of /proc/zoneinfo. Source: reference of the buddy allocator, section 10 */
import { NUMA_ITEMS, type KernelProfile } from '../marks/profile.js';
import type { Counters, PagesetReport, ZoneinfoReport } from './report-types.js';

const item = (name: string, value: number): string => `\n      ${name.padEnd(12)} ${value}`;

/** Items of `names` in order (0 where missing), then what else is in `counters`. */
function items(names: readonly string[], counters: Counters): string {
  const known = names.map((name) => item(name, counters[name] ?? 0));
  const further = Object.keys(counters)
    .filter((name) => !names.includes(name))
    .map((name) => item(name, counters[name]!));
  return [...known, ...further].join('');
}

function formatPageset(pageset: PagesetReport, profile: KernelProfile): string {
  const { cpu, count, high, batch, highMin = 0, highMax = 0, threshold } = pageset;
  const values = [count, high, batch, highMin, highMax];
  const lines = profile.pagesetLabels.map((label, i) => `\n              ${label}${values[i]!}`);
  return `\n    cpu: ${cpu}${lines.join('')}\n  vm stats threshold: ${threshold}`;
}

function formatZone(
  zone: ZoneinfoReport,
  isFirstPopulated: boolean,
  profile: KernelProfile,
): string {
  let text = `Node ${zone.nid}, zone ${zone.zone.padStart(8)}`;
  if (isFirstPopulated) {
    text += `\n  per-node stats${items(profile.nodeItems, zone.nodeCounters)}`;
  }
  text += `\n  pages free     ${zone.freePages}`;
  const counts: [string, number][] = [
    ['boost', zone.boost],
    ['min', zone.min],
    ['low', zone.low],
    ['high', zone.high],
    ...(profile.printsPromo ? ([['promo', zone.promo ?? 0]] as [string, number][]) : []),
    ['spanned', zone.spannedPages],
    ['present', zone.presentPages],
    ['managed', zone.managedPages],
    ['cma', zone.cmaPages],
  ];
  for (const [name, value] of counts) text += `\n        ${name.padEnd(8)} ${value}`;
  text += `\n        protection: (${zone.protection.join(', ')})`;
  // A zone without memory has neither counters nor caches.
  if (zone.presentPages === 0) return `${text}\n`;
  text += items(profile.zoneItems, { nr_free_pages: zone.freePages, ...zone.counters });
  if (zone.numa !== undefined) text += items(NUMA_ITEMS, zone.numa);
  text += '\n  pagesets';
  for (const pageset of zone.pagesets) text += formatPageset(pageset, profile);
  text += `\n  node_unreclaimable:  ${zone.nodeUnreclaimable ? 1 : 0}`;
  text += `\n  start_pfn:           ${zone.startPfn}`;
  if (profile.printsHighatomic) {
    text += `\n  reserved_highatomic: ${zone.reservedHighatomic ?? 0}`;
    text += `\n  free_highatomic:     ${zone.freeHighatomic ?? 0}`;
  }
  return `${text}\n`;
}

/**
 * All zones, empty ones included.
 * @param zones by node and zone index
 * @kernel zoneinfo_show
 */
export function formatZoneinfo(zones: readonly ZoneinfoReport[], profile: KernelProfile): string {
  const seen = new Set<number>();
  return zones
    .map((zone) => {
      const isFirst = zone.presentPages > 0 && !seen.has(zone.nid);
      if (isFirst) seen.add(zone.nid);
      return formatZone(zone, isFirst, profile);
    })
    .join('');
}
