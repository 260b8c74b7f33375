/**
 * What differs between kernel releases in the numbers and texts of this package, as data.
 *
 * The rules are the same everywhere; a profile holds the few places where a release counts or prints
 * otherwise. The newest is this library's own behaviour. The item lists are the counters a report prints, in
 * the kernel's order; a counter the caller has and the list lacks is printed after them, and a counter the
 * caller lacks is printed as 0.
 *
 * Source: recorded kernels 6.1.176, 6.12.100 and 6.16 … 7.3; reference of the buddy allocator, sections 6, 8, 10
 */
import { byRelease, type ReleaseTable } from '@bootmem/memmap/releases';

/** One release's differences. */
export interface KernelProfile {
  /** The newest release whose changes are in it, for example `6.12`. */
  readonly release: string;
  /** Managed pages before the hand-over to the buddy: less the memory map's own pages, or all present. */
  readonly managedAtBoot: 'without-memmap' | 'present';
  /** Movable zones get a fixed small MIN like HighMem, and do not count as low memory. */
  readonly movableMinIsFixed: boolean;
  /**
   * Load of a node that begins a new distance in somebody's list: how many nodes are left to be listed, instead of
   * what it had or on top of it; or one more.
   */
  readonly nodeLoad: 'nodes-left' | 'plus-nodes-left' | 'plus-one';
  /** Page cache batch: managed >> shift, at most `limit` pages, divided by `divisor`. */
  readonly pcpBatch: { readonly shift: number; readonly limit: number; readonly divisor: number };
  /** `batches`: one high mark, six batches; `fixed`: one, of the zone's LOW mark; `tuned`: it moves between two. */
  readonly pcpHigh: 'batches' | 'fixed' | 'tuned';
  /** Marks lie a per-mille of the zone apart where that is more than a quarter of its MIN; before, LOW and HIGH are MIN's quarters. */
  readonly marksScale: boolean;
  /** Most that `min_free_kbytes` is by itself. */
  readonly minFreeLimit: number;
  /** A zone without pages has no lowmem reserve. */
  readonly emptyZoneReserve: 'none' | 'as-others';
  /** Counters of a node in /proc/zoneinfo. */
  readonly nodeItems: readonly string[];
  /** Counters of a zone in /proc/zoneinfo, without the NUMA ones. */
  readonly zoneItems: readonly string[];
  /** Whether a `promo` line follows `high`. */
  readonly printsPromo: boolean;
  /** Labels of a page set's lines, padded as printed. */
  readonly pagesetLabels: readonly string[];
  /** Whether the high-atomic reserve is printed at the end of a zone. */
  readonly printsHighatomic: boolean;
}

/** NUMA counters of a zone; printed by kernels built for NUMA. */
export const NUMA_ITEMS = [
  'numa_hit',
  'numa_miss',
  'numa_foreign',
  'numa_interleave',
  'numa_local',
  'numa_other',
] as const;

const NODE_ITEMS_6_1 = [
  'nr_inactive_anon',
  'nr_active_anon',
  'nr_inactive_file',
  'nr_active_file',
  'nr_unevictable',
  'nr_slab_reclaimable',
  'nr_slab_unreclaimable',
  'nr_isolated_anon',
  'nr_isolated_file',
  'workingset_nodes',
  'workingset_refault_anon',
  'workingset_refault_file',
  'workingset_activate_anon',
  'workingset_activate_file',
  'workingset_restore_anon',
  'workingset_restore_file',
  'workingset_nodereclaim',
  'nr_anon_pages',
  'nr_mapped',
  'nr_file_pages',
  'nr_dirty',
  'nr_writeback',
  'nr_writeback_temp',
  'nr_shmem',
  'nr_shmem_hugepages',
  'nr_shmem_pmdmapped',
  'nr_file_hugepages',
  'nr_file_pmdmapped',
  'nr_anon_transparent_hugepages',
  'nr_vmscan_write',
  'nr_vmscan_immediate_reclaim',
  'nr_dirtied',
  'nr_written',
  'nr_throttled_written',
  'nr_kernel_misc_reclaimable',
  'nr_foll_pin_acquired',
  'nr_foll_pin_released',
  'nr_kernel_stack',
  'nr_page_table_pages',
  'nr_sec_page_table_pages',
  'nr_swapcached',
  'pgpromote_success',
  'pgpromote_candidate',
] as const;

/** The list with items put in before one of them, or at the end. */
function withItems(
  list: readonly string[],
  before: string | undefined,
  ...items: string[]
): readonly string[] {
  const at = before === undefined ? list.length : list.indexOf(before);
  return [...list.slice(0, at), ...items, ...list.slice(at)];
}

const NODE_ITEMS_6_12 = withItems(
  withItems(NODE_ITEMS_6_1, 'nr_swapcached', 'nr_iommu_pages'),
  undefined,
  'pgdemote_kswapd',
  'pgdemote_direct',
  'pgdemote_khugepaged',
);
const NODE_ITEMS_6_16 = withItems(
  NODE_ITEMS_6_12,
  undefined,
  'pgdemote_proactive',
  'nr_hugetlb',
  'nr_balloon_pages',
);
const NODE_ITEMS_6_17 = NODE_ITEMS_6_16.filter((item) => item !== 'nr_writeback_temp');
const NODE_ITEMS_6_18 = withItems(
  withItems(NODE_ITEMS_6_17, 'pgdemote_kswapd', 'pgpromote_candidate_nrl'),
  undefined,
  'nr_kernel_file_pages',
);
const NODE_ITEMS_7_1 = withItems(
  withItems(
    withItems(NODE_ITEMS_6_18, 'nr_page_table_pages', 'nr_vmalloc'),
    'nr_hugetlb',
    'pgsteal_kswapd',
    'pgsteal_direct',
    'pgsteal_khugepaged',
    'pgsteal_proactive',
    'pgsteal_anon',
    'pgsteal_file',
    'pgscan_kswapd',
    'pgscan_direct',
    'pgscan_khugepaged',
    'pgscan_proactive',
    'pgscan_anon',
    'pgscan_file',
    'pgrefill',
  ),
  undefined,
  'nr_gpu_active',
  'nr_gpu_reclaim',
);
const NODE_ITEMS_7_3 = withItems(NODE_ITEMS_7_1, 'nr_hugetlb', 'pgrotate_anon', 'pgrotate_file');

const ZONE_ITEMS_6_1 = [
  'nr_free_pages',
  'nr_zone_inactive_anon',
  'nr_zone_active_anon',
  'nr_zone_inactive_file',
  'nr_zone_active_file',
  'nr_zone_unevictable',
  'nr_zone_write_pending',
  'nr_mlock',
  'nr_bounce',
  'nr_zspages',
  'nr_free_cma',
];
const ZONE_ITEMS_6_5 = withItems(ZONE_ITEMS_6_1, undefined, 'nr_unaccepted');
const ZONE_ITEMS_6_16 = withItems(
  ZONE_ITEMS_6_5,
  'nr_zone_inactive_anon',
  'nr_free_pages_blocks',
).filter((item) => item !== 'nr_bounce');

type Row = Omit<KernelProfile, 'release'>;

/**
 * What each release changed. A row stands where the change was released, or else at the oldest release that
 * is known to have it; the comment says what is known.
 */
export const RELEASES: ReleaseTable<Row> = [
  {
    // Recorded with 6.1.176, where no row below says otherwise.
    since: '2.6.32',
    managedAtBoot: 'without-memmap',
    movableMinIsFixed: false,
    nodeLoad: 'nodes-left',
    pcpBatch: { shift: 10, limit: 128, divisor: 4 },
    pcpHigh: 'batches',
    marksScale: false,
    minFreeLimit: 65_536,
    emptyZoneReserve: 'as-others',
    nodeItems: NODE_ITEMS_6_1,
    zoneItems: ZONE_ITEMS_6_1,
    printsPromo: false,
    pagesetLabels: ['count: ', 'high:  ', 'batch: '],
    printsHighatomic: false,
  },
  // "mm: scale kswapd watermarks in proportion to memory".
  { since: '4.6', marksScale: true },
  // "mm, page_alloc: double zone's batchsize".
  { since: '4.19', pcpBatch: { shift: 10, limit: 256, divisor: 4 } },
  // "mm/page_alloc: increase default min_free_kbytes bound".
  { since: '5.7', minFreeLimit: 262_144 },
  // "mm/page_alloc.c: clear out zone->lowmem_reserve[] if the zone is empty".
  { since: '5.8', emptyZoneReserve: 'none' },
  // "mm/page_alloc: calculate pcp->high based on zone sizes and active CPUs".
  { since: '5.14', pcpHigh: 'fixed' },
  // "mm/page_alloc: use accumulated load when building node fallback list".
  { since: '5.16', nodeLoad: 'plus-nodes-left' },
  // "mm/page_alloc: adding same penalty is enough to get round-robin order".
  { since: '5.19', nodeLoad: 'plus-one' },
  // Unaccepted memory came with 6.5, its counter with it.
  { since: '6.5', zoneItems: ZONE_ITEMS_6_5 },
  // "mm/min_free_kbytes: modify min_free_kbytes calculation rules", posted in June 2023; recorded with 6.12.
  { since: '6.6', movableMinIsFixed: true },
  // "mm: PCP high auto-tuning" series.
  { since: '6.7', pcpHigh: 'tuned' },
  // "mm/mm_init.c: remove meaningless calculation of zone->managed_pages in free_area_init_core()".
  { since: '6.10', managedAtBoot: 'present' },
  // Recorded with 6.12.100 and 6.12.117, not with 6.1.
  { since: '6.12', nodeItems: NODE_ITEMS_6_12, printsPromo: true },
  {
    // Recorded with 6.16.12, not with 6.12.
    since: '6.16',
    nodeItems: NODE_ITEMS_6_16,
    zoneItems: ZONE_ITEMS_6_16,
    pagesetLabels: ['count:    ', 'high:     ', 'batch:    ', 'high_min: ', 'high_max: '],
  },
  // Recorded with 6.17.13, not with 6.16.
  { since: '6.17', nodeItems: NODE_ITEMS_6_17 },
  // Recorded with 6.18.15, not with 6.17.
  { since: '6.18', nodeItems: NODE_ITEMS_6_18 },
  {
    // "mm/page_alloc: clarify batch tuning in zone_batchsize"; the reserve is recorded with 6.19.14, not with 6.18.
    since: '6.19',
    pcpBatch: { shift: 12, limit: 64, divisor: 1 },
    printsHighatomic: true,
  },
  // Recorded with 7.1.13, not with 7.0.
  { since: '7.1', nodeItems: NODE_ITEMS_7_1 },
  // Recorded with 7.3, not with 7.2.
  { since: '7.3', nodeItems: NODE_ITEMS_7_3 },
];

const choose = byRelease(RELEASES);

/**
 * What a kernel release does.
 * @param release  as `uname -r` prints it, for example `6.12.100+deb12-amd64`; any text that begins with a
 *   `MAJOR.MINOR` will do
 * @returns what all rows of the table up to it add up to; the newest where no number is found, the first row
 *   for anything older
 */
export function profileForRelease(release?: string): KernelProfile {
  return choose(release);
}
