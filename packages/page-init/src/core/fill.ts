/**
 * The per-page core that early, deferred, on-demand and device initialisation share: fill the
 * descriptors of a range, give its pageblocks their type. Everything else here decides ranges.
 *
 * A descriptor is two bytes here, so 32768 pages (one section) are the same 64 KiB that 1024 of the
 * kernel's 64-byte descriptors are: steps are sections (a few at a time) instead of largest blocks, stay
 * hot in cache all the same, and can never end inside a largest block.
 *
 * Pageblock types are written by the thread that owns the section: a section's types share a cache line.
 */
import { type Memmap, Migratetype, PageState } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';

/** Checks, before a range is initialised, that nobody did it yet. Used by tests and `verify: true`. */
export function checkUntouched(memmap: Memmap, startPfn: number, endPfn: number): void {
  const pages = memmap.countInState(startPfn, endPfn, PageState.UNINITIALISED);
  if (pages === endPfn - startPfn) return;
  throw new PageInitError('ERR_PAGE_INIT_TWICE', 'a page would be initialised a second time', {
    startPfn,
    endPfn,
    initialised: endPfn - startPfn - pages,
  });
}

/**
 * Sets the type of every pageblock whose first page lies in the range to movable.
 * @remarks one byte a pageblock; the sections must be populated
 * @kernel set_pageblock_migratetype
 */
export function setMovable(memmap: Memmap, startPfn: number, endPfn: number): void {
  const { pageblockOrder } = memmap.geometry;
  const size = 2 ** pageblockOrder;
  const { pageblocks } = memmap.columns();
  const first = Math.ceil(startPfn / size) * size;
  for (let pfn = first; pfn < endPfn;) {
    const sectionEnd = (memmap.sectionOf(pfn) + 1) * memmap.pagesPerSection;
    const end = Math.min(Math.ceil(endPfn / size) * size, sectionEnd);
    const at = memmap.indexOf(pfn) / size;
    pageblocks.fill(Migratetype.MOVABLE, at, at + (end - pfn) / size);
    pfn = end;
  }
}

/**
 * Initialises free or boot-owned memory and makes its pageblocks movable.
 * @kernel __init_single_page
 */
export function initMemory(memmap: Memmap, startPfn: number, endPfn: number, zoneId: number): void {
  memmap.initRange(startPfn, endPfn, zoneId);
  setMovable(memmap, startPfn, endPfn);
}
