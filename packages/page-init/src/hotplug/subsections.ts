/**
 * Which subsections are in use by boot memory or by an added range. The kernel keeps a bitmap beside each section; here
 * it is ranges, because this is what is looked at and changed with the hotplug lock held: a device of terabytes costs
 * there what a small one costs. A section that boot memory created ("early") has descriptors for all of its pages
 * whatever the bitmap says, which is how a device range can share it.
 *
 * Whoever has taken subsections into use owns them until they are given up: all work by section or page (presence in
 * the memmap, descriptors) is done by the owner outside the lock, between the two.
 */
import type { Memmap, PfnRange } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';
import { RangeSet } from './range-set.js';

/** Subsections in use. Belongs to the one controlling thread. */
export class SubsectionMap {
  readonly #memmap: Memmap;
  readonly #early: RangeSet;
  readonly #active: RangeSet;
  readonly #unit: number;

  /** @param memory memory that the machine booted with. O(n log n) by the number of ranges, not by their size */
  constructor(memmap: Memmap, memory: readonly PfnRange[]) {
    this.#memmap = memmap;
    this.#unit = 2 ** memmap.geometry.subsectionOrder;
    this.#early = new RangeSet(memory.map((range) => outward(range, memmap.pagesPerSection)));
    this.#active = new RangeSet(memory.map((range) => outward(range, this.#unit)));
  }

  /** True for a section that boot memory created. */
  isEarly(section: number): boolean {
    return this.#early.has(section * this.#memmap.pagesPerSection);
  }

  /** Bits of a section, subsection 0 in bit 0. @kernel subsection_map */
  bits(section: number): bigint {
    const size = this.#memmap.pagesPerSection;
    const start = section * size;
    let bits = 0n;
    for (const part of this.#active.parts({ startPfn: start, endPfn: start + size })) {
      if (!part.inside) continue;
      const first = BigInt((part.startPfn - start) / this.#unit);
      const end = BigInt((part.endPfn - start) / this.#unit);
      bits |= (1n << end) - (1n << first);
    }
    return bits;
  }

  /** True when the page's subsection is in use. */
  isActive(pfn: number): boolean {
    return this.#active.has(pfn);
  }

  /**
   * True when the page has a valid descriptor: all pages of an early section, else the bitmap decides.
   * @kernel pfn_valid
   */
  isValid(pfn: number): boolean {
    return this.#early.has(pfn) || this.isActive(pfn);
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
   * Throws unless the span can have descriptors.
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

  /**
   * Takes subsections into use.
   * @throws ERR_DEVICE_PRESENT when one is; nothing changed
   * @remarks O(ranges); with the hotplug lock held where several threads add memory
   */
  activate(span: PfnRange): void {
    const whole = outward(span, this.#unit);
    const pfn = this.#active.firstIn(whole);
    if (pfn !== undefined) {
      throw new PageInitError('ERR_DEVICE_PRESENT', `subsection of pfn ${pfn} is in use`, {
        pfn,
        errno: 'EEXIST',
      });
    }
    this.#active.add(whole);
  }

  /** Gives subsections up. O(ranges); as {@link SubsectionMap.activate}. */
  deactivate(span: PfnRange): void {
    this.#active.remove(outward(span, this.#unit));
  }

  /** Parts of a span by whether their sections are early. O(ranges). */
  parts(span: PfnRange): (PfnRange & { readonly early: boolean })[] {
    return this.#early
      .parts(span)
      .map(({ startPfn, endPfn, inside }) => ({ startPfn, endPfn, early: inside }));
  }
}

/** The range with its ends moved out to multiples of `unit` pages. */
function outward({ startPfn, endPfn }: PfnRange, unit: number): PfnRange {
  return {
    startPfn: Math.floor(startPfn / unit) * unit,
    endPfn: Math.ceil(endPfn / unit) * unit,
  };
}
