/**
 * Memory of a new map: which sections it spans, how many can have descriptors at a time, table and columns.
 *
 *     first          first + sections
 *       v                  v
 *     [ . | x | . | x | x ]        x: at most `capacity` sections with descriptors
 *
 * Address space only; nothing is touched but the table's header.
 */
import { allocateColumns, chooseStorage } from '../table/columns.js';
import { MemmapError } from '../facts/errors.js';
import type { Geometry } from '../facts/geometry.js';
import { MAGIC, MAX_INDEX, tableLayout, VERSION, Word } from '../table/layout.js';
import type { MemmapHandle, MemmapOptions } from './memmap-types.js';
import { isRange } from './checks.js';
import { allocateBuffer } from '../shared/words.js';

interface Span {
  readonly first: number;
  readonly sections: number;
  readonly capacity: number;
}

/**
 * Reserves the memory of a map.
 * @throws ERR_MEMMAP_ARGUMENT | ERR_MEMMAP_CAPACITY | ERR_MEMMAP_STORAGE
 */
export function reserveMap(geometry: Geometry, options: MemmapOptions): MemmapHandle {
  for (const range of options.ranges) {
    if (!isRange(range)) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', 'ranges are [startPfn, endPfn), not empty', {
        ...range,
      });
    }
  }
  const starts = options.ranges.map((r) => r.startPfn);
  const ends = options.ranges.map((r) => r.endPfn);
  const low = Math.min(options.minPfn ?? Infinity, ...starts, options.maxPfn ?? Infinity);
  const high = Math.max(options.maxPfn ?? 0, ...ends);
  const first = Number.isFinite(low) ? Math.floor(low / 2 ** geometry.sectionOrder) : 0;
  const sections = Math.ceil(high / 2 ** geometry.sectionOrder) - first;
  const limit = MAX_INDEX / 2 ** geometry.sectionOrder;
  const capacity = Math.max(1, options.capacitySections ?? Math.min(sections, limit));
  if (!Number.isInteger(capacity) || capacity > limit) {
    throw new MemmapError('ERR_MEMMAP_CAPACITY', `capacitySections is 1..${limit}`, { capacity });
  }
  return reserve(geometry, { first, sections: Math.max(1, sections), capacity }, options);
}

/** Reserves table and columns; with on-demand maps, less capacity when the platform refuses the size. */
function reserve(
  geometry: Geometry,
  { first, sections, capacity: wanted }: Span,
  options: MemmapOptions,
): MemmapHandle {
  const onDemand = options.populate === 'ondemand';
  for (let capacity = wanted; ; capacity = Math.ceil(capacity / 2)) {
    const pages = capacity * 2 ** geometry.sectionOrder;
    const auto = options.storage === undefined || options.storage === 'auto';
    const kind = auto ? chooseStorage(pages) : options.storage;
    const layout = tableLayout(geometry, sections, capacity);
    try {
      const columns = allocateColumns(kind, pages, geometry.maxOrder);
      const table = allocateBuffer(layout.totalBytes, kind !== 'local');
      const words = new Int32Array(table);
      words[Word.VERSION] = VERSION;
      words[Word.PAGE_SHIFT] = geometry.pageShift;
      words[Word.SECTION_ORDER] = geometry.sectionOrder;
      words[Word.PAGEBLOCK_ORDER] = geometry.pageblockOrder;
      words[Word.MAX_ORDER] = geometry.maxOrder;
      words[Word.SUBSECTION_ORDER] = geometry.subsectionOrder;
      words[Word.FIRST_SECTION] = first;
      words[Word.SECTIONS] = sections;
      words[Word.CAPACITY] = capacity;
      words[Word.MAGIC] = MAGIC;
      return { type: 'bootmem.memmap', table, columns };
    } catch (error) {
      const explicit = options.capacitySections !== undefined || !onDemand || capacity === 1;
      if (explicit || !(error instanceof MemmapError)) throw error;
    }
  }
}
