/** Zones: extents, managed pages, watermarks and reserves. */
import { isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { lateFrees, sumOfFrees } from '../../check/late-frees.js';
import type { FreeStage, LateFrees } from '../../check/late-frees.js';
import { addTo, eachPart } from '../../check/zone-parts.js';
import type { ZonePages } from '../../check/zone-parts.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { toPageFrames } from '../../plan/page-frames.js';
import type { BootState } from '../boot-state.js';
import type { Figure } from './figure.js';
import { marksAndReserves } from './marks.js';

const NO_PLACE = 'where something is given back late is not in the log';
const NO_SIZE = 'which of two sizes huge pages have is not in the log without /proc/pagetypeinfo';

export function* zoneFigures(
  plan: LayoutPlan,
  state: BootState,
  hasHugePages: boolean,
): Steps<Figure[]> {
  const zones = plan.layout.nodes.flatMap((node) =>
    node.zones.filter((zone) => zone.spannedPages > 0),
  );
  const frees = lateFrees(plan);
  yield;
  const free = yield* freeByZone(plan, state);
  yield;
  const stages = (names: readonly FreeStage[]): Map<string, number> | undefined =>
    frees === undefined ? undefined : managedPages(free, frees, names);
  const final = stages(['early', 'devices', 'gigantic', 'late']);
  const marks = marksAndReserves(plan, stages, hasHugePages);
  const key = ({ nid, zone }: { nid: number; zone: string }): string => `${nid}/${zone}`;
  const unknown = final === undefined ? { unknown: NO_PLACE } : {};
  const unmarked = marks === undefined ? { unknown: NO_SIZE, ...unknown } : {};
  return zones.flatMap((zone): Figure[] => {
    const name = `node ${zone.nid} ${zone.zone}`;
    const own = { group: 'zones', unit: 'pages' } as const;
    const layout = { ...own, basis: 'layout' } as const;
    const managed = final?.get(key(zone)) ?? 0;
    const mark = marks?.get(key(zone));
    return [
      { ...layout, id: `${name} start`, label: `${name}, first page`, value: zone.startPfn },
      { ...layout, id: `${name} spanned`, label: `${name}, spanned`, value: zone.spannedPages },
      { ...layout, id: `${name} present`, label: `${name}, present`, value: zone.presentPages },
      {
        ...own,
        ...unknown,
        basis: 'state',
        id: `${name} managed`,
        label: `${name}, managed`,
        ...(final === undefined ? {} : { value: managed }),
      },
      ...(managed === 0 && final !== undefined
        ? []
        : [
            {
              ...own,
              ...unmarked,
              basis: 'state' as const,
              unit: 'text' as const,
              id: `${name} marks`,
              label: `${name}, watermarks`,
              ...(mark === undefined ? {} : { value: mark.marks }),
            },
            {
              ...own,
              ...unmarked,
              basis: 'state' as const,
              unit: 'text' as const,
              id: `${name} reserve`,
              label: `${name}, lowmem reserve`,
              ...(mark === undefined ? {} : { value: mark.reserve }),
            },
          ]),
    ];
  });
}

/** Pages that are free at the hand-over, by `nid/zone`. */
function* freeByZone(plan: LayoutPlan, { memblock }: BootState): Steps<ZonePages> {
  const pages: ZonePages = new Map();
  const free = toPageFrames([...memblock.freeRanges()], plan.pageSize, 'inward');
  for (const [index, { startPfn, endPfn }] of free.entries()) {
    if (isStep(index)) yield;
    eachPart(plan, startPfn, endPfn, (part) => {
      addTo(pages, part.key, part.endPfn - part.startPfn);
    });
  }
  return pages;
}

/** Managed pages by `nid/zone` once some stages of late frees are over. */
function managedPages(
  free: ZonePages,
  frees: LateFrees,
  stages: readonly FreeStage[],
): Map<string, number> {
  const managed = sumOfFrees(frees, stages);
  for (const [key, pages] of free) addTo(managed, key, pages);
  return managed;
}
