/**
 * Looking inside an allocator without disturbing it: numbers without a lock, blocks one by one.
 */
import { PageState } from '@bootmem/memmap';

import { cachePages } from '../base/cache-layout.js';
import { cacheAt, Header, Zone } from '../base/control-layout.js';
import type { BuddyZone } from '../zone/zone.js';
import type { AllocatorStats } from './pool-types.js';

/**
 * Called for each block by `BuddyAllocator.walk`. `moving`: held by a move, or left behind by one. `owner`: of an allocated
 * block, 0 for nobody and where blocks have no owners.
 */
export type BlockVisitor = (
  pfn: number,
  order: number,
  state: 'free' | 'allocated' | 'cached' | 'moving',
  owner: number,
) => void;

/** Pages in the caches of all threads. */
function cachedPages(zone: BuddyZone, words: Int32Array): number {
  if (zone.cacheAt === undefined) return 0;
  const threads = words[Header.THREADS]!;
  let pages = 0;
  for (let thread = 1; thread <= threads; thread++) {
    pages += cachePages(words, cacheAt(words, 0, thread));
  }
  return pages;
}

/** Numbers of an allocator: each is exact, together they may be of different moments. */
export function statsOf(zone: BuddyZone, words: Int32Array): AllocatorStats {
  const freeBlocks = zone.freeBlocks();
  const pages = zone.managedPages;
  const cached = cachedPages(zone, words);
  return {
    pages,
    pageSize: 2 ** zone.memmap.geometry.pageShift,
    freePages: zone.freePages,
    cachedPages: cached,
    allocatedPages: pages - zone.freePages - zone.get(Zone.ISOLATED) - cached,
    freeBlocks,
    largestFreeOrder: freeBlocks.findLastIndex((n) => n > 0),
    claims: zone.get(Zone.CLAIMS),
    steals: zone.get(Zone.STEALS),
    lowEvents: zone.get(Zone.LOW_EVENTS),
    recoveries: zone.get(Zone.RECOVERIES),
  };
}

const NAMES: Readonly<Record<number, Parameters<BlockVisitor>[2]>> = {
  [PageState.FREE]: 'free',
  [PageState.ALLOCATED]: 'allocated',
  [PageState.MOVING]: 'moving',
};

/** Calls back for every block, in order of pages. */
export function walkBlocks(zone: BuddyZone, visit: BlockVisitor): void {
  const { memmap, words, ownersAt } = zone;
  for (let pfn = 0; pfn < zone.get(Zone.PRESENT);) {
    const head = memmap.coveringHead(pfn);
    if (head === undefined) {
      pfn++;
      continue;
    }
    const owned = head.state === PageState.ALLOCATED && ownersAt !== 0;
    const owner = owned ? words[ownersAt + head.pfn]! : 0;
    visit(head.pfn, head.order, NAMES[head.state] ?? 'cached', owner);
    pfn = head.pfn + 2 ** head.order;
  }
}
