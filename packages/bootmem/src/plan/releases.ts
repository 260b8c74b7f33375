/**
 * Where kernel releases differ in what they print and count and no other package models, as data.
 *
 * Source: recorded boots and published logs, named where a row rests on them
 */
import { byRelease } from '@bootmem/memmap/releases';
import type { ReleaseTable } from '@bootmem/memmap/releases';

/** How a kernel release prints and counts what no other package models. */
export interface PrintedProfile {
  /** The newest release whose changes are in it, for example `6.6`. */
  readonly release: string;
  /** Total of the `Memory:` line: the last page, holes and all, or pages present. */
  readonly memoryTotal: 'last-page' | 'present';
  /** `Initmem setup node`: what the node's table covers, the first from 0, or where its memory lies. */
  readonly nodeExtent: 'table' | 'memory';
  /** `Zone ranges:` names the whole of DMA32 however little memory there is, or ends with memory. */
  readonly dma32End: 'whole' | 'memory';
  /** Nodes that get a zonelist: those with memory, or also those with processors only. */
  readonly zonelistNodes: 'memory' | 'memory-or-cpus';
  /** A node comes first in its own fallback order even without memory. */
  readonly ownNodeFirst: boolean;
  /** Whose the descriptors of holes are: the zone's that spans them, the first zone's, or that of the memory above. */
  readonly holeOwner: 'span' | 'first-zone' | 'memory-above';
  /** The count of pages in holes goes to the end of the last section, not to the last page only. */
  readonly countsTail: boolean;
  /** 64-bit and 32-bit ARM know of each page whether it is mapped memory, and look at the first of a block for holes. */
  readonly mapsByBlock: boolean;
  /** The grain in which the kernel knows which pages have memory near them. */
  readonly presence: 'section' | 'subsection';
  /** Descriptors are counted of a zone's span, or of what is present where more than a sixteenth is a hole. */
  readonly descriptorsOf: 'span' | 'present-if-sparse';
  /** High memory counts with or without its descriptors when zonelists are built. */
  readonly highmemAtBoot: 'without-memmap' | 'whole';
  /** Lowmem reserves are of the managed pages when marks were set up, with or without gigantic pages, or of those there are. */
  readonly reservesOf: 'marked-pages' | 'marked-and-gigantic' | 'managed-pages';
  /** x86 gives back what only a machine with several processors needs, in a line of its own. */
  readonly freesAlternatives: boolean;
  /** s390x may give back blocks of the service processor, in a line of its own. */
  readonly freesServiceBlocks: boolean;
  /** x86-64 gives back decrypted memory and the gaps of its image, in lines of their own. */
  readonly freesImageGaps: boolean;
  /**
   * arm64's DMA zone: the old name of DMA32, 30 address bits, or what the most limited device reaches; `'either'`: a stable
   * series went from the one to the other.
   */
  readonly arm64Dma: 'dma32-by-name' | '30-bits' | 'either' | 'devices';
  /** arm64 counts the bits from address 0, or from a multiple of their reach below memory. */
  readonly arm64DmaFromZero: boolean;
  /** arm64's DMA32 ends at 4 GiB wherever memory begins; before, memory above that was all DMA32 (or DMA). */
  readonly arm64Dma32Fixed: boolean;
  /** Pages of a node's last zone that are initialised first: all, 2 GiB or more of them, or one section. */
  readonly initialisesFirst: 'all' | 'gibibytes' | 'section';
  /** Page sets are sized once more when deferred pages are there. */
  readonly sizesCachesAgain: boolean;
  /** Where huge pages are turned off the minimum of free pages is worked out once more, from what lies above the first marks. */
  readonly recountsMinimum: boolean;
  /** HighMem and Movable zones count in the minimum of free pages that transparent huge pages ask for. */
  readonly hugePagesCountMovable: boolean;
  /** Areas of the contiguous allocator are there when marks are set up first; before, only when huge pages raise them. */
  readonly areasBeforeMarks: boolean;
  /** Areas of the contiguous allocator that cannot be activated go to the page allocator; before, their pages were lost. */
  readonly givesFailedAreasBack: boolean;
  /** EFI boot services below 1 MiB are not given back: x86 keeps all of that. */
  readonly keepsLowBootServices: boolean;
  /** `sysctl.NAME=VALUE` on the command line is set before init runs. */
  readonly setsSysctls: boolean;
  /** MIPS and s390x take their pages of zeros from the page allocator; later from memblock. */
  readonly allocatesZeroPages: boolean;
  /** Descriptors that gigantic pages of the boot do without are not even allocated; before, they were given back. */
  readonly leavesOutDescriptors: boolean;
  /** Architectures where a node's deferred part gets as many threads as the node has processors; else one. */
  readonly threadedArchitectures: 'none' | 'x86' | 'all';
  /** `kernelcore=mirror`: no such word, whatever the firmware mirrors, or only where it mirrors any. */
  readonly mirroredCore: 'unknown' | 'always' | 'if-any';
  /** s390x leaves an initrd below 2 GiB, where the loader put it; later the start-up code moves it wherever there is room. */
  readonly s390InitrdLow: boolean;
  /** Bytes of a section on s390x. */
  readonly s390SectionBytes: number;
  /** Bytes of a section on arm64, by bytes of a page. */
  readonly arm64SectionBytes: { readonly small: number; readonly pages64K: number };
}

type Row = Omit<PrintedProfile, 'release'>;

/**
 * What each release changed. A row stands where the change was released, or else at the oldest release that
 * is known to have it; the comment says what is known.
 */
export const RELEASES: ReleaseTable<Row> = [
  {
    since: '2.6.32',
    memoryTotal: 'last-page',
    nodeExtent: 'table',
    dma32End: 'whole',
    zonelistNodes: 'memory',
    ownNodeFirst: true,
    holeOwner: 'span',
    countsTail: false,
    mapsByBlock: true,
    presence: 'section',
    descriptorsOf: 'span',
    highmemAtBoot: 'without-memmap',
    reservesOf: 'marked-pages',
    freesAlternatives: true,
    freesServiceBlocks: true,
    freesImageGaps: false,
    arm64Dma: 'dma32-by-name',
    arm64DmaFromZero: false,
    arm64Dma32Fixed: false,
    initialisesFirst: 'all',
    sizesCachesAgain: false,
    hugePagesCountMovable: true,
    recountsMinimum: false,
    areasBeforeMarks: false,
    givesFailedAreasBack: false,
    keepsLowBootServices: false,
    setsSysctls: false,
    allocatesZeroPages: true,
    leavesOutDescriptors: false,
    threadedArchitectures: 'none',
    mirroredCore: 'unknown',
    s390InitrdLow: true,
    s390SectionBytes: 2 ** 28,
    arm64SectionBytes: { small: 2 ** 30, pages64K: 2 ** 30 },
  },
  // "mm: provide more accurate estimation of pages occupied by memmap".
  { since: '3.8', descriptorsOf: 'present-if-sparse' },
  // "mm: use zone->managed_pages instead of zone->present_pages where appropriate": logs of 3.8 and later with HighMem.
  { since: '3.9', highmemAtBoot: 'whole' },
  // mem_init_print_info() prints the line for all architectures: logs of 3.2 and 3.13.
  { since: '3.11', memoryTotal: 'present' },
  // x86 stops printing the line itself, commit 8b375f64dcf2: logs of 3.16 and 3.19.
  { since: '3.18', nodeExtent: 'memory' },
  // x86 limits the zones to memory, commit c072b90c8dfe: logs of 3.16 and 4.2.
  { since: '3.19', dma32End: 'memory' },
  // "mm: meminit: …" series: 2 GiB or a 256th of the node, from 4.12 on what is reserved on top.
  { since: '4.2', initialisesFirst: 'gibibytes' },
  // "mm/page_alloc.c: introduce kernelcore=mirror option".
  { since: '4.6', mirroredCore: 'always' },
  // "x86/numa: Online memory-less nodes at boot time": those with processors, before the lists are built.
  { since: '4.9', zonelistNodes: 'memory-or-cpus' },
  // "mm: initialize pages on demand during boot": the zone grows by sections when more is needed.
  // "mm/thp: don't count ZONE_MOVABLE as the target for freepage reserving".
  { since: '4.17', initialisesFirst: 'section', hugePagesCountMovable: false },
  // Printed by name ("text/rodata gap", "unused decrypted") in logs of 5.0 and later.
  { since: '5.0', freesImageGaps: true },
  // "meminit: recalculate pcpu batch and high limits after init completes".
  { since: '5.4', sizesCachesAgain: true },
  // "arm64: use both ZONE_DMA and ZONE_DMA32": logs of 5.5 and 5.10 (Raspberry Pi and others).
  { since: '5.5', arm64Dma: '30-bits' },
  // "mm/page_alloc.c: initialize memmap of unavailable memory directly" and the fix before it: logs of 4.19 … 5.6 do either.
  { since: '5.6', countsTail: true },
  // "mm: make deferred init's max threads arch-specific": x86 only. "mm: memmap_init: iterate over memblock regions
  // rather that check each PFN": holes are left to a pass of their own, which knows no zones.
  // "kernel/sysctl: support setting sysctl parameters from kernel command line".
  { since: '5.8', threadedArchitectures: 'x86', holeOwner: 'first-zone', setsSysctls: true },
  // "mm: update min_free_kbytes from khugepaged after core initialization": marks become a postcore initcall, areas are a core one.
  // 5.10.y took over "arm64: mm: Set ZONE_DMA size based on …" of 5.11: recorded with 5.10.223, not with a Raspberry Pi's 5.10.
  { since: '5.10', areasBeforeMarks: true, arm64Dma: 'either' },
  // "arm64: mm: Set ZONE_DMA size based on devicetree's dma-ranges", "… early IORT scan": logs of 5.11 and later.
  { since: '5.11', arm64Dma: 'devices' },
  // "arm64/sparsemem: reduce SECTION_SIZE_BITS"; "arm64: Ignore any DMA offsets in the max_zone_phys() calculation".
  // "mm/page_alloc.c: refactor initialization of struct page for holes in memory layout"; stable series have it by form.
  {
    since: '5.12',
    holeOwner: 'memory-above',
    // "mm: teach pfn_to_online_page() to consider subsection validity": recorded with 5.10.223, which has all of a section.
    presence: 'subsection',
    // "mm/cma: expose all pages to the buddy if activation of an area fails".
    givesFailedAreasBack: true,
    arm64DmaFromZero: true,
    arm64SectionBytes: { small: 2 ** 27, pages64K: 2 ** 29 },
  },
  // "x86/setup: Always reserve the first 1M of RAM": recorded with 6.1.
  { since: '5.13', keepsLowBootServices: true },
  // "arm64: drop pfn_valid_within() and simplify pfn_valid()", "arm: extend pfn_valid to take into account freed memory map".
  { since: '5.14', mapsByBlock: false },
  // "mm: khugepaged: recalculate min_free_kbytes after stopping khugepaged": recorded with 6.18.
  { since: '5.16', recountsMinimum: true },
  // "s390/boot: rework decompressor reserved tracking": another mark recorded with 7.2, not with 6.1.
  { since: '6.3', s390InitrdLow: false },
  // "mm: disable kernelcore=mirror when no mirror memory": recorded with 6.1 without such memory, which is Movable from 4 GiB.
  { since: '6.6', mirroredCore: 'if-any' },
  // "mm: page_alloc: skip memoryless nodes entirely": they are left out of fallback lists, their own too.
  { since: '6.7', ownNodeFirst: false },
  // "mm/mm_init: use deferred init on all architectures with threads": measured on arm64 systems.
  { since: '6.11', threadedArchitectures: 'all' },
  // "arm64: support DMA zone above 4GB".
  // Gigantic pages of the boot are in the reserves: recorded with 6.12.117, not with 6.1.
  { since: '6.12', arm64Dma32Fixed: true, reservesOf: 'marked-and-gigantic' },
  // "s390/sparsemem: Reduce section size to 128 MiB": recorded with 7.3 (memory blocks of 128 MiB).
  { since: '6.13', s390SectionBytes: 2 ** 27 },
  // "mm/hugetlb: do pre-HVO for bootmem allocated pages".
  // "MIPS: make setup_zero_pages() use memblock", "s390: make setup_zero_pages() use memblock".
  { since: '6.15', leavesOutDescriptors: true, allocatesZeroPages: false },
  // A change of managed pages recomputes reserves, not marks: recorded with 6.16.12 and later, not with 6.12.
  { since: '6.16', reservesOf: 'managed-pages' },
  // Recorded with 6.1 ("Freeing unused early sccb memory"), not with 7.2 and 7.3.
  { since: '7.2', freesServiceBlocks: false },
  // Recorded with 7.2.13 ("Freeing SMP alternatives memory"), not with 7.3 and 7.3.4.
  { since: '7.3', freesAlternatives: false },
];

/** What distributions carry without the release's number: Red Hat's 3.10 has the node line of 3.18, and defers. */
const BACKPORTS: readonly { readonly mark: string; readonly changed: Partial<Row> }[] = [
  { mark: '.el7', changed: { nodeExtent: 'memory', initialisesFirst: 'gibibytes' } },
];

const choose = byRelease(RELEASES);

/**
 * What a kernel release prints.
 * @param release  as `uname -r` prints it; any text that begins with a `MAJOR.MINOR` will do
 * @returns what all rows of the table up to it add up to; the newest where no number is found
 */
export function profileForRelease(release?: string): PrintedProfile {
  const backport = BACKPORTS.find(({ mark }) => release?.includes(mark));
  return backport === undefined ? choose(release) : { ...choose(release), ...backport.changed };
}
