/** Stretches of memory by zone, and sums of pages by zone. */
import type { LayoutPlan } from '../plan/layout-plan.js';
import { overlapping } from '../plan/page-frames.js';

/** Pages by `nid/zone`. */
export type ZonePages = Map<string, number>;

/** Adds to a sum. */
export function addTo(map: ZonePages, key: string, pages: number): void {
  map.set(key, (map.get(key) ?? 0) + pages);
}

/** A stretch of one zone's memory. */
interface ZonePart {
  readonly nid: number;
  /** `nid/zone`. */
  readonly key: string;
  readonly startPfn: number;
  readonly endPfn: number;
}

type NodeZones = LayoutPlan['layout']['nodes'][number]['zones'];

/** By layout: asked for once for each of many stretches. */
const zonesByLayout = new WeakMap<LayoutPlan['layout'], ReadonlyMap<number, NodeZones>>();

function zonesByNode({ layout }: LayoutPlan): ReadonlyMap<number, NodeZones> {
  const known = zonesByLayout.get(layout);
  if (known !== undefined) return known;
  const found = new Map(layout.nodes.map(({ nid, zones }) => [nid, zones]));
  zonesByLayout.set(layout, found);
  return found;
}

/** Calls for each stretch of memory of `[startPfn, endPfn)` that lies in one zone. */
export function eachPart(
  plan: LayoutPlan,
  startPfn: number,
  endPfn: number,
  visit: (part: ZonePart) => void,
): void {
  const zonesOf = zonesByNode(plan);
  for (const range of overlapping(plan.memory, startPfn, endPfn)) {
    for (const zone of zonesOf.get(range.nid) ?? []) {
      const start = Math.max(startPfn, range.startPfn, zone.startPfn);
      const end = Math.min(endPfn, range.endPfn, zone.endPfn);
      if (start >= end) continue;
      visit({ nid: zone.nid, key: `${zone.nid}/${zone.zone}`, startPfn: start, endPfn: end });
    }
  }
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
  const parts: ZonePages = new Map();
  eachPart(plan, startPfn, endPfn, (part) => {
    addTo(parts, part.key, part.endPfn - part.startPfn);
  });
  return parts;
}
