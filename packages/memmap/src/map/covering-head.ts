/**
 * The block that a page belongs to, found from the descriptor alone: blocks are aligned to their size, so the head is the page
 * itself or one of the `maxOrder` pages in front of it that a larger block could start at.
 *
 *     page 13 = 1101 ─▶ 13 (order 0) ─▶ 12 (1, 2) ─▶ 8 (3) ─▶ 0 (4 …)        the first that heads a block of that order
 */
import { HEAD_KIND_MASK, HEAD_ORDER_MASK, PageState } from '../facts/page-state.js';
import { alignDown } from '../facts/units.js';
import type { SectionTable } from '../table/section-table.js';
import type { BlockHead } from './describe.js';

/** Where is looked. */
interface SearchedMap {
  /** State bytes, by index. */
  readonly states: Uint8Array;
  readonly maxOrder: number;
  /** Says which descriptors are those of memory that is there, not of memory that was removed. */
  readonly sections: Pick<SectionTable, 'access'>;
}

function isLive({ sections }: SearchedMap, pfn: number): boolean {
  return sections.access(pfn) >= 0;
}

/**
 * @param index  of the page's descriptor
 * @returns undefined for boot-owned and plain pages
 */
export function findHead(map: SearchedMap, pfn: number, index: number): BlockHead | undefined {
  const state = map.states[index]!;
  if (state !== PageState.BODY && state < PageState.FREE) return undefined;
  for (let order = 0; order <= map.maxOrder; order++) {
    const head = alignDown(index, order);
    const found = map.states[head]!;
    const headPfn = pfn - (index - head);
    if (found >= PageState.FREE && (found & HEAD_ORDER_MASK) >= order && isLive(map, headPfn)) {
      return { pfn: headPfn, state: found & HEAD_KIND_MASK, order: found & HEAD_ORDER_MASK };
    }
  }
  return undefined;
}
