/**
 * Moving a block: its target is held while the user's callback copies, then one of the two is free.
 *
 *     begin ──▶ callback ──true──▶ finish: target allocated, source free        states: lists/moving.ts
 *                        └─false, thrown──▶ drop: target free
 *                        └─the thread ends: the target stays held; who knows how far it came settles it
 *
 * Locks: each step takes the zone's lock once; the callback runs without it.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import { linksOf, moveRecord } from '../lists/moving.js';
import { forEachUnit } from '../lists/recovery.js';
import { diagnoseFree } from './diagnose.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, DIRTY, MOVING } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;

/** Moves the contents of a block; true when done, after which the old block is freed. */
export type MoveCallback = (fromPfn: number, toPfn: number, pages: number) => boolean;

/** A move whose thread ended in its callback. Page numbers and pages. */
export interface OpenMove {
  readonly from: number;
  readonly to: number;
  readonly pages: number;
}

/** Takes a block of the zone to move the block at `from` to. @returns its index, -1 when there is none */
export function beginMove(zone: BuddyZone, from: number, order: number, type: number): number {
  const { links, shift } = linksOf(zone.linked, order);
  const { tag, fallback } = zone;
  return zone.locked(() => {
    const index = fallback.rmqueue(order, type, 0, MOVING);
    // Nothing may come between taking the block and the record of whose it is: no call, no loop.
    if (index >= 0) {
      const slot = (index >>> shift) << 1;
      links[slot] = tag;
      links[slot + 1] = from;
    }
    return index;
  });
}

/** Runs the callback for a block and the target that was taken for it. @returns what it said */
export function runMove(
  zone: BuddyZone,
  from: number,
  target: number,
  move: MoveCallback,
): boolean {
  const { memmap } = zone;
  const order = zone.columns.state[target]! & ORDER;
  let moved = false;
  zone.movesOpen++;
  try {
    moved = move(memmap.pfnOf(from), memmap.pfnOf(target), 2 ** order);
  } finally {
    zone.movesOpen--;
    // Refused, or thrown out of: the target is free again.
    settle(zone, { target, from, order, owner: zone.tag }, moved);
  }
  return moved;
}

interface Held {
  readonly target: number;
  readonly from: number;
  readonly order: number;
  readonly owner: number;
}

/** Ends a move, unless somebody else did. @throws as `free` when the source is not an allocated block any more */
function settle(zone: BuddyZone, { target, from, order, owner }: Held, moved: boolean): void {
  const { state } = zone.columns;
  // Poison goes in before the lock is taken: nobody else has the block.
  zone.scrub(moved ? from : target, order);
  const lost = zone.locked(() => {
    const s = state[target]!;
    const ours = (s & ~DIRTY) === (MOVING | order);
    if (!ours || moveRecord(zone.linked, target, order).owner !== owner) return false;
    if (!moved) {
      zone.freeBlockLocked(target, order, DIRTY, false);
      return false;
    }
    const whole = (state[from]! & ~DIRTY) === (ALLOCATED | order);
    const { links, shift } = linksOf(zone.linked, order);
    const { words, ownersAt } = zone;
    if (ownersAt !== 0) words[ownersAt + target] = words[ownersAt + from]!;
    // Done from here on: whoever ends, recovery frees the source.
    links[((target >>> shift) << 1) + 1] = ~from;
    if (whole) zone.freeBlockLocked(from, order, DIRTY, false);
    state[target] = ALLOCATED | order | DIRTY;
    return !whole;
  });
  if (lost) diagnoseFree(zone, from, order);
}

/** Moves that nobody will end: their threads have ended, or are the caller and were thrown out (ERR_LOCK_TIMEOUT). */
export function openMoves(zone: BuddyZone): OpenMove[] {
  return zone.locked(() => openMovesLocked(zone));
}

/** As {@link openMoves}, under the lock. */
export function openMovesLocked(zone: BuddyZone): OpenMove[] {
  return heldTargets(zone).map(({ target, from, order }) => ({
    from: zone.memmap.pfnOf(from),
    to: zone.memmap.pfnOf(target),
    pages: 2 ** order,
  }));
}

function heldTargets(zone: BuddyZone): Held[] {
  const found: Held[] = [];
  forEachUnit(zone, (index, s) => {
    if ((s & KIND) !== MOVING) return;
    const { owner, from } = moveRecord(zone.linked, index, s & ORDER);
    // From itself: taken to be accepted (lists/parked-blocks.ts).
    if (from === index) return;
    // Its own, in no callback: it could not have the lock when the callback had come back.
    const left = owner === zone.tag && zone.movesOpen === 0;
    if (left || zone.hasEnded(owner)) found.push({ target: index, from, order: s & ORDER, owner });
  });
  return found;
}

/**
 * Ends the moves whose threads ended in the callback.
 * @param moved  whether the owner of the block looks at the new place: then the old one is freed, else the new one
 * @returns how many were ended
 */
export function settleMoves(zone: BuddyZone, moved: MoveCallback): number {
  const { memmap } = zone;
  const held = zone.locked(() => heldTargets(zone));
  for (const move of held) {
    const { target, from, order } = move;
    settle(zone, move, moved(memmap.pfnOf(from), memmap.pfnOf(target), 2 ** order));
  }
  return held.length;
}
