/**
 * Owners of blocks: a word a page, of which that of the head counts while the block is allocated.
 *
 *     take    owner word, then the byte "allocated"      nobody sees an allocated block with its former owner
 *     free    the byte only: the word of a free block means nothing
 *     move    the word goes along, before the move counts as done
 *
 * So whoever ends, and wherever: a block that it took is free, or its owner's. What an owner has is found by looking at
 * all blocks, which costs nothing as long as nobody asks.
 *
 * Locks: the zone's, for the blocks of 2^15 pages at a time; what comes from a cache takes no lock, and is seen by its byte.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import { checkInteger, checkOrder, checkOwner, checkPfn } from '../base/check.js';
import { Zone } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { diagnoseFree } from '../zone/diagnose.js';
import type { BuddyZone } from '../zone/zone.js';
import type { OwnedBlocks } from './pool-types.js';

const { ALLOCATED, DIRTY, FREE } = PageState;
const ORDER = HEAD_ORDER_MASK;
/** Pages that are looked at in one hold of the lock: a multiple of any block. */
const AT_A_TIME = 2 ** 15;

type VisitOwned = (pfn: number, order: number, owner: number) => void;

/** Allocated blocks of `[start, end)`, whose ends are borders of blocks. Under the lock. */
function ownedBlocks(zone: BuddyZone, start: number, end: number, visit: VisitOwned): void {
  const { words, ownersAt } = zone;
  const { state } = zone.columns;
  for (let pfn = start; pfn < end;) {
    // Pairs with the store at a hit: who sees "allocated" sees the owner, too.
    const s = Atomics.load(state, pfn);
    const order = s >= FREE ? s & ORDER : 0;
    if ((s & ~DIRTY) === (ALLOCATED | order)) {
      visit(pfn, order, ownersAt === 0 ? 0 : words[ownersAt + pfn]!);
    }
    pfn += 2 ** order;
  }
}

function forEachOwned(
  zone: BuddyZone,
  visit: VisitOwned,
  between: () => void = () => undefined,
): void {
  const present = zone.get(Zone.PRESENT);
  for (let start = 0; start < present; start += AT_A_TIME) {
    zone.locked(() => {
      ownedBlocks(zone, start, Math.min(present, start + AT_A_TIME), visit);
    });
    between();
  }
}

/** @throws ERR_BUDDY_ARGUMENT for no owner, and where blocks have none */
function checkWhose(zone: BuddyZone, owner: number, lowest: number): void {
  checkInteger(owner, 'owner', lowest, 2 ** 31 - 1);
  checkOwner(owner, zone.ownersAt !== 0);
}

/** Frees what an owner has. @param free  as anybody frees a block @returns pages */
export function freeAllOf(
  zone: BuddyZone,
  owner: number,
  free: (pfn: number, order: number) => void,
): number {
  checkWhose(zone, owner, 1);
  let pages = 0;
  let found: (readonly [pfn: number, order: number])[] = [];
  const collect: VisitOwned = (pfn, order, whose) => {
    if (whose === owner) found.push([pfn, order]);
  };
  forEachOwned(zone, collect, () => {
    for (const [pfn, order] of found) {
      try {
        free(pfn, order);
        pages += 2 ** order;
      } catch (error) {
        // Somebody else has freed it meanwhile.
        if (!(error instanceof BuddyError && error.code === 'ERR_BUDDY_DOUBLE_FREE')) throw error;
      }
    }
    found = [];
  });
  return pages;
}

/** Blocks and pages by owner. */
export function countOwners(zone: BuddyZone): OwnedBlocks[] {
  const counts = new Map<number, { blocks: number; pages: number }>();
  forEachOwned(zone, (_, order, owner) => {
    const { blocks, pages } = counts.get(owner) ?? { blocks: 0, pages: 0 };
    counts.set(owner, { blocks: blocks + 1, pages: pages + 2 ** order });
  });
  return [...counts]
    .map(([owner, count]) => ({ owner, ...count }))
    .sort((a, b) => a.owner - b.owner);
}

/** Writes the owner of an allocated block. @throws as for a free of what is none */
export function setOwner(zone: BuddyZone, pfn: number, order: number, owner: number): void {
  checkPfn(pfn);
  checkOrder(order, zone.maxOrder);
  checkWhose(zone, owner, 0);
  const s = zone.columns.state[pfn];
  if (s === undefined || (s & ~DIRTY) !== (ALLOCATED | order)) diagnoseFree(zone, pfn, order);
  zone.words[zone.ownersAt + pfn] = owner;
}
