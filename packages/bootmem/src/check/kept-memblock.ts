/**
 * Where late frees lie on the architectures that print no place: from the lists of memblock that they keep after boot,
 * from /proc/iomem, from the reservation that was made for the initrd; else somewhere in memory, which tells the zone on
 * a machine with one.
 *
 * ```
 * reserved, kept   [== image ==]        [== image ==]      newer kernels take what they free out of the list:
 *                              [initmem]                   a gap of exactly the pages that were freed
 * ```
 */
import type { LayoutPlan } from '../plan/layout-plan.js';
import { toPageFrames } from '../plan/page-frames.js';
import type { ImagePart } from './image-frees.js';
import { pagesByZone } from './zone-parts.js';

/** Who reserves the initrd. */
const INITRD_CALLERS =
  /arm64_memblock_init|reserve_initrd_mem|early_init_devtree|early_reserve_mem/;

/** The ppc64 image lies at address 0, or in a crash kernel a little above. */
const PPC64_IMAGE_END = 2 ** 26;

/**
 * Where freed pages lie on an architecture other than x86.
 * @param plan   a planned machine
 * @param what   as the line of `Freeing …` words it
 * @param pages  how many
 */
export function keptPlace(plan: LayoutPlan, what: string, pages: number): ImagePart {
  const isInitrd = /initrd/i.test(what);
  const place = isInitrd ? initrdPlace(plan, pages) : initmemPlace(plan, pages);
  const first = plan.memory[0]?.startPfn ?? 0;
  const isS390x = plan.description.architecture === 's390x';
  const isLow = isS390x && plan.kernel.printed.s390InitrdLow && (isInitrd || /sccb/i.test(what));
  const end = isLow ? S390_LOADER_END / plan.pageSize : Infinity;
  return place ?? { startPfn: first, endPfn: Math.min(end, mappedEnd(plan)), exact: false };
}

/** What the loader of s390x reaches with addresses of 31 bits: an initrd lies there, and so do blocks of the service processor. */
const S390_LOADER_END = 2 ** 31;

/** Where memory ends that the kernel can give back by its own addresses: all below HighMem. */
function mappedEnd({ layout, memory }: LayoutPlan): number {
  const index = layout.limits.findIndex(({ zone }) => zone === 'HighMem');
  const end = memory.at(-1)?.endPfn ?? 0;
  return index < 0 ? end : Math.min(end, layout.lowestPfn[index]!);
}

function initrdPlace(plan: LayoutPlan, pages: number): ImagePart | undefined {
  const { printed, memblock } = plan.description;
  const reserved = memblock.operations.flatMap((one) =>
    one.op === 'reserve' && INITRD_CALLERS.test(one.caller) ? [one] : [],
  );
  const candidates = [
    ...(printed.ramdisk === undefined ? [] : [printed.ramdisk]),
    ...reserved,
    ...noLongerReserved(plan),
  ];
  // Its last page may be shared with what lies behind it: then it is not given back.
  const place = toPageFrames(candidates, plan.pageSize, 'outward').find(
    ({ startPfn, endPfn }) => endPfn - startPfn === pages || endPfn - startPfn === pages + 1,
  );
  if (place === undefined) return undefined;
  const endPfn = place.startPfn + pages;
  return { startPfn: place.startPfn, endPfn, exact: true, restPages: place.endPfn - endPfn };
}

/** What /proc/iomem, written before the late frees, calls reserved and the kept list does not. */
function noLongerReserved({ description }: LayoutPlan): { start: number; end: number }[] {
  const { iomem = [], memblock } = description.proc;
  if (memblock === undefined) return [];
  return iomem.filter(
    ({ name, depth, start }) =>
      depth > 0 &&
      /^reserved$/i.test(name) &&
      !memblock.reserved.some((region) => region.start <= start && start < region.end),
  );
}

function initmemPlace(plan: LayoutPlan, pages: number): ImagePart | undefined {
  return freedGap(plan, pages) ?? gapInImage(plan, pages);
}

/** The gap between two kept reservations that is as large as what was freed. */
function freedGap({ description, pageSize }: LayoutPlan, pages: number): ImagePart | undefined {
  const reserved = description.proc.memblock?.reserved ?? [];
  for (const [index, { start }] of reserved.entries()) {
    const before = reserved[index - 1];
    if (before === undefined) continue;
    const startPfn = Math.ceil(before.end / pageSize);
    const endPfn = Math.floor(start / pageSize);
    if (endPfn - startPfn === pages) return { startPfn, endPfn, exact: true };
  }
  return undefined;
}

/**
 * Between two of the image's entries lies what only the boot needed: on arm64 between code and data, on mips between data and
 * bss. Without such a gap the image as a whole must do.
 */
function gapInImage({ description, pageSize }: LayoutPlan, pages: number): ImagePart | undefined {
  const entries = (description.proc.iomem ?? [])
    .filter(({ name, start }) => /^Kernel (?:code|rodata|data|bss)/.test(name) && start > 0)
    .toSorted((a, b) => a.start - b.start);
  for (const [index, { start }] of entries.entries()) {
    if (index === 0) continue;
    const startPfn = Math.ceil(entries[index - 1]!.end / pageSize);
    const endPfn = Math.floor(start / pageSize);
    if (endPfn - startPfn === pages) return { startPfn, endPfn, exact: true };
  }
  if (entries.length > 1) {
    const end = Math.ceil(entries.at(-1)!.end / pageSize);
    return { startPfn: Math.floor(entries[0]!.start / pageSize), endPfn: end, exact: false };
  }
  return description.architecture === 'ppc64'
    ? { startPfn: 0, endPfn: PPC64_IMAGE_END / pageSize, exact: false }
    : undefined;
}

/**
 * What the kept lists call reserved and the page allocator has: tables of the interrupt controller (GICv3 with UEFI), which are
 * allocated pages, reserved so that a kernel started by this one leaves them alone. With them goes the page that the
 * list of such tables for that kernel stands in: one of its own, from the same zone.
 * @kernel efi_mem_reserve_persistent
 */
export function reservedForNextKernel(plan: LayoutPlan): { start: number; end: number }[] {
  const { proc, printed } = plan.description;
  const reserved = proc.memblock?.reserved ?? [];
  const tables = (printed.uses ?? []).flatMap(({ what, start, bytes = 0 }) => {
    if (what !== 'interrupt-table' || start === undefined) return [];
    const end = start + bytes;
    return reserved.some((region) => region.start <= start && end <= region.end)
      ? [{ start, end }]
      : [];
  });
  const [first] = tables;
  if (first === undefined) return [];
  const zoneOf = (start: number): string | undefined => {
    const pfn = Math.floor(start / plan.pageSize);
    return pagesByZone(plan, pfn, pfn + 1)
      .keys()
      .next().value;
  };
  const list = reserved.find(
    ({ start, end }) =>
      start % plan.pageSize === 0 &&
      end - start === plan.pageSize &&
      zoneOf(start) === zoneOf(first.start),
  );
  return list === undefined ? tables : [...tables, { start: list.start, end: list.end }];
}

/** Whether the kept lists call a place free: newer kernels take out what they give back, older ones some of it. */
export function isFreeInKept({ description, pageSize }: LayoutPlan, place: ImagePart): boolean {
  const { memblock } = description.proc;
  if (memblock === undefined || !place.exact) return false;
  const [start, end] = [place.startPfn * pageSize, place.endPfn * pageSize];
  return !memblock.reserved.some((region) => region.start < end && region.end > start);
}
