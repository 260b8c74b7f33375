/**
 * Pageblock flags: one byte a pageblock, bits 0..2 the migratetype, bit 3 "skip in compaction", bit 4
 * "isolated". Isolation is a bit of its own, so lifting it restores the type that was there.
 *
 * A byte is written by whoever holds the zone's lock or owns the section while it is initialised; bytes
 * of neighbours are different memory locations, so no writer disturbs another.
 */
import { MemmapError } from '../facts/errors.js';
import {
  Migratetype,
  MIGRATETYPE_COUNT,
  PAGEBLOCK_TYPE_MASK,
  PageblockBit,
} from '../facts/migratetype.js';
import type { SectionTable } from '../table/section-table.js';

/** Typed access to the pageblock bytes of a map. */
export class PageblockView {
  readonly #bytes: Uint8Array;
  readonly #sections: SectionTable;
  readonly #order: number;

  /** @param pageblockOrder log2 of the pages of a pageblock */
  constructor(bytes: Uint8Array, sections: SectionTable, pageblockOrder: number) {
    this.#bytes = bytes;
    this.#sections = sections;
    this.#order = pageblockOrder;
  }

  /** Type that counts now: `ISOLATE` while the block is isolated. @kernel get_pageblock_migratetype */
  migratetype(pfn: number): Migratetype {
    const byte = this.#byte(pfn);
    if ((byte & PageblockBit.ISOLATED) !== 0) return Migratetype.ISOLATE;
    return (byte & PAGEBLOCK_TYPE_MASK) as Migratetype;
  }

  /** Type that counts when the block is not isolated. */
  storedMigratetype(pfn: number): Migratetype {
    return (this.#byte(pfn) & PAGEBLOCK_TYPE_MASK) as Migratetype;
  }

  /** Sets the stored type; isolation stays. @throws ERR_MEMMAP_ARGUMENT for ISOLATE or no type */
  setMigratetype(pfn: number, migratetype: number): void {
    const at = this.#at(pfn);
    this.#bytes[at] = (this.#bytes[at]! & ~PAGEBLOCK_TYPE_MASK) | checkType(migratetype);
  }

  /** Sets the type of every pageblock whose first page lies in `[startPfn, endPfn)`. */
  setRange(startPfn: number, endPfn: number, migratetype: number): void {
    checkType(migratetype);
    const size = 2 ** this.#order;
    const first = Math.ceil(startPfn / size) * size;
    if (first >= endPfn) return;
    const blocks = Math.ceil((endPfn - first) / size);
    const last = first + (blocks - 1) * size;
    if (this.#sections.indexOf(first) < 0 || this.#sections.indexOf(last) < 0) this.#at(-1);
    this.#sections.runs(first, first + blocks * size, (index, pages) => {
      const end = (index + pages) / size;
      for (let at = index / size; at < end; at++) {
        this.#bytes[at] = (this.#bytes[at]! & ~PAGEBLOCK_TYPE_MASK) | migratetype;
      }
    });
  }

  /** True while the pageblock is isolated. */
  isIsolated(pfn: number): boolean {
    return (this.#byte(pfn) & PageblockBit.ISOLATED) !== 0;
  }

  /** Isolates the pageblock or lifts its isolation. */
  setIsolated(pfn: number, on: boolean): void {
    this.#setBit(pfn, PageblockBit.ISOLATED, on);
  }

  /** True when compaction should skip the pageblock. */
  isSkipped(pfn: number): boolean {
    return (this.#byte(pfn) & PageblockBit.SKIP) !== 0;
  }

  /** Marks the pageblock to be skipped by compaction. */
  setSkipped(pfn: number, on: boolean): void {
    this.#setBit(pfn, PageblockBit.SKIP, on);
  }

  #setBit(pfn: number, bit: number, on: boolean): void {
    const at = this.#at(pfn);
    const byte = this.#bytes[at]!;
    this.#bytes[at] = on ? byte | bit : byte & ~bit;
  }

  /** Byte of a pageblock; 0 where memory is present that nobody has touched. */
  #byte(pfn: number): number {
    const index = this.#sections.indexOf(pfn);
    if (index < 0 && this.#sections.isPresent(pfn)) return 0;
    return this.#bytes[index < 0 ? this.#at(pfn) : index >>> this.#order]!;
  }

  #at(pfn: number): number {
    const index = this.#sections.indexOf(pfn);
    if (index >= 0) return index >>> this.#order;
    throw new MemmapError('ERR_MEMMAP_ABSENT', `pfn ${pfn} has no descriptor`, { pfn });
  }
}

function checkType(migratetype: number): number {
  const isType =
    Number.isInteger(migratetype) && migratetype >= 0 && migratetype < MIGRATETYPE_COUNT;
  if (isType && migratetype !== Migratetype.ISOLATE) return migratetype;
  throw new MemmapError('ERR_MEMMAP_ARGUMENT', `migratetype is 0..4, got ${migratetype}`, {
    migratetype,
  });
}
