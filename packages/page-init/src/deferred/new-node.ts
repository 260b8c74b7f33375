/**
 * Lays the shared words of a node's deferred part out; nothing is initialised.
 */
import { allocateBuffer } from '@bootmem/memmap/shared';
import { PageInitError } from '../base/errors.js';
import { writeRanges } from './free-ranges.js';
import { deferredLayout, LOW_PFNS, MAGIC, VERSION, Word } from './layout.js';
import type { DeferredNodeOptions } from './types.js';

/** @throws ERR_PAGE_INIT_ARGUMENT when the first pfn is unaligned or a range is out of place */
export function newDeferred(options: DeferredNodeOptions): ArrayBufferLike {
  const { firstDeferredPfn, endPfn, ranges } = options;
  const { sectionOrder } = options.memmap.geometry;
  const size = 2 ** sectionOrder;
  checkRanges(options, size);
  const sections = Math.ceil((endPfn - firstDeferredPfn) / size);
  const layout = deferredLayout(sections, ranges.length);
  const buffer = allocateBuffer(layout.byteLength);
  const words = new Int32Array(buffer);
  words[Word.VERSION] = VERSION;
  words[Word.NID] = options.nid;
  words[Word.ZONE_ID] = options.zoneId;
  words[Word.BASE_SECTION] = firstDeferredPfn / size;
  words[Word.SECTIONS] = sections;
  words[Word.RANGES] = ranges.length;
  words[Word.SECTION_ORDER] = sectionOrder;
  words[Word.GROW_DURING] = options.growth === 'until-pass' ? 0 : 1;
  words[Word.GROW_EXACT] = options.growthStop === 'free-page' ? 1 : 0;
  words[Word.FIRST_HIGH] = Math.floor(firstDeferredPfn / LOW_PFNS);
  words[Word.FIRST_LOW] = firstDeferredPfn % LOW_PFNS;
  writeRanges(new Float64Array(buffer, layout.rangesAt, ranges.length * 2), ranges);
  words[Word.MAGIC] = MAGIC;
  return buffer;
}

function checkRanges(options: DeferredNodeOptions, sectionPages: number): void {
  const { firstDeferredPfn, endPfn, ranges, nid } = options;
  let at = firstDeferredPfn;
  const inPlace = ranges.every((range) => {
    const fits = range.startPfn >= at && range.startPfn < range.endPfn && range.endPfn <= endPfn;
    at = range.endPfn;
    return fits;
  });
  if (firstDeferredPfn % sectionPages === 0 && firstDeferredPfn < endPfn && inPlace) return;
  throw new PageInitError(
    'ERR_PAGE_INIT_ARGUMENT',
    'deferred ranges are sorted, disjoint and inside [firstDeferredPfn, endPfn), aligned to sections',
    { firstDeferredPfn, endPfn, nid },
  );
}
