/** Watermarks and lowmem reserves of all zones, as text. */
import { lowmemReserve } from '@bootmem/buddy-allocator/zones';
import { marksOf } from '../../check/facts/possible-marks.js';
import type { FreeStage } from '../../check/late-frees.js';
import { byNode } from '../../plan/by-node.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';

/** Bytes of memory from which on a kernel uses transparent huge pages. */
const HUGE_PAGES_FROM = 2 ** 29;

/** Marks and reserves by `nid/zone`, as text. */
export function marksAndReserves(
  plan: LayoutPlan,
  managedAfter: (stages: readonly FreeStage[]) => Map<string, number> | undefined,
  hasHugePages: boolean,
): Map<string, { marks: string; reserve: string }> | undefined {
  const zones = plan.layout.nodes.flatMap((node) =>
    node.zones.map(({ nid, zone, presentPages }) => ({ nid, zone, present: presentPages })),
  );
  const at = (stages: readonly FreeStage[]): number[] | undefined => {
    const managed = managedAfter(stages);
    return managed === undefined
      ? undefined
      : zones.map(({ nid, zone }) => managed.get(`${nid}/${zone}`) ?? 0);
  };
  const [setUp, raised, final] = [
    at(['early']),
    at(['early', 'devices', 'gigantic']),
    at(['early', 'devices', 'gigantic', 'late']),
  ];
  const reserved = {
    'marked-pages': setUp,
    'marked-and-gigantic': at(['early', 'gigantic']),
    'managed-pages': final,
  }[plan.kernel.printed.reservesOf];
  const all = marksOf(zones, { setUp, raised }, { plan, profile: plan.kernel.buddy });
  if (all === undefined || reserved === undefined) return undefined;
  // Huge pages are off, and raise nothing, on a machine with too little memory for them.
  const total = raised!.reduce((sum, pages) => sum + pages, 0) * plan.pageSize;
  const isRaised = total >= HUGE_PAGES_FROM && hasHugePages;
  // Which of two sizes huge pages have shows in today's marks alone.
  if (isRaised && all.hugePages.length > 1) return undefined;
  const { marks } = (isRaised ? all.hugePages[0] : undefined) ?? all.plain[0];
  const result = new Map<string, { marks: string; reserve: string }>();
  const indexed = zones.map((zone, index) => ({ nid: zone.nid, zone, index }));
  for (const [nid, own] of byNode(indexed)) {
    const rows = lowmemReserve(
      own.map(({ zone, index }) => ({ zone: zone.zone, managedPages: reserved[index]! })),
    );
    for (const [at_, { zone, index }] of own.entries()) {
      const { min, low, high } = marks[index]!;
      result.set(`${nid}/${zone.zone}`, {
        marks: `${min} ${low} ${high}`,
        reserve: rows[at_]!.join(' '),
      });
    }
  }
  return result;
}
