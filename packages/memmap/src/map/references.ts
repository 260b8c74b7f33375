/**
 * References to pages.
 *
 *     count = what the state implies (0 or 1) + the word in the column `refs`
 *
 * So initialising a page, handing a block out and freeing it write no count. The column's words are always
 * accessed with atomics, from any thread.
 */
import type { Columns } from '../table/columns.js';
import type { BlockHead } from './describe.js';
import { MemmapError } from '../facts/errors.js';
import { HEAD_KIND_MASK, PageState } from '../facts/page-state.js';

const { add, load } = Atomics;

/** What counting needs to know of a map. */
interface CountedMap {
  state(pfn: number): number;
  indexOf(pfn: number): number;
  coveringHead(pfn: number): BlockHead | undefined;
  columns(): Columns;
}

function implied(map: CountedMap, pfn: number): number | undefined {
  const state = map.state(pfn);
  if (state === PageState.UNINITIALISED) return undefined;
  if (state === PageState.DEVICE_IDLE || state === PageState.DEVICE_TAIL) return 0;
  if (state < PageState.FREE && state !== PageState.BODY) return 1;
  const kind = state & HEAD_KIND_MASK;
  if (kind === PageState.ALLOCATED || kind === PageState.SHARED) return 1;
  return state === PageState.BODY && map.coveringHead(pfn) === undefined ? 1 : 0;
}

/** References to a page; 0 for an uninitialised one. */
export function referencesOf(map: CountedMap, pfn: number): number {
  const own = implied(map, pfn);
  return own === undefined ? 0 : own + load(map.columns().refs, map.indexOf(pfn));
}

/** Takes a reference. @returns the new count @throws ERR_MEMMAP_UNINITIALISED */
export function takeReference(map: CountedMap, pfn: number): number {
  const own = implied(map, pfn);
  if (own === undefined) {
    throw new MemmapError('ERR_MEMMAP_UNINITIALISED', `pfn ${pfn} is not initialised`, { pfn });
  }
  return own + add(map.columns().refs, map.indexOf(pfn), 1) + 1;
}

/** Drops a reference. @returns the new count @throws ERR_MEMMAP_REFCOUNT when there is none */
export function dropReference(map: CountedMap, pfn: number): number {
  const own = implied(map, pfn) ?? 0;
  const at = Math.max(0, map.indexOf(pfn));
  const { refs } = map.columns();
  const before = add(refs, at, -1) + own;
  if (before > 0) return before - 1;
  add(refs, at, 1);
  throw new MemmapError('ERR_MEMMAP_REFCOUNT', `pfn ${pfn} has no reference to drop`, { pfn });
}
