/**
 * Claiming a block that is to be freed: of two threads that free it in the same instant, one changes its state byte and
 * the other one finds it changed. An atomic operation for each free, so only for allocators that are `checked`.
 */
import { type Memmap, PageState } from '@bootmem/memmap';
import type { Columns } from '@bootmem/memmap/shared';

import { Zone } from '../base/control-layout.js';
import { closeRun, openRun } from '../lists/run.js';

const { ALLOCATED, CACHED, DIRTY } = PageState;

/** Makes an allocated block of the order a cached one. False when it is not allocated, or not any more. */
export function claimBlock(state: Uint8Array, index: number, order: number): boolean {
  const seen = state[index]!;
  if ((seen & ~DIRTY) !== (ALLOCATED | order)) return false;
  // Pairs with that of the other thread: one of the two sees the value that both have read.
  return Atomics.compareExchange(state, index, seen, CACHED | DIRTY | order) === seen;
}

/** What {@link claimSingles} works on. */
interface ClaimingZone {
  readonly memmap: Memmap;
  readonly columns: Columns;
  readonly words: Int32Array;
  readonly at: number;
}

/**
 * Claims single pages `[startPfn, endPfn)`, all or none. Under the lock; the run in flight counts them one by one, so
 * that those of a thread that ends here are given back to their owner.
 * @returns the first pfn that is no allocated page of order 0; undefined when all are claimed: the caller frees them
 */
export function claimSingles(
  { memmap, columns, words, at }: ClaimingZone,
  startPfn: number,
  endPfn: number,
): number | undefined {
  const { state } = columns;
  const PAGES = at + Zone.RUN_PAGES;
  openRun(words, at, startPfn, 0);
  for (let pfn = startPfn; pfn < endPfn; pfn++) {
    if (claimBlock(state, memmap.indexOf(pfn), 0)) {
      words[PAGES] = words[PAGES]! - 1;
      continue;
    }
    for (let back = startPfn; back < pfn; back++) state[memmap.indexOf(back)] = ALLOCATED | DIRTY;
    closeRun(words, at);
    return pfn;
  }
  return undefined;
}
