/**
 * What a range of pages must be before anything is done with it.
 */
import { MemmapError } from '../facts/errors.js';
import type { SectionTable } from '../table/section-table.js';
import { MAX_PFN, type PfnRange } from '../facts/units.js';

/** True for `[startPfn, endPfn)` of whole pages, not empty, inside what an address can name. */
export function isRange({ startPfn, endPfn }: PfnRange): boolean {
  return (
    Number.isSafeInteger(startPfn) &&
    Number.isSafeInteger(endPfn) &&
    startPfn >= 0 &&
    startPfn < endPfn &&
    endPfn <= MAX_PFN
  );
}

/** @throws ERR_MEMMAP_ARGUMENT | ERR_MEMMAP_ABSENT unless every page of the range is present */
export function checkPresent(sections: SectionTable, startPfn: number, endPfn: number): void {
  if (!isRange({ startPfn, endPfn })) {
    throw new MemmapError('ERR_MEMMAP_ARGUMENT', 'a range is [startPfn, endPfn), not empty', {
      startPfn,
      endPfn,
    });
  }
  const absent = sections.firstAbsent(startPfn, endPfn);
  if (absent !== undefined) {
    throw new MemmapError('ERR_MEMMAP_ABSENT', `pfn ${absent} is not present`, { pfn: absent });
  }
}
