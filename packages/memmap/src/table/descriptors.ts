/**
 * Writing runs of descriptors: initialising them is two fills, clearing them zeroes all their columns.
 *
 *     initialise   zone ─▶ state                         a reader that sees the page initialised finds its zone
 *     clear        state ─▶ zone ─▶ links, references where any were written ─▶ what is kept per largest block,
 *                  pageblock and subsection, as far as the run has the whole of it
 *
 * A run is consecutive indices of one section. Who may write it is the map's matter, see map/memmap.ts.
 */
import type { Geometry } from '../facts/geometry.js';
import { PageState } from '../facts/page-state.js';
import { alignUp } from '../facts/units.js';
import type { Columns } from './columns.js';
import { type FillKernel, zeroWhereUsed } from './fill.js';
import type { TableLayout } from './layout.js';
import type { Clearer } from './section-table.js';

/** What is written to. */
interface DescriptorParts {
  readonly columns: Columns;
  readonly fillState: FillKernel;
  readonly fillZone: FillKernel;
  /** The table, for the page map indices. */
  readonly words: Int32Array;
  readonly layout: Pick<TableLayout, 'pgmapAt'>;
  readonly geometry: Geometry;
}

/** The descriptors of a map, written run by run; no state of its own. */
export class Descriptors {
  readonly columns: Columns;
  /** Makes pages initialised, in a zone. A function over the kernels: small runs would feel a method's way to them. */
  readonly initialise: (index: number, pages: number, zoneId: number, state: number) => void;
  readonly #fillState: FillKernel;
  readonly #fillZone: FillKernel;
  readonly #words: Int32Array;
  readonly #pgmapAt: number;
  readonly #geometry: Geometry;

  constructor({ columns, fillState, fillZone, words, layout, geometry }: DescriptorParts) {
    this.columns = columns;
    this.#fillState = fillState;
    this.#fillZone = fillZone;
    this.#words = words;
    this.#pgmapAt = layout.pgmapAt;
    this.#geometry = geometry;
    this.initialise = (index, pages, zoneId, state) => {
      const end = index + pages;
      // Zone before state: a reader that sees the page initialised finds its zone.
      fillZone(zoneId, index, end);
      fillState(state, index, end);
    };
  }

  /** Changes the state only. */
  setState(index: number, pages: number, state: number): void {
    this.#fillState(state, index, index + pages);
  }

  /** Records the page map of every subsection that the run touches. */
  setPageMap(index: number, pages: number, pgmapIndex: number): void {
    const { subsectionOrder } = this.#geometry;
    const last = (index + pages - 1) >>> subsectionOrder;
    const at = this.#pgmapAt;
    this.#words.fill(pgmapIndex, at + (index >>> subsectionOrder), at + last + 1);
  }

  /** Page map of a descriptor's subsection, 0 for none. */
  pageMap(index: number): number {
    return this.#words[this.#pgmapAt + (index >>> this.#geometry.subsectionOrder)]!;
  }

  /** Zeroes the columns of `pages` descriptors from `index`; links and references only if some may be `used`. */
  readonly clear: Clearer = (index, pages, used) => {
    const end = index + pages;
    const { links, refs, topLinks, pageblocks } = this.columns;
    const { pageblockOrder, subsectionOrder, maxOrder } = this.#geometry;
    this.#fillState(PageState.UNINITIALISED, index, end);
    this.#fillZone(0, index, end);
    if (used) {
      zeroWhereUsed(links, 2 * index, 2 * end);
      zeroWhereUsed(refs, index, end);
    }
    const zeroWhole = (
      column: Int32Array | Uint8Array,
      at: number,
      step: number,
      bits: number,
    ): void => {
      const first = alignUp(index, bits) / 2 ** bits;
      const last = Math.floor(end / 2 ** bits);
      if (first < last) column.fill(0, at + step * first, at + step * last);
    };
    zeroWhole(topLinks, 0, 2, maxOrder);
    zeroWhole(pageblocks, 0, 1, pageblockOrder);
    zeroWhole(this.#words, this.#pgmapAt, 1, subsectionOrder);
  };
}
