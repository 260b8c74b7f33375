/**
 * Geometry of a machine's page frames: every size is a power of two, given as the logarithm in pages.
 *
 *     |<------------------------- section (32768) ------------------------->|
 *     |<-- max-order block (1024) -->|                                      |
 *     |<- pageblock ->|<- pageblock ->|   ...                               |
 *     |<- subsection ->|                                                    |
 *
 * Invariants: subsection <= section, pageblock <= maximum block <= section, and each divides the next,
 * so no block and no pageblock crosses a section. Source: Documentation/mm/memory-model.rst.
 */
import { MemmapError } from './errors.js';
import { MAX_RECORDABLE_ORDER } from './units.js';

/** Sizes of one machine's page frames; orders are log2 of a number of pages. */
export interface Geometry {
  /** log2 of the page size in bytes. */
  readonly pageShift: number;
  /** Section: unit in which descriptors exist. @kernel PFN_SECTION_SHIFT */
  readonly sectionOrder: number;
  /** Pageblock: unit that carries a migratetype. @kernel pageblock_order */
  readonly pageblockOrder: number;
  /** Largest block of the buddy allocator. @kernel MAX_PAGE_ORDER */
  readonly maxOrder: number;
  /** Subsection: unit in which memory can be added. @kernel SUBSECTION_SHIFT */
  readonly subsectionOrder: number;
}

/** x86-64: 4 KiB pages, 128 MiB sections, 2 MiB pageblocks, 4 MiB largest block. */
export const X86_64: Geometry = Object.freeze({
  pageShift: 12,
  sectionOrder: 15,
  pageblockOrder: 9,
  maxOrder: 10,
  subsectionOrder: 9,
});

/** arm64 with 4 KiB pages: the x86-64 sizes. */
export const ARM64_4K: Geometry = X86_64;

/** arm64 with 64 KiB pages: 512 MiB sections that are exactly one largest block. */
export const ARM64_64K: Geometry = Object.freeze({
  pageShift: 16,
  sectionOrder: 13,
  pageblockOrder: 13,
  maxOrder: 13,
  subsectionOrder: 5,
});

/** The first relation between the sizes that does not hold; undefined when all do. */
export function geometryFault(geometry: Geometry): string | undefined {
  const { pageShift, sectionOrder, pageblockOrder, maxOrder, subsectionOrder } = geometry;
  const relations: readonly (readonly [boolean, string])[] = [
    [Object.values(geometry).every((n) => Number.isInteger(n) && n >= 0), 'sizes are integers'],
    [pageShift <= 30, 'pageShift <= 30'],
    [maxOrder <= MAX_RECORDABLE_ORDER, 'maxOrder <= 15'],
    [pageblockOrder <= maxOrder, 'pageblockOrder <= maxOrder'],
    [maxOrder <= sectionOrder, 'maxOrder <= sectionOrder'],
    [subsectionOrder <= sectionOrder, 'subsectionOrder <= sectionOrder'],
    [sectionOrder <= 24, 'sectionOrder <= 24'],
  ];
  return relations.find(([holds]) => !holds)?.[1];
}

/**
 * Checks the relations between the sizes.
 * @throws ERR_MEMMAP_GEOMETRY with the first relation that does not hold
 */
export function checkGeometry(geometry: Geometry): void {
  const relation = geometryFault(geometry);
  if (relation === undefined) return;
  throw new MemmapError('ERR_MEMMAP_GEOMETRY', `geometry must satisfy: ${relation}`, {
    ...geometry,
    relation,
  });
}
