/**
 * Pages that joined a zone's managed pages after the hand-over, in the order of the kernel's events. Marks and
 * reserves are set up twice in between, so each free has a stage:
 *
 * ```
 * hand-over ─▶ early ─▶ marks ─▶ devices, gigantic ─▶ marks again ─▶ late ─▶ /proc/zoneinfo
 *              │                 │         │           (huge pages)  └ initrd, unused parts of the image
 *              │                 │         └ gigantic pages
 *              │                 └ EFI boot services (kernels that keep them for deferred init)
 *              └ SMP alternatives, late frees of memblock, CMA areas      areas of kexec hand-over
 * ```
 *
 * `early` is everything up to core initcalls: marks come with the postcore initcalls. Before 5.10 marks were the first of
 * the core initcalls, and CMA areas (`areas`) came right after them. EFI boot services are an
 * arch initcall, gigantic pages a subsys initcall before that of transparent huge pages, which sets marks again.
 */
import { Memblock } from '@bootmem/memblock';
import { planPages } from '../plan/init-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { toPageFrames } from '../plan/page-frames.js';
import { cmaAreas, giganticPages, handoverAreas, optimisedPages } from './taken-areas.js';
import { zeroPages, zoneOfZeroPages } from '../accounts/zero-pages.js';
import { addTo, eachPart, pagesByZone } from './zone-parts.js';
import type { ZonePages } from './zone-parts.js';
import { isFreeInKept, keptPlace } from './kept-memblock.js';
import { imagePart } from './image-frees.js';
import type { ImagePart } from './image-frees.js';

/** When pages were given back; see the picture above. */
export type FreeStage = 'early' | 'areas' | 'devices' | 'gigantic' | 'late';

/** Pages by `nid/zone`, a map for each stage. */
export type LateFrees = Readonly<Record<FreeStage, ReadonlyMap<string, number>>>;

/**
 * What was given back after the hand-over.
 * @param plan  a planned machine
 * @param kept  what is added to is the lists that memblock kept, from which some kernels take what they give back
 * @returns `undefined` when a line names memory whose place is not in the log
 */
export function lateFrees(plan: LayoutPlan, kept = false): LateFrees | undefined {
  const frees: Record<FreeStage, ZonePages> = {
    early: new Map(),
    areas: new Map(),
    devices: new Map(),
    gigantic: new Map(),
    late: new Map(),
  };
  takeZeroPages(plan, frees.early);
  const areas = plan.kernel.printed.areasBeforeMarks ? frees.early : frees.areas;
  const isKnown =
    printedFrees(plan, frees, kept) &&
    memblockFrees(plan, frees) &&
    cmaAreas(plan, areas) &&
    giganticPages(plan, frees.gigantic) &&
    handoverAreas(plan, frees.late) &&
    !optimisedPages(plan);
  return isKnown ? frees : undefined;
}

/** Pages of zeros leave the zone that they are taken from. */
function takeZeroPages(plan: LayoutPlan, early: ZonePages): void {
  const [pages = 0] = zeroPages(plan);
  const key = pages === 0 ? undefined : zoneOfZeroPages(plan);
  if (key !== undefined) addTo(early, key, -pages);
}

const ALL_STAGES: readonly FreeStage[] = ['early', 'areas', 'devices', 'gigantic', 'late'];

/** Sum over stages, by `nid/zone`; over all where none is named. */
export function sumOfFrees(frees: LateFrees, stages = ALL_STAGES): Map<string, number> {
  const sum: ZonePages = new Map();
  for (const stage of stages) for (const [key, pages] of frees[stage]) addTo(sum, key, pages);
  return sum;
}

function sumOf(parts: ReadonlyMap<string, number>): number {
  return [...parts.values()].reduce((sum, pages) => sum + pages, 0);
}

/** `Freeing …` lines; false when one names no place. */
function printedFrees(
  plan: LayoutPlan,
  frees: Record<FreeStage, ZonePages>,
  kept: boolean,
): boolean {
  return plan.description.printed.freeing.every(({ what, kb }) => {
    const pages = (kb * 1024) / plan.pageSize;
    const isBootServices = /boot services/i.test(what);
    const place = isBootServices ? undefined : freedPlace(plan, what, pages);
    // Some kernels take an initrd out of the lists, some do not; only its place would tell.
    if (kept && place?.exact === false && /initrd/i.test(what)) return false;
    const parts = isBootServices
      ? bootServices(plan, pages)
      : place !== undefined && kept && isMemory(plan, place) && isFreeInKept(plan, place)
        ? notGivenBack(plan, place)
        : partsOf(plan, place, pages);
    const stage = /boot services/i.test(what)
      ? frees.devices
      : /SMP alternatives/i.test(what)
        ? frees.early
        : frees.late;
    for (const [key, own] of parts ?? []) addTo(stage, key, own);
    return parts !== undefined;
  });
}

/** Whether a place is memory: what no list has in use may be none at all, as what lies above `mem=`. */
function isMemory(plan: LayoutPlan, { startPfn, endPfn }: ImagePart): boolean {
  return sumOf(pagesByZone(plan, startPfn, endPfn)) > 0;
}

/** Less what the kept lists call free and nobody was given: the last page of an initrd that it did not fill. */
function notGivenBack(plan: LayoutPlan, place: ImagePart): Map<string, number> {
  const { endPfn, restPages = 0 } = place;
  const rest = { startPfn: endPfn, endPfn: endPfn + restPages, exact: true };
  const isFree = restPages > 0 && isFreeInKept(plan, rest);
  const parts = isFree ? pagesByZone(plan, rest.startPfn, rest.endPfn) : new Map<string, number>();
  return new Map([...parts].map(([key, pages]) => [key, -pages]));
}

/** Where freed pages lie. */
function freedPlace(plan: LayoutPlan, what: string, pages: number): ImagePart | undefined {
  const { architecture } = plan.description;
  if (architecture !== 'x86_64' && architecture !== 'i386') return keptPlace(plan, what, pages);
  if (!/initrd/i.test(what)) return imagePart(plan, what, pages);
  const { ramdisk } = plan.description.printed;
  if (ramdisk === undefined || isAboveLowmem(plan, ramdisk)) return undefined;
  const [place] = toPageFrames([ramdisk], plan.pageSize, 'outward');
  if (place === undefined) return undefined;
  const { startPfn, endPfn } = place;
  return { startPfn, endPfn, exact: endPfn - startPfn === pages };
}

/** An initrd that the loader left in HighMem was moved, which has a line of its own. @kernel relocate_initrd */
function isAboveLowmem({ layout, pageSize }: LayoutPlan, { end }: { end: number }): boolean {
  const index = layout.limits.findIndex(({ zone }) => zone === 'HighMem');
  const lowest = layout.lowestPfn[index] ?? Infinity;
  return end > lowest * pageSize && layout.highestPfn[index]! > lowest;
}

/** Pages of a place by zone; `undefined` when it is not exact and lies in several zones, or in none. */
function partsOf(
  plan: LayoutPlan,
  place: ImagePart | undefined,
  pages: number,
): Map<string, number> | undefined {
  if (place === undefined) return undefined;
  const parts = pagesByZone(plan, place.startPfn, place.endPfn);
  // A place outside memory is none: an initrd that lay there was moved.
  if (place.exact) return sumOf(parts) === pages ? parts : undefined;
  const [key] = parts.keys();
  return key === undefined || parts.size > 1 ? undefined : new Map([[key, pages]]);
}

/**
 * `memblock_free_late`: whole pages go to the page allocator. One whose descriptor is not initialised yet, because
 * deferred initialisation is still to come, is skipped and lost: that pass takes what memblock calls free, and this
 * range is still reserved there.
 */
function memblockFrees(plan: LayoutPlan, frees: Record<FreeStage, ZonePages>): boolean {
  const { memblock, printed } = plan.description;
  const freed = memblock.operations.flatMap((one) => (one.op === 'free-late' ? [one] : []));
  if (freed.length === 0) return true;
  const deferredAt = new Map(printed.deferred.map(({ nid, line }) => [nid, line]));
  const { nodes } = planPages(plan, new Memblock(), true);
  const firstDeferred = new Map(nodes.map(({ nid, firstDeferredPfn }) => [nid, firstDeferredPfn]));
  let isKnown = true;
  for (const { startPfn, endPfn, line } of toPageFrames(freed, plan.pageSize, 'inward')) {
    eachPart(plan, startPfn, endPfn, (part) => {
      const isDeferred = line < (deferredAt.get(part.nid) ?? 0);
      // Without its line the node's pass was before or after, or never.
      const first = firstDeferred.get(part.nid) ?? Infinity;
      if (!deferredAt.has(part.nid) && part.endPfn > first) isKnown = false;
      const limit = isDeferred ? (firstDeferred.get(part.nid) ?? Infinity) : Infinity;
      const pages = Math.min(part.endPfn, limit) - part.startPfn;
      if (pages > 0) addTo(frees.early, part.key, pages);
    });
  }
  return isKnown;
}

/** Where memory begins that is not kept for firmware's own ways, bytes. */
const LOW_END = 2 ** 20;

/**
 * EFI boot services memory by zone: the ranges that were kept for it, if they add up to what was freed.
 * @param plan   a planned machine
 * @param pages  pages that the log says were freed
 * @kernel efi_free_boot_services
 */
function bootServices(plan: LayoutPlan, pages: number): Map<string, number> | undefined {
  const parts: ZonePages = new Map();
  const lowest = plan.kernel.printed.keepsLowBootServices ? LOW_END : 0;
  const kept = plan.description.memblock.operations.flatMap((one) =>
    one.op === 'reserve' && one.caller.includes('efi_reserve_boot_services')
      ? [{ start: Math.max(one.start, lowest), end: one.end }]
      : [],
  );
  for (const { startPfn, endPfn } of toPageFrames(kept, plan.pageSize, 'outward')) {
    eachPart(plan, startPfn, endPfn, (part) => {
      addTo(parts, part.key, part.endPfn - part.startPfn);
    });
  }
  return sumOf(parts) === pages ? parts : undefined;
}

/**
 * Whether a line was printed after the machine was up, so that it tells of memory added later.
 * @param plan  a planned machine
 * @param line  line number
 */
export function printedAfterBoot({ description: { printed } }: LayoutPlan, line: number): boolean {
  // The lists are built right before that, and nothing about zones is printed in between.
  const end = printed.memory?.line ?? printed.policyZone?.line ?? printed.zonelists?.line;
  return end !== undefined && line > end;
}
