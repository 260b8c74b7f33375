/**
 * Pages that come online: at creation, and later. Any thread may grow a pool, several at once, while all others go on.
 *
 *     memory    grown first, without a lock: nobody's code runs under one        (WebAssembly.Memory only)
 *     lock ─▶   the lowest pages not online yet, as far as there is memory: present ─▶ initialised ─▶ handed over
 *     unlock    who takes one of them, or is told its number, finds the memory grown
 *
 * Which pages are next is read under the lock, so two that grow get different ones; who finds that another took the memory it
 * had made grows it again. A thread that ends in here leaves memory that is not online yet, or pages that are not handed over
 * yet: the next one that grows begins with these. Page numbers and offsets never change.
 */
import { Zone } from '../base/control-layout.js';
import { type PageData, POISON } from '../base/page-data.js';
import { growTo } from '../base/wasm-memory.js';
import { handOverLocked } from '../zone/hand-over.js';
import type { BuddyZone } from '../zone/zone.js';
import { sizeCaches } from './pool-setup.js';

/** Pages that come online in one hold of the lock: a multiple of any block. */
const AT_A_TIME = 2 ** 15;
/** Bytes that are filled in one hold, where free memory is poisoned; some tens of milliseconds. */
const FILLED_AT_A_TIME = 2 ** 26;

/** What grows. */
export interface GrowingPool {
  readonly zone: BuddyZone;
  readonly data: PageData | undefined;
  /** Migratetype of new pageblocks. */
  readonly type: number;
  /** Free memory holds poison from the start: a block says not which of its pages were used before. */
  readonly poison: boolean;
}

/** Brings `pages` more pages online, or as many as there can be. @returns how many */
export function growPool(pool: GrowingPool, pages: number): number {
  const { zone } = pool;
  let added = 0;
  while (added < pages) {
    const wanted = Math.min(zone.managedPages + pages - added, zone.endPfn);
    const there = reach(pool, wanted);
    const more = zone.locked(() => addPages(pool, pages - added, there));
    added += more;
    // Else other threads have been faster, and what they left is less than what there can be.
    if (more === 0 && (there < wanted || zone.managedPages >= zone.endPfn)) break;
  }
  if (added > 0) zone.cache?.retune();
  return added;
}

/** Pages that there is memory for, `wanted` if it can be had. */
function reach({ zone, data }: GrowingPool, wanted: number): number {
  if (data?.memory === undefined) return zone.endPfn;
  const { memory, offset, pageSize } = data;
  const there = Math.floor((growTo(memory, offset + wanted * pageSize) - offset) / pageSize);
  // What lies behind the pool's last page is the program's.
  return Math.min(there, zone.endPfn);
}

/**
 * Brings the next pages online, up to `end`, in one hold of the lock.
 * @returns how many; 0 when others were faster
 */
function addPages({ zone, data, type, poison }: GrowingPool, most: number, end: number): number {
  const { memmap, words: w, at: z } = zone;
  // Handed over from the lowest on: what is managed is what is online.
  const from = w[z + Zone.MANAGED]!;
  const step = poison ? Math.ceil(FILLED_AT_A_TIME / 2 ** memmap.geometry.pageShift) : AT_A_TIME;
  const border = (Math.floor(from / AT_A_TIME) + 1) * AT_A_TIME;
  const to = Math.min(from + most, from + step, border, end);
  if (to <= from) return 0;
  populate(zone, from, to);
  // Whoever finds a page between the two numbers finds that nobody has it.
  w[z + Zone.PRESENT] = to;
  memmap.initRange(from, to, zone.zoneId);
  memmap.pageblocks.setRange(from, to, type);
  if (poison) data?.fill(from, to - from, POISON);
  handOverLocked(zone, from, to);
  sizeCaches(w, z, to);
  return to - from;
}

/** Descriptors for whole sections; those of the one that `from` is in are there. */
function populate({ memmap }: BuddyZone, from: number, to: number): void {
  const size = memmap.pagesPerSection;
  const step = 2 ** memmap.geometry.subsectionOrder;
  for (let pfn = Math.ceil(from / size) * size; pfn < Math.ceil(to / size) * size; pfn += step) {
    if (!memmap.isPresent(pfn)) memmap.addMemory(pfn, pfn + step);
    else if (!memmap.isPopulated(pfn)) memmap.populate(pfn, pfn + step);
  }
}
