/**
 * Claiming a block that is to be freed: of two threads that free it in the same instant, one changes its state byte and
 * the other one finds it changed. An atomic operation for each free, so only for allocators that are `checked`.
 */
import { type Memmap, PageState } from '@bootmem/memmap';
import type { Columns } from '@bootmem/memmap/shared';

const { ALLOCATED, CACHED, DIRTY } = PageState;

/** Makes an allocated block of the order a cached one. False when it is not allocated, or not any more. */
export function claimBlock(state: Uint8Array, index: number, order: number): boolean {
  const seen = state[index]!;
  if ((seen & ~DIRTY) !== (ALLOCATED | order)) return false;
  // Pairs with that of the other thread: one of the two sees the value that both have read.
  return Atomics.compareExchange(state, index, seen, CACHED | DIRTY | order) === seen;
}

/**
 * Claims single pages `[startPfn, endPfn)`, all or none.
 * @returns the first pfn that is no allocated page of order 0; undefined when all are claimed
 */
export function claimSingles(
  { memmap, columns }: { readonly memmap: Memmap; readonly columns: Columns },
  startPfn: number,
  endPfn: number,
): number | undefined {
  const { state } = columns;
  for (let pfn = startPfn; pfn < endPfn; pfn++) {
    if (claimBlock(state, memmap.indexOf(pfn), 0)) continue;
    for (let back = startPfn; back < pfn; back++) state[memmap.indexOf(back)] = ALLOCATED | DIRTY;
    return pfn;
  }
  return undefined;
}
