/**
 * What edits the three region lists: add, reserve, remove, free, mark, clear, set node.
 *
 * Regions that exist always win: adding over them changes neither their node nor their flags, only
 * the gaps are filled. Removing what is not there is no mistake.
 *
 * Source: Documentation/core-api/boot-time-mm.rst.
 */
import { packAttr } from './attributes.js';
import { cappedEnd, pageDown, pageUp } from './arithmetic.js';
import { MemFlags } from './constants.js';
import { MemblockError } from './errors.js';
import { MemblockCore } from './memblock-core.js';
import { checkFlags, checkNode } from './options.js';
import type { RegionList } from './region-list.js';
import { hexRange } from './text-format.js';
import type { RegionType } from './types.js';

/** Node and flags of a region to be added. */
export interface RegionAttributes {
  /** Node, -1 .. maxNodes; default: no node. */
  readonly nid?: number;
  /** Bits of MemFlags; default 0. */
  readonly flags?: number;
}

/** Edits; the second layer of {@link Memblock}. */
export class MemblockRegions extends MemblockCore {
  /** From now on the simulated arrays may grow. @kernel memblock_allow_resize */
  allowResize(): void {
    this.resizable = true;
  }

  /**
   * Registers RAM.
   * @param base first byte
   * @param size bytes; 0 does nothing; a range beyond the top of the space is cut there
   * @returns false when the simulated array was full and could not be doubled; nothing was added then
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT; ERR_MEMBLOCK_RESIZE_FORBIDDEN when a simulated array is full and may not grow yet
   * @remarks O(log n) for a range that meets nothing, else O(regions met)
   * @kernel memblock_add, memblock_add_node
   */
  add(base: number, size: number, attributes?: RegionAttributes): boolean {
    this.checkEdit(base, size);
    const attr = this.attributesOf(attributes, this.settings.maxNodes);
    if (this.settings.debug) {
      const node =
        attributes === undefined
          ? ''
          : ` nid=${attributes.nid ?? this.settings.maxNodes} flags=${(attributes.flags ?? 0).toString(16)}`;
      const name = attributes === undefined ? 'memblock_add' : 'memblock_add_node';
      this.debugLine(`${name}: ${hexRange(base, size)}${node}`);
    }
    return this.addRange(this.memory, base, size, attr);
  }

  /**
   * Marks a range as taken; it need not be RAM.
   * @param base first byte
   * @param size bytes; 0 does nothing
   * @param attributes node and flags to record; default: none
   * @returns false when the simulated array was full and could not be doubled
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT; ERR_MEMBLOCK_RESIZE_FORBIDDEN
   * @remarks O(log n) for a range that meets nothing, else O(regions met)
   * @kernel memblock_reserve, __memblock_reserve
   */
  reserve(base: number, size: number, attributes?: RegionAttributes): boolean {
    this.checkEdit(base, size);
    const nid = this.plainReserveNode;
    return this.reserveRange(
      base,
      size,
      this.attributesOf(attributes, nid),
      attributes?.nid ?? nid,
    );
  }

  /** Like {@link reserve}, recorded as taken by the kernel itself. @kernel memblock_reserve_kern */
  reserveKern(base: number, size: number): boolean {
    return this.reserve(base, size, { flags: this.settings.profile.allocationFlags });
  }

  /** Registers a range in the third list, which limits never touch. @kernel memblock_physmem_add */
  addPhysmem(base: number, size: number): boolean {
    this.checkEdit(base, size);
    this.debugRange('memblock_physmem_add', base, size);
    return this.addRange(
      this.physmem,
      base,
      size,
      this.attributesOf(undefined, this.settings.maxNodes),
    );
  }

  /**
   * Takes a range out of RAM; what is not there is no mistake.
   * @returns false when a region had to be split and the simulated array could not be doubled
   * @kernel memblock_remove
   */
  remove(base: number, size: number): boolean {
    this.checkEdit(base, size);
    this.debugRange('memblock_remove', base, size);
    return this.cutRange(this.memory, base, size);
  }

  /**
   * Gives a taken range back; what was not taken is no mistake.
   * @returns false when a region had to be split and the simulated array could not be doubled
   * @kernel memblock_phys_free, memblock_free
   */
  free(base: number, size: number): boolean {
    this.checkEdit(base, size);
    this.debugRange('memblock_phys_free', base, size);
    const { pageSize, profile } = this.settings;
    if (this.late !== undefined && profile.lateFreeReleases) {
      const startPfn = pageUp(base, pageSize);
      const endPfn = pageDown(cappedEnd(base, size), pageSize);
      if (startPfn < endPfn) this.late.release?.(startPfn, endPfn);
      return true;
    }
    return this.cutRange(this.reserved, base, size);
  }

  /**
   * Sets a flag on every region in a range, splitting at its ends. Flags of reservations (RSRV_NOINIT,
   * RSRV_KERN) go to `reserved`, the others to `memory`. MIRROR does nothing unless `mirroredKernelcore`.
   * @param flag one bit of MemFlags
   * @returns false when the simulated array could not be doubled
   * @kernel memblock_mark_hotplug, memblock_mark_mirror, memblock_mark_nomap, memblock_reserved_mark_noinit
   */
  mark(base: number, size: number, flag: number): boolean {
    const list = this.listOfFlag(flag);
    this.checkEdit(base, size);
    if (flag === MemFlags.MIRROR) {
      if (!this.settings.mirroredKernelcore) return true;
      this.mirrorKnown = true;
    }
    return this.rewriteRange(list, base, size, { mask: flag, bits: flag });
  }

  /** Clears a flag on every region in a range; see {@link mark}. @kernel memblock_clear_hotplug, memblock_clear_nomap */
  clear(base: number, size: number, flag: number): boolean {
    const list = this.listOfFlag(flag);
    this.checkEdit(base, size);
    return this.rewriteRange(list, base, size, { mask: flag, bits: 0 });
  }

  /**
   * Sets the node of every region in a range, splitting at its ends. Does nothing without NUMA.
   * @param type list to change
   * @param nid node to record, -1 .. maxNodes
   * @returns false when the simulated array could not be doubled
   * @kernel memblock_set_node
   */
  setNode(base: number, size: number, type: RegionType, nid: number): boolean {
    this.checkEdit(base, size);
    checkNode(nid, this.settings.maxNodes);
    const list = this.listOf(type);
    if (!this.settings.numa) return true;
    return this.rewriteRange(list, base, size, { mask: 0, bits: 0, nid });
  }

  private attributesOf(attributes: RegionAttributes | undefined, nid: number): number {
    if (attributes !== undefined) {
      if (attributes.nid !== undefined) checkNode(attributes.nid, this.settings.maxNodes);
      if (attributes.flags !== undefined) checkFlags(attributes.flags);
    }
    return packAttr(attributes?.flags ?? 0, this.settings.numa ? (attributes?.nid ?? nid) : 0);
  }

  private listOfFlag(flag: number): RegionList {
    const known = flag > 0 && flag <= MemFlags.KHO_SCRATCH && (flag & (flag - 1)) === 0;
    if (!known || !Number.isInteger(flag)) {
      throw new MemblockError(
        'ERR_MEMBLOCK_ARGUMENT',
        `flag must be one bit of MemFlags, got ${String(flag)}`,
        { flag },
      );
    }
    return flag === MemFlags.RSRV_NOINIT || flag === MemFlags.RSRV_KERN
      ? this.reserved
      : this.memory;
  }
}
