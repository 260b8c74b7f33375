/**
 * May this request take `2 ** order` pages from this zone?
 *
 * Two questions: would enough pages stay free, and is there a block to split at all. Requests with a claim
 * to reserves lower the mark for themselves; pages that only some requests may use (high-atomic, CMA) do
 * not count for the others. Pages not accepted yet count as free but are on no list, so the first answer
 * can be yes and the second no.
 *
 * Source: reference of the buddy allocator, section 7 (watermark test)
 */
import { Migratetype } from '@bootmem/memmap';

/** Allocation flags of the tests; the low two bits name the mark. */
export const AllocFlag = {
  MIN: 0,
  LOW: 1,
  HIGH: 2,
  /** Ignore the marks. */
  NO_WATERMARKS: 0x4,
  /** The task is being killed: half of the mark. */
  OOM: 0x8,
  /** Cannot wait for reclaim. */
  NON_BLOCK: 0x10,
  /** May use half of the mark. */
  MIN_RESERVE: 0x20,
  CPUSET: 0x40,
  CMA: 0x80,
  NOFRAGMENT: 0x100,
  HIGHATOMIC: 0x200,
  TRYLOCK: 0x400,
  KSWAPD: 0x800,
} as const;

/** Bits that name the mark. */
const WMARK_MASK = 3;
/** Any claim to reserves: such requests may count high-atomic pages as free. */
export const ALLOC_RESERVES =
  AllocFlag.NON_BLOCK | AllocFlag.MIN_RESERVE | AllocFlag.HIGHATOMIC | AllocFlag.OOM;

const MIGRATE_HIGHATOMIC = Migratetype.HIGHATOMIC;
const MIGRATE_CMA = Migratetype.CMA;
/** Unmovable, Movable, Reclaimable: types any request can be served from. */
const ORDINARY_TYPES = 3;

/** What the tests read of a zone; pages. */
export interface WatermarkZone {
  readonly freePages: number;
  readonly freeHighatomic: number;
  readonly freeCma: number;
  /** By index of the request's highest zone. */
  readonly lowmemReserve: readonly number[];
  /** Mark MIN without boost. */
  readonly min: number;
  /** Current boost, part of every mark the caller passes. */
  readonly boost: number;
  readonly maxOrder: number;
  /** Whether the free list of `order` and `migratetype` has a block. */
  hasFree(order: number, migratetype: number): boolean;
}

/** A request as the tests see it. */
interface WatermarkRequest {
  readonly order: number;
  /** Pages that must stay free, boost included. */
  readonly mark: number;
  readonly highestZoneIndex: number;
  /** Bits of `AllocFlag`. */
  readonly flags: number;
}

/** Free pages this request cannot count on. */
function unusableFree(zone: WatermarkZone, order: number, flags: number): number {
  let unusable = 2 ** order - 1;
  if ((flags & ALLOC_RESERVES) === 0) unusable += zone.freeHighatomic;
  if ((flags & AllocFlag.CMA) === 0) unusable += zone.freeCma;
  return unusable;
}

/** The mark as lowered by claims to reserves. */
function loweredMark(mark: number, flags: number): number {
  let min = mark;
  if ((flags & AllocFlag.MIN_RESERVE) !== 0) {
    min -= Math.floor(min / 2);
    if ((flags & AllocFlag.NON_BLOCK) !== 0) min -= Math.floor(min / 4);
  }
  if ((flags & AllocFlag.OOM) !== 0) min -= Math.floor(min / 2);
  return min;
}

/** Whether some list the request may use has a block of at least its order. */
function hasSuitableBlock(zone: WatermarkZone, order: number, flags: number): boolean {
  for (let o = order; o <= zone.maxOrder; o += 1) {
    for (let type = 0; type < ORDINARY_TYPES; type += 1) if (zone.hasFree(o, type)) return true;
    if ((flags & AllocFlag.CMA) !== 0 && zone.hasFree(o, MIGRATE_CMA)) return true;
    const atomic = (flags & (AllocFlag.HIGHATOMIC | AllocFlag.OOM)) !== 0;
    if (atomic && zone.hasFree(o, MIGRATE_HIGHATOMIC)) return true;
  }
  return false;
}

/**
 * The full test.
 * @param free free pages to count with; default those of the zone
 * @kernel __zone_watermark_ok
 */
export function watermarkOk(
  zone: WatermarkZone,
  request: WatermarkRequest,
  free: number = zone.freePages,
): boolean {
  const { order, mark, highestZoneIndex, flags } = request;
  const usable = free - unusableFree(zone, order, flags);
  const reserve = zone.lowmemReserve[highestZoneIndex] ?? 0;
  if (usable <= loweredMark(mark, flags) + reserve) return false;
  return order === 0 || hasSuitableBlock(zone, order, flags);
}

/**
 * The test of the allocation's fast path: single pages are settled by one comparison where there is
 * plenty, and requests with a reserve are not held back by a boost of the mark.
 * @kernel zone_watermark_fast
 */
export function watermarkFast(zone: WatermarkZone, request: WatermarkRequest): boolean {
  const { order, mark, highestZoneIndex, flags } = request;
  if (order === 0) {
    const reserved = unusableFree(zone, 0, flags);
    // The reserved part can be stale and larger than what is free: never let it wrap below zero.
    const usable = zone.freePages - Math.min(zone.freePages, reserved);
    if (usable > mark + (zone.lowmemReserve[highestZoneIndex] ?? 0)) return true;
  }
  if (watermarkOk(zone, request)) return true;
  const mayIgnoreBoost =
    order === 0 &&
    (flags & AllocFlag.MIN_RESERVE) !== 0 &&
    zone.boost > 0 &&
    (flags & WMARK_MASK) === AllocFlag.MIN;
  return mayIgnoreBoost && watermarkOk(zone, { ...request, mark: zone.min });
}
