/**
 * What a memmap's handle must be: table and columns of the sizes that the table's header states.
 */
import type { BufferNeed, HandleFormat } from '../shared/check-handle.js';
import { type Geometry, geometryFault } from '../facts/geometry.js';
import type { StorageKind } from '../table/columns.js';
import {
  MAGIC,
  MAX_INDEX,
  MAX_ZONE_ID,
  type TableLayout,
  tableLayout,
  VERSION,
  Word,
} from '../table/layout.js';

/** Geometry as the header states it. */
export function geometryOf(words: Int32Array): Geometry {
  return {
    pageShift: words[Word.PAGE_SHIFT]!,
    sectionOrder: words[Word.SECTION_ORDER]!,
    pageblockOrder: words[Word.PAGEBLOCK_ORDER]!,
    maxOrder: words[Word.MAX_ORDER]!,
    subsectionOrder: words[Word.SUBSECTION_ORDER]!,
  };
}

/** Layout as the header states it. */
export function layoutOf(words: Int32Array): TableLayout {
  return tableLayout(geometryOf(words), words[Word.SECTIONS]!, words[Word.CAPACITY]!);
}

/** What is wrong with the numbers of a header; undefined for nothing. */
function headerFault(words: Int32Array): string | undefined {
  const geometry = geometryOf(words);
  const fault = geometryFault(geometry);
  if (fault !== undefined) return `its geometry must satisfy: ${fault}`;
  const capacity = words[Word.CAPACITY]!;
  const used = words[Word.SLOTS_USED]!;
  const zones = words[Word.ZONES]!;
  if (words[Word.FIRST_SECTION]! < 0 || words[Word.SECTIONS]! < 1) return 'it has no sections';
  if (capacity < 1 || capacity > MAX_INDEX / 2 ** geometry.sectionOrder) {
    return `it has room for ${capacity} sections`;
  }
  if (used < 0 || used > capacity) return `${used} of ${capacity} sections are in use`;
  return zones < 0 || zones > MAX_ZONE_ID ? `it has ${zones} zones` : undefined;
}

/**
 * What is wrong with the descriptors' places: each section has none, or one of its own (kept while it is absent).
 * Undefined for nothing. O(sections)
 */
function slotFault(words: Int32Array, layout: TableLayout): string | undefined {
  const { sections, capacity, slotAt, rowOfSlotAt } = layout;
  const first = words[Word.FIRST_SECTION]!;
  for (let slot = 0; slot < capacity; slot++) {
    // Also of a place that is just being given: then the section is one of the table.
    const row = Atomics.load(words, rowOfSlotAt + slot);
    if (row < 0 || row > sections) return `place ${slot} is that of no section`;
  }
  for (let row = 0; row < sections; row++) {
    // The way back is written before the slot, so a slot that other threads give out now is seen whole.
    const slot = Math.abs(Atomics.load(words, slotAt + row));
    if (slot === 0) continue;
    if (slot > capacity || words[rowOfSlotAt + slot - 1] !== row + 1) {
      return `section ${first + row} has its descriptors in a place that is not its own`;
    }
  }
  return undefined;
}

function needs(
  words: Int32Array,
  handle: Readonly<Record<string, unknown>>,
): BufferNeed[] | string {
  const fault = headerFault(words);
  if (fault !== undefined) return fault;
  const kind = (handle['columns'] as { readonly kind?: StorageKind } | undefined)?.kind;
  if (kind !== 'wasm' && kind !== 'shared' && kind !== 'local') {
    return 'columns.kind is wasm, shared or local';
  }
  const shared = kind !== 'local';
  const layout = layoutOf(words);
  // A table that is too short is told with its length, below.
  const misplaced = 4 * words.length < layout.totalBytes ? undefined : slotFault(words, layout);
  if (misplaced !== undefined) return misplaced;
  const pages = layout.capacity * layout.pagesPerSection;
  const blocks = pages / 2 ** words[Word.MAX_ORDER]!;
  const all: BufferNeed[] = [
    { field: 'table', bytes: layout.totalBytes, shared },
    { field: 'columns.bytes', bytes: 2 * pages, shared },
    { field: 'columns.links', bytes: 8 * pages + 8 * blocks, shared },
    { field: 'columns.refs', bytes: 4 * pages, shared },
  ];
  if (kind === 'wasm') all.push({ field: 'columns.memory.buffer', bytes: 2 * pages, shared });
  return all;
}

/** Format of {@link MemmapHandle}, for `checkHandle`; also for handles that have a memmap inside. */
export const MEMMAP_FORMAT: HandleFormat = {
  type: 'bootmem.memmap',
  header: { field: 'table' },
  magic: MAGIC,
  version: VERSION,
  headerWords: Word.ZONE_TABLE,
  needs,
};
