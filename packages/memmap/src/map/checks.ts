/**
 * What a range of pages, and what is recorded of it, must be before anything is changed.
 */
import { MemmapError } from '../facts/errors.js';
import type { Geometry } from '../facts/geometry.js';
import { isDeviceState } from '../facts/page-state.js';
import type { SectionTable } from '../table/section-table.js';
import { alignDown, MAX_PFN, type PfnRange } from '../facts/units.js';

/** Page map indices are below this. */
const MAX_PGMAP = 2 ** 31;

/** Where a map lies. */
interface MapBounds {
  readonly startPfn: number;
  readonly endPfn: number;
  readonly geometry: Geometry;
}

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

/** @throws ERR_MEMMAP_ARGUMENT for what is no whole subsections of the map */
export function checkSubsections(map: MapBounds, startPfn: number, endPfn: number): void {
  const { subsectionOrder } = map.geometry;
  const fits = isRange({ startPfn, endPfn }) && startPfn >= map.startPfn && endPfn <= map.endPfn;
  const aligned = alignDown(startPfn, subsectionOrder) === startPfn;
  if (!fits || !aligned || alignDown(endPfn, subsectionOrder) !== endPfn) {
    throw new MemmapError(
      'ERR_MEMMAP_ARGUMENT',
      `memory is added in subsections of 2^${subsectionOrder} pages inside the map`,
      { startPfn, endPfn, mapStart: map.startPfn, mapEnd: map.endPfn },
    );
  }
}

/** @throws ERR_MEMMAP_PRESENT when a page of the range is present */
export function checkAbsent(sections: SectionTable, startPfn: number, endPfn: number): void {
  const pfn = sections.firstPresent(startPfn, endPfn);
  if (pfn === undefined) return;
  throw new MemmapError('ERR_MEMMAP_PRESENT', `pfn ${pfn} is present already`, { pfn });
}

/** @throws ERR_MEMMAP_ARGUMENT for no index of a page map */
export function checkPageMap(pgmapIndex: number): void {
  if (Number.isInteger(pgmapIndex) && pgmapIndex >= 1 && pgmapIndex < MAX_PGMAP) return;
  throw new MemmapError('ERR_MEMMAP_ARGUMENT', `pgmapIndex is 1..2^31-1, got ${pgmapIndex}`, {
    pgmapIndex,
  });
}

/** @throws ERR_MEMMAP_UNINITIALISED unless every page of the range is initialised; as {@link checkPresent} */
export function checkInitialised(
  map: { firstUninitialised(startPfn: number, endPfn: number): number | undefined },
  startPfn: number,
  endPfn: number,
): void {
  const pfn = map.firstUninitialised(startPfn, endPfn);
  if (pfn === undefined) return;
  throw new MemmapError('ERR_MEMMAP_UNINITIALISED', `pfn ${pfn} is not initialised`, { pfn });
}

/** @throws ERR_MEMMAP_ZONES for an id that no zone has */
export function checkZone(zones: { has(zoneId: number): boolean }, zoneId: number): void {
  if (zones.has(zoneId)) return;
  throw new MemmapError('ERR_MEMMAP_ZONES', `zone id ${zoneId} is not defined`, { zoneId });
}

/** @throws ERR_MEMMAP_ARGUMENT for the state of a page that is no device's */
export function checkDevice(pfn: number, state: number): void {
  if (isDeviceState(state)) return;
  throw new MemmapError('ERR_MEMMAP_ARGUMENT', `pfn ${pfn} is not a device page`, { pfn });
}
