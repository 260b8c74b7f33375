/**
 * Request flags: which zones, which migratetype, what may be done to get the pages.
 *
 * Source: reference of the buddy allocator, section 7; include/linux/gfp_types.h (numbers)
 */
import { BuddyError } from '../base/errors.js';
import type { ZoneName } from '@bootmem/memmap';

/** Single bits of a request. */
export const GfpBit = {
  DMA: 0x1,
  HIGHMEM: 0x2,
  DMA32: 0x4,
  MOVABLE: 0x8,
  RECLAIMABLE: 0x10,
  HIGH: 0x20,
  IO: 0x40,
  FS: 0x80,
  ZERO: 0x100,
  DIRECT_RECLAIM: 0x400,
  KSWAPD_RECLAIM: 0x800,
  WRITE: 0x1000,
  NOWARN: 0x2000,
  RETRY_MAYFAIL: 0x4000,
  NOFAIL: 0x8000,
  NORETRY: 0x10000,
  MEMALLOC: 0x20000,
  COMP: 0x40000,
  NOMEMALLOC: 0x80000,
  HARDWALL: 0x100000,
  THISNODE: 0x200000,
  ACCOUNT: 0x400000,
  ZEROTAGS: 0x800000,
} as const;

const RECLAIM = GfpBit.DIRECT_RECLAIM | GfpBit.KSWAPD_RECLAIM;
const KERNEL = RECLAIM | GfpBit.IO | GfpBit.FS;
const USER = KERNEL | GfpBit.HARDWALL;

/** The usual combinations. */
export const Gfp = {
  ATOMIC: GfpBit.HIGH | GfpBit.KSWAPD_RECLAIM,
  KERNEL,
  NOWAIT: GfpBit.KSWAPD_RECLAIM | GfpBit.NOWARN,
  NOIO: RECLAIM,
  NOFS: RECLAIM | GfpBit.IO,
  USER,
  DMA: GfpBit.DMA,
  DMA32: GfpBit.DMA32,
  HIGHUSER: USER | GfpBit.HIGHMEM,
  HIGHUSER_MOVABLE: USER | GfpBit.HIGHMEM | GfpBit.MOVABLE,
} as const;

const ZONE_BITS = GfpBit.DMA | GfpBit.HIGHMEM | GfpBit.DMA32;

/**
 * Highest zone a request may use.
 * @param zones the zones this machine is configured with; a missing DMA or DMA32 becomes Normal
 * @throws ERR_ZONE_ARGUMENT for more than one of DMA, HIGHMEM and DMA32
 * @kernel gfp_zone
 */
export function gfpZone(flags: number, zones: readonly ZoneName[]): ZoneName {
  const has = (zone: ZoneName): ZoneName => (zones.includes(zone) ? zone : 'Normal');
  switch (flags & ZONE_BITS) {
    case 0:
      return 'Normal';
    case GfpBit.DMA:
      return has('DMA');
    case GfpBit.DMA32:
      return has('DMA32');
    case GfpBit.HIGHMEM:
      return (flags & GfpBit.MOVABLE) !== 0 ? 'Movable' : has('HighMem');
    default:
      throw new BuddyError('ERR_ZONE_ARGUMENT', 'at most one of DMA, HIGHMEM and DMA32', { flags });
  }
}

/**
 * Migratetype of a request: 0 Unmovable, 1 Movable, 2 Reclaimable.
 * @param grouping whether pages are grouped by mobility; else everything is Unmovable
 * @throws ERR_ZONE_ARGUMENT for both MOVABLE and RECLAIMABLE
 * @kernel gfp_migratetype
 */
export function gfpMigratetype(flags: number, grouping = true): 0 | 1 | 2 {
  const type = (flags >> 3) & 3;
  if (type === 3) {
    throw new BuddyError('ERR_ZONE_ARGUMENT', 'MOVABLE and RECLAIMABLE exclude each other', {
      flags,
    });
  }
  return grouping ? (type as 0 | 1 | 2) : 0;
}
