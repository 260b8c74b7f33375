/**
 * Looking for states in a range, section by section: a section without descriptors is uninitialised, and so are
 * subsections whose descriptors are still those of memory that was removed.
 */
import type { PfnRange } from '../facts/units.js';
import { PageState } from '../facts/page-state.js';
import type { SectionTable } from '../table/section-table.js';

/** Calls `visit` for the parts of the range in each section; index -1 where no descriptor may be looked at. */
export function forEachPart(
  sections: SectionTable,
  { startPfn, endPfn }: PfnRange,
  visit: (index: number, pages: number, pfn: number) => unknown,
): void {
  for (let pfn = startPfn; pfn < endPfn;) {
    const end = Math.min(endPfn, (sections.sectionOf(pfn) + 1) * sections.pagesPerSection);
    const index = sections.indexOf(pfn);
    // `false` ends the walk.
    if (index < 0 || !sections.anyStale(pfn)) {
      if (visit(index, end - pfn, pfn) === false) return;
    } else {
      const base = pfn;
      const wholly = sections.staleRuns(pfn, end, (from, to, stale) =>
        visit(stale ? -1 : index + (from - base), to - from, from),
      );
      if (!wholly) return;
    }
    pfn = end;
  }
}

/** First pfn with exactly this state byte. */
export function firstInState(
  sections: SectionTable,
  column: Uint8Array,
  range: PfnRange,
  state: number,
): number | undefined {
  let found: number | undefined;
  forEachPart(sections, range, (index, pages, pfn) => {
    let at = -1;
    if (index >= 0) at = column.subarray(index, index + pages).indexOf(state);
    else if (state === PageState.UNINITIALISED) at = 0;
    if (at >= 0) found = pfn + at;
    return at < 0;
  });
  return found;
}

/** Number of pages with exactly this state byte. */
export function countInState(
  sections: SectionTable,
  column: Uint8Array,
  range: PfnRange,
  state: number,
): number {
  let count = 0;
  forEachPart(sections, range, (index, pages) => {
    if (index >= 0) {
      let here = 0;
      for (let i = index; i < index + pages; i++) if (column[i] === state) here++;
      count += here;
    } else if (state === PageState.UNINITIALISED) count += pages;
  });
  return count;
}
