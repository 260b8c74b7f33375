/**
 * Memory that was taken before the hand-over and joins managed pages when its user takes it over: areas of the contiguous
 * allocator, huge pages too large for the page allocator, scratch areas of kexec hand-over. Each rule adds pages to its stage,
 * and says false where the log does not show what was taken.
 */
import { normalise, subtract } from '@bootmem/firmware-map/derive';
import type { ByteRange, MemblockOperation } from '@bootmem/firmware-map/types';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { toPageFrames } from '../plan/page-frames.js';
import { addTo, eachPart } from './zone-parts.js';
import type { ZonePages } from './zone-parts.js';

type CmaAreas = NonNullable<LayoutPlan['description']['printed']['cma']>;

/** Areas of the contiguous allocator, handed over by a core initcall; false when one names no place. */
export function cmaAreas(plan: LayoutPlan, stage: ZonePages): boolean {
  const areas = activated(plan);
  if (areas === undefined) return false;
  const { operations } = plan.description.memblock;
  const kept = operations.length === 0 ? keptAreas(plan, areas) : undefined;
  for (const [index, { start, bytes, line }] of areas.entries()) {
    const before = areas[index - 1]?.line ?? 0;
    const ranges =
      start === undefined
        ? (reservedBefore(operations, { from: before, to: line, bytes }) ?? kept?.splice(0))
        : [{ start, end: start + bytes }];
    if (ranges === undefined) return false;
    for (const { startPfn, endPfn } of toPageFrames(ranges, plan.pageSize, 'inward')) {
      eachPart(plan, startPfn, endPfn, (part) => {
        addTo(stage, part.key, part.endPfn - part.startPfn);
      });
    }
  }
  return true;
}

/**
 * Areas that reached the page allocator. One that could not be activated is given back to it page by page; before 5.12 its
 * pages stayed reserved, and the line names it in words that the line about its reservation does not have.
 * @returns `undefined` where it is not known which ones
 */
function activated({ description, kernel }: LayoutPlan): CmaAreas | undefined {
  const { cma: areas = [], failures = [] } = description.printed;
  const failed = failures.filter(({ text }) => text.includes('could not be activated')).length;
  if (failed === 0 || kernel.printed.givesFailedAreasBack) return areas;
  return failed >= areas.length ? [] : undefined;
}

/**
 * The last reservations between two lines that add up to an amount: those of an area whose line names no place.
 * An area is reserved range by range right before its line.
 */
function reservedBefore(
  operations: readonly MemblockOperation[],
  wanted: { readonly from: number; readonly to: number; readonly bytes: number },
): { start: number; end: number }[] | undefined {
  const ranges: { start: number; end: number }[] = [];
  let left = wanted.bytes;
  for (let index = operations.length - 1; index >= 0 && left > 0; index--) {
    const one = operations[index]!;
    if (one.op !== 'reserve' || one.line > wanted.to) continue;
    if (one.line <= wanted.from || one.end - one.start > left) return undefined;
    ranges.push(one);
    left -= one.end - one.start;
  }
  return left === 0 ? ranges : undefined;
}

/**
 * All areas whose lines name no place, from the lists that memblock kept: those of hugetlb, made of whole pages of its largest
 * size, if no more of such pages are reserved.
 */
function keptAreas({ description }: LayoutPlan, areas: CmaAreas): ByteRange[] | undefined {
  const { proc, printed } = description;
  const size = printed.hugetlb.reduce((most, { pageBytes }) => Math.max(most, pageBytes), 0);
  const placed = areas.flatMap(({ start, bytes }) =>
    start === undefined ? [] : [{ start, end: start + bytes }],
  );
  const bytes = areas.reduce((sum, area) => sum + (area.start === undefined ? area.bytes : 0), 0);
  if (size === 0 || bytes === 0) return undefined;
  const left = subtract(normalise(proc.memblock?.reserved ?? []), placed);
  const pages = left.flatMap((range) => wholePages(range, size));
  return pages.length * size === bytes ? pages : undefined;
}

/**
 * Huge pages taken from memblock (of 1 GiB on x86): outside managed pages until hugetlb's initcall takes them over.
 * The request names who asks; the reservation after it is the page.
 */
export function giganticPages(plan: LayoutPlan, stage: ZonePages): boolean {
  const { operations } = plan.description.memblock;
  const asked = operations.flatMap((one, index) => {
    const request = operations[index - 1];
    const isPage =
      one.op === 'reserve' &&
      request?.op === 'alloc' &&
      /alloc_bootmem|bootmem_huge_page|alloc_hugetlb/.test(
        `${request.kernelName} ${request.caller}`,
      ) &&
      request.align === request.size &&
      one.end - one.start === request.size;
    return isPage ? [one] : [];
  });
  if (asked.length === 0 && lacksSize(plan)) return false;
  const bytes = asked.reduce((sum, { start, end }) => sum + end - start, 0);
  const pages = bytes < giganticBytes(plan) ? keptPages(plan) : asked;
  if (pages === undefined) return false;
  // All of a page counts in the zone that it begins in.
  for (const { startPfn, endPfn } of toPageFrames(pages, plan.pageSize, 'inward')) {
    eachPart(plan, startPfn, startPfn + 1, ({ key }) => {
      addTo(stage, key, endPfn - startPfn);
    });
  }
  return true;
}

/** Bytes of one block of the page allocator at most: larger pages come from memblock. By bytes of a page; ppc64 has its own. */
const LARGEST_BLOCK: Readonly<Record<number, number>> = {
  4096: 2 ** 22,
  16384: 2 ** 25,
  65536: 2 ** 29,
};

/** Bytes of the largest page that comes from the page allocator. */
function largestBlock({ description, pageSize }: LayoutPlan): number {
  return description.architecture === 'ppc64' ? 2 ** 24 : (LARGEST_BLOCK[pageSize] ?? 0);
}

/** Whether pages of a size were asked for that hugetlb says nothing of, neither how many it has nor that it has none of them. */
function lacksSize(plan: LayoutPlan): boolean {
  const { options, printed } = plan.description;
  const isRefused = (printed.failures ?? []).some(({ text }) =>
    text.includes('HugeTLB: unsupported'),
  );
  return (
    !isRefused &&
    options.hugepages.some(({ pageBytes = options.defaultHugepageSize ?? 0, count, perNode }) => {
      const isAsked = (count ?? 0) > 0 || perNode !== undefined;
      const isNamed = printed.hugetlb.some((line) => line.pageBytes === pageBytes);
      return isAsked && pageBytes > largestBlock(plan) && !isNamed;
    })
  );
}

/** Huge pages that memblock must have given, as hugetlb counts them; none where areas of its own are their source. */
function giganticSizes(plan: LayoutPlan): { size: number; count: number }[] {
  const { description } = plan;
  if (/(?:^|\s)hugetlb_cma=/.test(description.commandLine?.text ?? '')) return [];
  const largest = largestBlock(plan);
  return description.printed.hugetlb
    .filter(({ pageBytes, preallocated }) => pageBytes > largest && preallocated > 0)
    .map(({ pageBytes, preallocated }) => ({ size: pageBytes, count: preallocated }));
}

function giganticBytes(plan: LayoutPlan): number {
  return giganticSizes(plan).reduce((sum, { size, count }) => sum + size * count, 0);
}

/** Mark of what is reserved and has no descriptors of its own: all of a gigantic page but its first. */
const NO_INIT = 0x10;

/**
 * The same from the lists that memblock kept: marked behind their first page (from 6.6 on), else aligned and reserved as a whole
 * where that is true of no other place, larger pages and areas of the contiguous allocator aside.
 */
function keptPages(plan: LayoutPlan): ByteRange[] | undefined {
  const { proc, printed } = plan.description;
  const kept = proc.memblock?.reserved ?? [];
  const areas = (printed.cma ?? []).flatMap(({ start, bytes }) =>
    start === undefined ? [] : [{ start, end: start + bytes }],
  );
  const pages: ByteRange[] = [];
  for (const { size, count } of giganticSizes(plan).toSorted((a, b) => b.size - a.size)) {
    const marked = kept
      .filter(({ flags }) => (flags & NO_INIT) !== 0)
      .map(({ start, end }) => ({ start: start - plan.pageSize, end }))
      .filter(({ start, end }) => end - start === size && start % size === 0);
    const left = subtract(normalise(kept), [...pages, ...areas]);
    const own = marked.length > 0 ? marked : left.flatMap((range) => wholePages(range, size));
    if (own.length !== count) return undefined;
    pages.push(...own);
  }
  return pages;
}

/** Aligned pieces of a size that lie in a range. */
function wholePages({ start, end }: ByteRange, size: number): ByteRange[] {
  const first = Math.ceil(start / size);
  const count = Math.max(0, Math.floor(end / size) - first);
  return Array.from({ length: count }, (_, index) => ({
    start: (first + index) * size,
    end: (first + index + 1) * size,
  }));
}

/**
 * Whether descriptors of huge pages were given back to the page allocator, so many that no line tells: with
 * `hugetlb_free_vmemmap`, of every page that hugetlb has at boot. From 6.15 on those of gigantic pages are never taken in the
 * first place (`memblock=debug` shows it), those of the page allocator's huge pages still are.
 */
export function optimisedPages({ description, kernel, pageSize }: LayoutPlan): boolean {
  const words = description.commandLine?.text ?? '';
  if (!/(?:^|\s)hugetlb_free_vmemmap=(?:on|1|[yYtT])/.test(words)) return false;
  const isGigantic = (bytes: number): boolean => bytes > (LARGEST_BLOCK[pageSize] ?? 0);
  return description.printed.hugetlb.some(
    ({ pageBytes, preallocated }) =>
      preallocated > 0 && !(kernel.printed.leavesOutDescriptors && isGigantic(pageBytes)),
  );
}

/** Bytes of an entry in the kernel's list of hand-over areas. */
const HANDOVER_ENTRY = 16;

/**
 * Scratch areas of kexec hand-over (6.16 and later, `kho=on`): reserved in one go, given to the page allocator as
 * contiguous memory by a file system initcall. First comes the list of areas, whose size says how many there are; the
 * areas are the reservations after it: one low, one anywhere, one for each node.
 */
export function handoverAreas(plan: LayoutPlan, stage: ZonePages): boolean {
  const { operations } = plan.description.memblock;
  const at = operations.findIndex(
    (one) =>
      one.op === 'alloc' && one.caller.startsWith('kho_') && !one.kernelName.includes('phys'),
  );
  const list = operations[at];
  // Without any line of memblock=debug nothing tells where they are, or whether hand-over is built in.
  if (list?.op !== 'alloc') return operations.length > 0 || !asksForHandover(plan);
  const count = Math.floor(list.size / HANDOVER_ENTRY);
  const taken = operations.slice(at).flatMap((one) => (one.op === 'reserve' ? [one] : []));
  const areas = taken.slice(1, 1 + count);
  if (areas.length < count) return false;
  for (const { startPfn, endPfn } of toPageFrames(areas, plan.pageSize, 'inward')) {
    eachPart(plan, startPfn, endPfn, (part) => {
      addTo(stage, part.key, part.endPfn - part.startPfn);
    });
  }
  return true;
}

function asksForHandover({ description, kernel }: LayoutPlan): boolean {
  const words = description.commandLine?.text ?? '';
  return kernel.memblock.marksLowScratch && /(?:^|\s)kho=(?:on|1|[yYtT])/.test(words);
}
