/**
 * A memblock so simple that it is obviously right: one word for each cell of a small address space.
 *
 * A cell of a list is 0 (no region) or flags and node of the region there. Regions are runs of equal
 * cells, because touching, like regions are one. Everything is done cell by cell. It shares no code
 * with the subject.
 */

/** Region as the map sees it, in cells. */
export interface CellRegion {
  readonly from: number;
  readonly to: number;
  readonly flags: number;
  readonly nid: number;
}

/** Flags and node of a cell as one word above 0. */
export function word(flags: number, nid: number): number {
  return (nid + 2) * 0x10000 + flags;
}

const flagsOf = (value: number): number => value % 0x10000;
const nidOf = (value: number): number => Math.floor(value / 0x10000) - 2;

export const HOTPLUG = 1;
export const MIRROR = 2;
export const NOMAP = 4;
export const DRIVER_MANAGED = 8;

/** What a search or a walk asks for. */
export interface CellQuery {
  readonly flags: number;
  /** -1 for any. */
  readonly nid: number;
  readonly movableNode: boolean;
}

function hidden(value: number, query: CellQuery): boolean {
  const flags = flagsOf(value);
  const asked = query.flags;
  if (query.nid >= 0 && nidOf(value) !== query.nid) return true;
  if ((asked & MIRROR) !== 0 && (flags & MIRROR) === 0) return true;
  if ((flags & NOMAP) !== 0 && (asked & NOMAP) === 0) return true;
  if ((flags & DRIVER_MANAGED) !== 0 && (asked & DRIVER_MANAGED) === 0) return true;
  return query.movableNode && (flags & HOTPLUG) !== 0 && (asked & HOTPLUG) === 0;
}

/** The two lists as maps of cells. */
export class CellMap {
  readonly memory: Int32Array;
  readonly reserved: Int32Array;

  constructor(cells: number) {
    this.memory = new Int32Array(cells);
    this.reserved = new Int32Array(cells);
  }

  /** Fills the cells of a range where nothing is. */
  fill(map: Int32Array, from: number, to: number, value: number): void {
    for (let cell = from; cell < to; cell++) if (map[cell] === 0) map[cell] = value;
  }

  /** Empties the cells of a range. */
  cut(map: Int32Array, from: number, to: number): void {
    map.fill(0, from, to);
  }

  /** Sets or clears a flag where there is a region. */
  flag(map: Int32Array, from: number, to: number, bit: number, on: boolean): void {
    for (let cell = from; cell < to; cell++) {
      const value = map[cell]!;
      if (value !== 0) {
        const flags = on ? flagsOf(value) | bit : flagsOf(value) & ~bit;
        map[cell] = word(flags, nidOf(value));
      }
    }
  }

  /** Sets the node where there is a region. */
  node(map: Int32Array, from: number, to: number, nid: number): void {
    for (let cell = from; cell < to; cell++) {
      const value = map[cell]!;
      if (value !== 0) map[cell] = word(flagsOf(value), nid);
    }
  }

  /** Runs of equal cells. */
  regions(map: Int32Array): CellRegion[] {
    const found: CellRegion[] = [];
    for (let cell = 0; cell < map.length;) {
      const value = map[cell]!;
      const from = cell;
      while (cell < map.length && map[cell] === value) cell++;
      if (value !== 0) found.push({ from, to: cell, flags: flagsOf(value), nid: nidOf(value) });
    }
    return found;
  }

  /** Runs of free cells inside one region of memory that the query sees. */
  free(query: CellQuery): { from: number; to: number; nid: number }[] {
    const found: { from: number; to: number; nid: number }[] = [];
    for (let cell = 0; cell < this.memory.length;) {
      const value = this.memory[cell]!;
      if (value === 0 || this.reserved[cell] !== 0 || hidden(value, query)) {
        cell++;
        continue;
      }
      const from = cell;
      while (
        cell < this.memory.length &&
        this.memory[cell] === value &&
        this.reserved[cell] === 0
      ) {
        cell++;
      }
      found.push({ from, to: cell, nid: nidOf(value) });
    }
    return found;
  }

  /** Whether `size` cells from `at` on lie free in one region that the query sees. */
  fits(at: number, size: number, query: CellQuery): boolean {
    const value = this.memory[at]!;
    if (value === 0 || hidden(value, query)) return false;
    for (let cell = at; cell < at + size; cell++) {
      if (this.memory[cell] !== value || this.reserved[cell] !== 0) return false;
    }
    return true;
  }

  /** Highest or lowest fitting multiple of `align` cells in [from, to), or undefined. */
  find(
    size: number,
    align: number,
    from: number,
    to: number,
    query: CellQuery,
    topDown: boolean,
  ): number | undefined {
    const last = Math.min(to, this.memory.length) - size;
    if (topDown) {
      for (let at = last - (last % align); at >= from && at >= 0; at -= align) {
        if (this.fits(at, size, query)) return at;
      }
    } else {
      for (let at = Math.ceil(from / align) * align; at <= last; at += align) {
        if (this.fits(at, size, query)) return at;
      }
    }
    return undefined;
  }
}
