/**
 * How much of a zone stays free for whom.
 *
 *      free pages   ^
 *                   | -- PROMO
 *                   | -- HIGH     reclaim stops
 *                   | -- LOW      reclaim starts
 *                   | -- MIN      only reserve users go below
 *                   +------------
 *
 * One number, `min_free_kbytes`, grows with the square root of low memory and is dealt out to the zones by
 * size. The distances between the marks are a quarter of a zone's MIN or a per-mille of its memory,
 * whichever is more. Movable and HighMem zones, which nothing urgent can come from, get a small fixed MIN.
 *
 * Source: reference of the buddy allocator, section 8; Documentation/admin-guide/sysctl/vm.rst
 */
import { BuddyError, checkPages } from '../base/errors.js';
import type { ZoneName } from '@bootmem/memmap';
import { clamp, integerSqrt, mulDiv } from './arithmetic.js';
import type { KernelProfile } from './profile.js';

/** The marks of one zone in pages. MIN <= LOW <= HIGH <= PROMO. */
export interface Watermarks {
  readonly min: number;
  readonly low: number;
  readonly high: number;
  readonly promo: number;
}

/** What a zone's marks depend on. */
export interface ManagedZone {
  readonly zone: ZoneName;
  readonly managedPages: number;
}

/** KiB of a page where nothing else is said. */
const PAGE_KBYTES = 4;
const MIN_FREE_KBYTES_LOW = 128;
const MIN_FREE_KBYTES_HIGH = 262144;
/** SWAP_CLUSTER_MAX and its fourfold: bounds of a fixed MIN. */
const FIXED_MIN_LOW = 32;
const FIXED_MIN_HIGH = 128;

/** Whether kernel allocations without special needs may come from the zone. */
function isLowmem(zone: ZoneName): boolean {
  return zone === 'DMA' || zone === 'DMA32' || zone === 'Normal';
}

/**
 * Low memory in KiB above the high marks: what `min_free_kbytes` is computed from.
 * @param pageKbytes  KiB of a page: 4, 16 or 64
 * @kernel nr_free_buffer_pages
 */
export function lowmemKbytes(
  zones: readonly (ManagedZone & { readonly high?: number })[],
  pageKbytes = PAGE_KBYTES,
): number {
  let pages = 0;
  for (const { zone, managedPages, high = 0 } of zones) {
    if (isLowmem(zone)) pages += Math.max(0, managedPages - high);
  }
  return pages * pageKbytes;
}

/**
 * The default of `min_free_kbytes`: 4 √lowmem within 128 KiB … 256 MiB, or 64 MiB.
 * @param options.userKbytes value set by hand, if any: kept when it is larger
 * @param options.profile    what the kernel's release does. Default: the newest
 * @kernel calculate_min_free_kbytes
 */
export function minFreeKbytes(options: {
  readonly lowmemKbytes: number;
  readonly userKbytes?: number;
  readonly profile?: KernelProfile;
}): number {
  checkPages(options.lowmemKbytes, 'lowmemKbytes');
  const computed = integerSqrt(options.lowmemKbytes * 16);
  const user = options.userKbytes ?? -1;
  const most = options.profile?.minFreeLimit ?? MIN_FREE_KBYTES_HIGH;
  return computed > user ? clamp(computed, MIN_FREE_KBYTES_LOW, most) : user;
}

/**
 * `min_free_kbytes` as raised for transparent huge pages: enough free pageblocks of every type in every
 * zone, but at most a twentieth of low memory.
 * @param options.current           value before
 * @param options.populatedZones    zones with memory up to Normal, over all nodes
 * @param options.freeBufferPages   low memory above the high marks, in pages
 * @param options.pageblockPages    pages of a pageblock. Default 512
 * @param options.pageKbytes        KiB of a page. Default 4
 * @returns `current` where it is larger
 * @kernel set_recommended_min_free_kbytes
 */
export function hugePageMinFreeKbytes(options: {
  readonly current: number;
  readonly populatedZones: number;
  readonly freeBufferPages: number;
  readonly pageblockPages?: number;
  readonly pageKbytes?: number;
}): number {
  const { current, populatedZones, freeBufferPages, pageblockPages = 512 } = options;
  const { pageKbytes = PAGE_KBYTES } = options;
  // Two blocks a zone, and one for each of the three types to fall back to each of the three.
  const wanted = pageblockPages * populatedZones * (2 + 3 * 3);
  const pages = Math.min(wanted, Math.floor(freeBufferPages / 20));
  return Math.max(current, pages * pageKbytes);
}

/**
 * Marks of all zones of a machine.
 * @param zones   every zone of every node; empty ones may be left out
 * @param options.minFreeKbytes         in KiB
 * @param options.pageKbytes            KiB of a page. Default 4
 * @param options.watermarkScaleFactor  distance of the marks in 1/10000 of a zone, 1 … 3000. Default 10
 * @returns in the order of `zones`
 * @throws ERR_ZONE_ARGUMENT when the scale factor is out of range
 * @kernel __setup_per_zone_wmarks
 */
export function zoneWatermarks(
  zones: readonly ManagedZone[],
  options: {
    readonly minFreeKbytes: number;
    readonly pageKbytes?: number;
    readonly watermarkScaleFactor?: number;
    readonly profile: KernelProfile;
  },
): Watermarks[] {
  const { profile, pageKbytes = PAGE_KBYTES, watermarkScaleFactor = 10 } = options;
  checkPages(options.minFreeKbytes, 'minFreeKbytes');
  if (!(watermarkScaleFactor >= 1 && watermarkScaleFactor <= 3000)) {
    throw new BuddyError('ERR_ZONE_ARGUMENT', 'watermarkScaleFactor must be 1 … 3000', {
      watermarkScaleFactor,
    });
  }
  const hasFixedMin = (zone: ZoneName): boolean =>
    zone === 'HighMem' || (zone === 'Movable' && profile.movableMinIsFixed);
  const pagesMin = Math.floor(options.minFreeKbytes / pageKbytes);
  const lowmem = zones.reduce(
    (sum, { zone, managedPages }) => (hasFixedMin(zone) ? sum : sum + managedPages),
    0,
  );
  return zones.map(({ zone, managedPages }) => {
    const share = lowmem === 0 ? 0 : mulDiv(pagesMin, managedPages, lowmem);
    const min = hasFixedMin(zone)
      ? clamp(Math.floor(managedPages / 1024), FIXED_MIN_LOW, FIXED_MIN_HIGH)
      : share;
    const quarter = Math.floor(share / 4);
    if (!profile.marksScale) {
      const high = min + Math.floor(share / 2);
      return { min, low: min + quarter, high, promo: high };
    }
    const delta = Math.max(quarter, mulDiv(managedPages, watermarkScaleFactor, 10000));
    return { min, low: min + delta, high: min + 2 * delta, promo: min + 3 * delta };
  });
}

/**
 * Boost of a zone's marks after a pageblock was taken over by another type, so that reclaim works ahead.
 * @param options.factor `watermark_boost_factor` in 1/10000 of HIGH. Default 15000; 0 is off
 * @returns the new boost in pages; `boost` itself where the zone is too small to boost
 * @kernel boost_watermark
 */
export function boostWatermark(options: {
  readonly boost: number;
  readonly high: number;
  readonly managedPages: number;
  readonly pageblockPages?: number;
  readonly factor?: number;
}): number {
  const { boost, high, managedPages, pageblockPages = 512, factor = 15000 } = options;
  if (factor === 0 || pageblockPages * 4 > managedPages) return boost;
  const limit = mulDiv(high, factor, 10000);
  if (limit === 0) return boost;
  return Math.min(boost + pageblockPages, Math.max(pageblockPages, limit));
}

/**
 * Most pages of a zone that high-atomic pageblocks may hold: 1 %, rounded up to whole pageblocks; none
 * in a zone whose 1 % is below one pageblock.
 * @kernel reserve_highatomic_pageblock
 */
export function highatomicCap(managedPages: number, pageblockPages = 512): number {
  const percent = Math.floor(managedPages / 100);
  return percent < pageblockPages ? 0 : Math.ceil(percent / pageblockPages) * pageblockPages;
}
