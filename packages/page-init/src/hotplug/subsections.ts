/**
 * Which subsections are in use by boot memory or by an added range: a bitmap per section, as the kernel
 * keeps beside its sections. A section that boot memory created ("early") has descriptors for all of its
 * pages whatever the bitmap says, which is how a device range can share it.
 */
import type { Memmap, PfnRange } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';

/** Subsections in use. Belongs to the one controlling thread. */
export class SubsectionMap {
  readonly #memmap: Memmap;
  readonly #early = new Set<number>();
  readonly #bits = new Map<number, bigint>();
  readonly #unit: number;

  /** @param memory memory that the machine booted with */
  constructor(memmap: Memmap, memory: readonly PfnRange[]) {
    this.#memmap = memmap;
    this.#unit = 2 ** memmap.geometry.subsectionOrder;
    for (const { startPfn, endPfn } of memory) {
      const start = Math.floor(startPfn / this.#unit) * this.#unit;
      for (let pfn = start; pfn < endPfn; pfn += this.#unit) {
        this.#set(pfn, true);
        this.#early.add(memmap.sectionOf(pfn));
      }
    }
  }

  /** True for a section that boot memory created. */
  isEarly(section: number): boolean {
    return this.#early.has(section);
  }

  /** Bits of a section, subsection 0 in bit 0. @kernel subsection_map */
  bits(section: number): bigint {
    return this.#bits.get(section) ?? 0n;
  }

  /** True when the page's subsection is in use. */
  isActive(pfn: number): boolean {
    return (this.bits(this.#memmap.sectionOf(pfn)) & this.#mask(pfn)) !== 0n;
  }

  /**
   * True when the page has a valid descriptor: all pages of an early section, else the bitmap decides.
   * @kernel pfn_valid
   */
  isValid(pfn: number): boolean {
    return this.isEarly(this.#memmap.sectionOf(pfn)) || this.isActive(pfn);
  }

  /** Throws unless both ends are at subsections. @throws ERR_DEVICE_MISALIGNED @kernel check_pfn_span */
  checkAligned({ startPfn, endPfn }: PfnRange, caller: string): void {
    if (startPfn % this.#unit === 0 && endPfn % this.#unit === 0) return;
    const hex = (n: number): string => `0x${n.toString(16)}`;
    throw new PageInitError(
      'ERR_DEVICE_MISALIGNED',
      `Misaligned ${caller} start: ${hex(startPfn)} end: ${hex(endPfn - 1)}`,
      { startPfn, endPfn, unitPages: this.#unit, errno: 'EINVAL' },
    );
  }

  /** Takes subsections into use. @throws ERR_DEVICE_PRESENT when one is; nothing changed */
  activate({ startPfn, endPfn }: PfnRange): void {
    for (let pfn = startPfn; pfn < endPfn; pfn += this.#unit) {
      if (this.isActive(pfn)) {
        throw new PageInitError('ERR_DEVICE_PRESENT', `subsection of pfn ${pfn} is in use`, {
          pfn,
          errno: 'EEXIST',
        });
      }
    }
    for (let pfn = startPfn; pfn < endPfn; pfn += this.#unit) this.#set(pfn, true);
  }

  /** Gives subsections up. */
  deactivate({ startPfn, endPfn }: PfnRange): void {
    for (let pfn = startPfn; pfn < endPfn; pfn += this.#unit) this.#set(pfn, false);
  }

  /** Parts of a span by whether their section is early. */
  parts({ startPfn, endPfn }: PfnRange): (PfnRange & { readonly early: boolean })[] {
    const out: { startPfn: number; endPfn: number; early: boolean }[] = [];
    const size = this.#memmap.pagesPerSection;
    for (let at = startPfn; at < endPfn;) {
      const section = this.#memmap.sectionOf(at);
      const end = Math.min(endPfn, (section + 1) * size);
      const early = this.isEarly(section);
      const last = out.at(-1);
      if (last?.early === early) last.endPfn = end;
      else out.push({ startPfn: at, endPfn: end, early });
      at = end;
    }
    return out;
  }

  #mask(pfn: number): bigint {
    const size = this.#memmap.pagesPerSection;
    return 1n << BigInt(Math.floor((pfn % size) / this.#unit));
  }

  #set(pfn: number, on: boolean): void {
    const section = this.#memmap.sectionOf(pfn);
    const bits = this.bits(section);
    this.#bits.set(section, on ? bits | this.#mask(pfn) : bits & ~this.#mask(pfn));
  }
}
