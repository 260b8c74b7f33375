/**
 * Pages that zonelists were built with: those present, less what their descriptors take, less what x86-64 sets apart for DMA.
 *
 * ```
 * Total pages = Σ zones (present − ⌈span × descriptor / page⌉) − DMA reserve           to 6.9; from 6.10 all present pages
 * ```
 * The span counts; since 3.8 what is present where SPARSEMEM and more than a sixteenth of the span is a hole. Since 3.9
 * HighMem counts whole, because its descriptors lie elsewhere.
 *
 * A descriptor's size is a matter of the build. The lines `N pages used for memmap` tell it; in logs without them the size
 * whose sum comes nearest to the printed one is taken, and then every page of that sum is compared.
 * @kernel calc_memmap_size, free_area_init_core
 */
import type { ZoneSpan } from '@bootmem/buddy-allocator/zones';
import { ARCHITECTURES_32, ARCHITECTURES_BOTH } from '../plan/architectures.js';
import type { LayoutPlan } from '../plan/layout-plan.js';

/** Bytes that a descriptor may have: 32-bit kernels have pointers of 4 bytes. */
const SIZES_32 = [32, 36, 40, 44, 48, 52, 56];
const SIZES_64 = [56, 64, 72, 80, 96];

/** HighMem, and Movable where it is taken from HighMem. @kernel is_highmem_idx */
function isHighmem({ layout }: LayoutPlan, { zone }: ZoneSpan): boolean {
  if (zone !== 'Movable') return zone === 'HighMem';
  const index = layout.limits.findIndex((limit) => limit.zone === 'HighMem');
  return index >= 0 && layout.highestPfn[index]! > layout.lowestPfn[index]!;
}

/** How a kernel's descriptors are counted. */
interface Counting {
  readonly bytes: number;
  /** Holes of a zone that is mostly present have no descriptors. */
  readonly isSparse: boolean;
  /** Pages that a zone goes on behind all memory. */
  readonly behind?: { readonly zone: ZoneSpan; readonly pages: number };
}

/**
 * An empty range at the end of page numbers makes the last zone of an early kernel go on to it: Xen takes memory there away
 * from the list of ranges.
 * @kernel remove_active_range
 */
function behindMemory({ kernel, layout, maxPfn }: LayoutPlan): Counting['behind'][] {
  if (kernel.printed.descriptorsOf !== 'span') return [undefined];
  const zones = layout.nodes.flatMap((node) => node.zones).filter((one) => one.presentPages > 0);
  const end = Math.max(...zones.map(({ endPfn }) => endPfn));
  const zone = zones.find(({ endPfn }) => endPfn === end);
  return zone === undefined || maxPfn <= end
    ? [undefined]
    : [undefined, { zone, pages: maxPfn - end }];
}

/** Pages of descriptors of a zone. */
function memmapPages(plan: LayoutPlan, zone: ZoneSpan, counting: Counting): number {
  const { bytes, isSparse, behind } = counting;
  const { presentPages } = zone;
  const spannedPages = zone.spannedPages + (behind?.zone === zone ? behind.pages : 0);
  const leavesHoles =
    isSparse &&
    plan.kernel.printed.descriptorsOf === 'present-if-sparse' &&
    spannedPages > presentPages + Math.floor(presentPages / 16);
  return Math.ceil(((leavesHoles ? presentPages : spannedPages) * bytes) / plan.pageSize);
}

/** All ways of counting that a kernel of this machine may have. */
function countings(plan: LayoutPlan): Counting[] {
  const { description } = plan;
  const { architecture = 'unknown', printed } = description;
  // Compilers are of 64 bits; only kernels of 64 bits have DMA32.
  const isRiscv32 =
    architecture === 'riscv64' &&
    printed.zoneRanges.length > 0 &&
    !printed.zoneRanges.some(({ zone }) => zone === 'DMA32');
  const is64 = !ARCHITECTURES_32.has(architecture) && !isRiscv32;
  const sizes = [
    ...(is64 && !ARCHITECTURES_BOTH.has(architecture) ? [] : SIZES_32),
    ...(is64 ? SIZES_64 : []),
  ];
  return behindMemory(plan).flatMap((behind) =>
    [...new Set(sizes)].flatMap((bytes) =>
      [true, false].map((isSparse) => ({ bytes, isSparse, ...(behind && { behind }) })),
    ),
  );
}

/** Those ways that give what the log says of each zone; all, where it says nothing. */
function printedCountings(plan: LayoutPlan): Counting[] {
  const told = plan.description.printed.nodePages.flatMap(({ nid, zones }) =>
    zones.flatMap((line) => {
      const zone = plan.layout.nodes
        .find((node) => node.nid === nid)
        ?.zones.find((one) => one.zone === line.zone);
      return zone === undefined || line.memmapPages === undefined
        ? []
        : [{ zone, pages: line.memmapPages }];
    }),
  );
  return countings(plan).filter((counting) =>
    told.every(({ zone, pages }) => memmapPages(plan, zone, counting) === pages),
  );
}

/** Pages set apart for DMA as the zones' lines tell, where they do; none outside x86-64. @kernel memblock_find_dma_reserve */
function printedReserve({ description }: LayoutPlan): number | undefined {
  const { architecture, printed } = description;
  if (architecture !== 'x86_64') return 0;
  const lines = printed.nodePages.flatMap(({ zones }) => zones);
  const told = lines.filter(({ reservedPages }) => reservedPages !== undefined);
  return told.length === 0
    ? undefined
    : told.reduce((sum, { reservedPages }) => sum + reservedPages!, 0);
}

/**
 * `Total pages` of a kernel to 6.9.
 * @param plan     a planned machine
 * @param printed  what the kernel printed: decides between sizes of descriptors where no line tells the size
 * @param reserve  pages below 16 MiB that were not free, if known
 * @returns a reason in words when the sum does not follow
 */
export function bootTotalPages(
  plan: LayoutPlan,
  printed: number,
  reserve = printedReserve(plan),
): number | string {
  if (reserve === undefined) {
    return 'needs what is reserved below 16 MiB, which memblock=debug or the lines of the zones would tell';
  }
  const zones = plan.layout.nodes.flatMap((node) => node.zones);
  const isHighmemWhole = plan.kernel.printed.highmemAtBoot === 'whole';
  const sums = printedCountings(plan).map((counting) =>
    zones.reduce((sum, zone) => {
      const memmap =
        isHighmem(plan, zone) && isHighmemWhole ? 0 : memmapPages(plan, zone, counting);
      return sum + zone.presentPages - (zone.presentPages >= memmap ? memmap : 0);
    }, -reserve),
  );
  if (sums.length === 0)
    return 'the size of a page descriptor does not follow from the lines about memmap';
  return sums.reduce((best, sum) =>
    Math.abs(sum - printed) < Math.abs(best - printed) ? sum : best,
  );
}
