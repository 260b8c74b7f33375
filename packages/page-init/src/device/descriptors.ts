/**
 * Descriptors of device ranges: sections that appear and go, boot sections that a device shares with RAM.
 *
 *     new section      absent  -- add -->  descriptors, uninitialised  -- remove -->  absent
 *     boot section     hole    -- add -->  the device's pages          -- remove -->  hole, with its old zone
 *
 * Called by the owner of the range, outside the hotplug lock: after its subsections were taken into use, and before
 * they are given up. Costs a few words a section, and the pages of at most two sections that are shared with others.
 */
import { type Memmap, type PfnRange, SectionFlag } from '@bootmem/memmap';
import type { SubsectionMap } from '../hotplug/subsections.js';
import { UndoList } from './undo-list.js';

/** A part of a device range in a section of boot memory. */
export interface HolePart extends PfnRange {
  /** Zone that the hole was linked to; 0: none. */
  readonly zoneId: number;
}

/** Adds and removes the descriptors of device ranges. */
export class DeviceDescriptors {
  readonly #memmap: Memmap;
  readonly #subsections: SubsectionMap;
  readonly #isMapped: (span: PfnRange) => boolean;

  /** @param isMapped  true when a page of the span is in a device mapping */
  constructor(memmap: Memmap, subsections: SubsectionMap, isMapped: (span: PfnRange) => boolean) {
    this.#memmap = memmap;
    this.#subsections = subsections;
    this.#isMapped = isMapped;
  }

  /**
   * Gives a range descriptors.
   * @returns the parts that lie in boot sections, with the zone that their hole was linked to
   * @throws what the memmap throws; nothing changed
   */
  add(span: PfnRange): readonly HolePart[] {
    const parts = this.#subsections.parts(span);
    const undo = new UndoList();
    try {
      for (const { early, startPfn, endPfn } of parts) {
        if (early) continue;
        undo.step(
          () => {
            this.#memmap.addMemory(startPfn, endPfn);
          },
          () => {
            this.#memmap.removeMemory(startPfn, endPfn);
          },
        );
      }
    } catch (error) {
      undo.unwind();
      throw error;
    }
    this.#setTaint(span, true);
    return parts
      .filter((part) => part.early)
      .map((part) => ({ ...part, zoneId: this.#memmap.zoneId(part.startPfn) }));
  }

  /** Takes a range's descriptors away. @param holes  what {@link DeviceDescriptors.add} returned */
  remove(span: PfnRange, holes: readonly HolePart[]): void {
    for (const part of this.#subsections.parts(span)) {
      if (!part.early) this.#memmap.removeMemory(part.startPfn, part.endPfn);
    }
    // A boot section keeps its descriptors: the device's pages become pages of a hole again.
    for (const { startPfn, endPfn, zoneId } of holes) {
      this.#memmap.clearRange(startPfn, endPfn);
      if (zoneId !== 0) this.#memmap.initReservedRange(startPfn, endPfn, zoneId);
    }
    this.#setTaint(span, false);
  }

  /** Marks sections that a device covers in part. @kernel SECTION_TAINT_ZONE_DEVICE */
  #setTaint({ startPfn, endPfn }: PfnRange, on: boolean): void {
    const size = this.#memmap.pagesPerSection;
    for (const section of new Set(
      [startPfn, endPfn - 1].map((pfn) => this.#memmap.sectionOf(pfn)),
    )) {
      const start = section * size;
      const end = start + size;
      if (startPfn <= start && end <= endPfn) continue;
      const others = [
        { startPfn: start, endPfn: startPfn },
        { startPfn: endPfn, endPfn: end },
      ].some((rest) => rest.startPfn < rest.endPfn && this.#isMapped(rest));
      this.#memmap.setSectionFlags(section, SectionFlag.DEVICE, on || others);
    }
  }
}
