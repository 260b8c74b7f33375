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
      this.#eachSection({ startPfn, endPfn }, (section, mask) => {
        this.#bits.set(section, this.bits(section) | mask);
        this.#early.add(section);
      });
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

  /**
   * Throws unless the span can have descriptors: what comes after costs time by its size, so this is asked first.
   * @throws ERR_DEVICE_ARGUMENT with the memmap's span
   */
  checkInside({ startPfn, endPfn }: PfnRange): void {
    const { startPfn: mapStart, endPfn: mapEnd } = this.#memmap;
    if (startPfn >= mapStart && endPfn <= mapEnd) return;
    throw new PageInitError('ERR_DEVICE_ARGUMENT', 'the range lies outside the memmap', {
      startPfn,
      endPfn,
      mapStart,
      mapEnd,
      errno: 'EINVAL',
    });
  }

  /** Takes subsections into use. O(sections). @throws ERR_DEVICE_PRESENT when one is; nothing changed */
  activate(span: PfnRange): void {
    this.#eachSection(span, (section, mask) => {
      const taken = this.bits(section) & mask;
      if (taken === 0n) return;
      const first = (taken & -taken).toString(2).length - 1;
      const pfn = section * this.#memmap.pagesPerSection + first * this.#unit;
      throw new PageInitError('ERR_DEVICE_PRESENT', `subsection of pfn ${pfn} is in use`, {
        pfn,
        errno: 'EEXIST',
      });
    });
    this.#eachSection(span, (section, mask) => this.#bits.set(section, this.bits(section) | mask));
  }

  /** Gives subsections up. O(sections). */
  deactivate(span: PfnRange): void {
    this.#eachSection(span, (section, mask) => {
      const rest = this.bits(section) & ~mask;
      if (rest === 0n) this.#bits.delete(section);
      else this.#bits.set(section, rest);
    });
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

  /** Calls `visit` with each section of a span and the bits of the span in it. */
  #eachSection(
    { startPfn, endPfn }: PfnRange,
    visit: (section: number, mask: bigint) => unknown,
  ): void {
    const size = this.#memmap.pagesPerSection;
    for (let at = startPfn; at < endPfn;) {
      const section = this.#memmap.sectionOf(at);
      const end = Math.min(endPfn, (section + 1) * size);
      const from = BigInt(Math.floor((at % size) / this.#unit));
      const to = BigInt(Math.ceil((end - section * size) / this.#unit));
      visit(section, (1n << to) - (1n << from));
      at = end;
    }
  }

  #mask(pfn: number): bigint {
    const size = this.#memmap.pagesPerSection;
    return 1n << BigInt(Math.floor((pfn % size) / this.#unit));
  }
}
