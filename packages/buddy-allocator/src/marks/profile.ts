/**
 * What differs between kernel releases in the numbers and texts of this package.
 *
 * The rules are the same everywhere; a profile holds the few places where a release counts or prints
 * otherwise. `6.19` is this library's own behaviour. The item lists are the counters a report prints, in
 * the kernel's order; a counter the caller has and the list lacks is printed after them, and a counter the
 * caller lacks is printed as 0.
 *
 * Source: recorded kernels 6.1.176 and 6.12.100; reference of the buddy allocator, sections 6, 8, 10
 */

/** Releases with a profile. */
export type KernelRelease = '6.1' | '6.12' | '6.19';

/** One release's differences. */
export interface KernelProfile {
  readonly release: KernelRelease;
  /** Managed pages before the hand-over to the buddy: less the memory map's own pages, or all present. */
  readonly managedAtBoot: 'without-memmap' | 'present';
  /** Movable zones get a fixed small MIN like HighMem, and do not count as low memory. */
  readonly movableMinIsFixed: boolean;
  /** Page cache batch: managed >> shift, at most `limit` pages, divided by `divisor`. */
  readonly pcpBatch: { readonly shift: number; readonly limit: number; readonly divisor: number };
  /** `fixed`: one high mark; `tuned`: it moves between two. */
  readonly pcpHigh: 'fixed' | 'tuned';
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

const NODE_ITEMS_6_12 = [
  ...NODE_ITEMS_6_1.slice(0, NODE_ITEMS_6_1.indexOf('nr_swapcached')),
  'nr_iommu_pages',
  ...NODE_ITEMS_6_1.slice(NODE_ITEMS_6_1.indexOf('nr_swapcached')),
  'pgdemote_kswapd',
  'pgdemote_direct',
  'pgdemote_khugepaged',
] as const;

const ZONE_ITEMS_COMMON = [
  'nr_zone_inactive_anon',
  'nr_zone_active_anon',
  'nr_zone_inactive_file',
  'nr_zone_active_file',
  'nr_zone_unevictable',
  'nr_zone_write_pending',
  'nr_mlock',
] as const;

const OLD_PAGESET = ['count: ', 'high:  ', 'batch: '] as const;
const OLD_BATCH = { shift: 10, limit: 256, divisor: 4 } as const;

const PROFILES: Readonly<Record<KernelRelease, KernelProfile>> = {
  '6.1': {
    release: '6.1',
    managedAtBoot: 'without-memmap',
    movableMinIsFixed: false,
    pcpBatch: OLD_BATCH,
    pcpHigh: 'fixed',
    nodeItems: NODE_ITEMS_6_1,
    zoneItems: ['nr_free_pages', ...ZONE_ITEMS_COMMON, 'nr_bounce', 'nr_zspages', 'nr_free_cma'],
    printsPromo: false,
    pagesetLabels: OLD_PAGESET,
    printsHighatomic: false,
  },
  '6.12': {
    release: '6.12',
    managedAtBoot: 'present',
    movableMinIsFixed: true,
    pcpBatch: OLD_BATCH,
    pcpHigh: 'tuned',
    nodeItems: NODE_ITEMS_6_12,
    zoneItems: [
      'nr_free_pages',
      ...ZONE_ITEMS_COMMON,
      'nr_bounce',
      'nr_zspages',
      'nr_free_cma',
      'nr_unaccepted',
    ],
    printsPromo: true,
    pagesetLabels: OLD_PAGESET,
    printsHighatomic: false,
  },
  '6.19': {
    release: '6.19',
    managedAtBoot: 'present',
    movableMinIsFixed: true,
    pcpBatch: { shift: 12, limit: 64, divisor: 1 },
    pcpHigh: 'tuned',
    nodeItems: NODE_ITEMS_6_12,
    zoneItems: [
      'nr_free_pages',
      'nr_free_pages_blocks',
      ...ZONE_ITEMS_COMMON,
      'nr_zspages',
      'nr_free_cma',
      'nr_unaccepted',
    ],
    printsPromo: true,
    pagesetLabels: ['count:    ', 'high:     ', 'batch:    ', 'high_min: ', 'high_max: '],
    printsHighatomic: true,
  },
};

/** The profile of a release. */
export function kernelProfile(release: KernelRelease): KernelProfile {
  return PROFILES[release];
}

/**
 * The profile nearest to a release string such as `6.12.100+deb12-amd64`: the newest one that is not newer.
 * A release below every profile gets the oldest.
 */
export function profileForRelease(release: string): KernelProfile {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const value = major * 1000 + (Number.isNaN(minor) ? 0 : minor);
  if (value >= 6019) return PROFILES['6.19'];
  return value >= 6012 ? PROFILES['6.12'] : PROFILES['6.1'];
}
