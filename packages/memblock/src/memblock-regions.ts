/**
 * The three region lists and what edits them: adding fills gaps, removing cuts, marking rewrites.
 *
 * ```
 *   before   |--- A ---|      |-- B --|
 *   add             [-----------------------)    new regions only where nothing was
 *   after    |--- A ---|--new--|-- B --|-new-|   neighbours that touch and are alike become one
 * ```
 *
 * Regions that exist always win: adding over them changes neither their node nor their flags.
 * Every edit is: make room in the (possibly simulated) array, work out the new contents of a window
 * of the list, put it in place in one step.
 *
 * The kernel's arrays lie in the very memory they describe. With a `capacity` this is simulated: an
 * array that would overflow is doubled first, which finds room, and reserves it, in this same object.
 *
 * Source: Documentation/core-api/boot-time-mm.rst.
 */
import { attrFlags, attrNid, packAttr } from './attributes.js';
import { alignUp, cappedEnd } from './arithmetic.js';
import {
  INITIAL_PHYSMEM_REGIONS,
  INITIAL_REGIONS,
  MemFlags,
  NO_NODE,
  REGION_ENTRY_SIZE,
} from './constants.js';
import { EntryBuffer } from './entry-buffer.js';
import { MemblockError } from './errors.js';
import { findBottomUp, findTopDown } from './find-space.js';
import {
  checkBytes,
  checkCapacity,
  checkDirection,
  checkFlags,
  checkNode,
  settingsOf,
  type Settings,
} from './options.js';
import { memoryFilter } from './range-cursor.js';
import { RegionList } from './region-list.js';
import { hexAddress, hexRange } from './text-format.js';
import type { Direction, LogLevel, MemblockOptions, MemblockWarning, RegionType } from './types.js';

/** Node and flags of a region to be added. */
export interface RegionAttributes {
  /** Node, -1 .. maxNodes; default: no node. */
  readonly nid?: number;
  /** Bits of MemFlags; default 0. */
  readonly flags?: number;
}

/** Lists and edits; the lowest layer of {@link Memblock}. */
export class MemblockRegions {
  /** What the object was set up with, defaults filled in. */
  readonly settings: Settings;
  /** All RAM. @internal */
  protected readonly memory: RegionList;
  /** What is taken. @internal */
  protected readonly reserved: RegionList;
  /** What the firmware called RAM. @internal */
  protected readonly physmem: RegionList;
  /** @internal */
  protected resizable: boolean;
  /** @internal */
  protected mirrorKnown = false;
  /** @internal */
  protected scratchOnly = false;
  private bottomUp: boolean;
  private limit: number;
  private broken: string | undefined = undefined;
  private readonly buffer = new EntryBuffer();

  /**
   * @param options see {@link MemblockOptions}; every field has a default
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT or ERR_MEMBLOCK_ALIGNMENT for an option that is not what it must be
   */
  constructor(options: MemblockOptions = {}) {
    this.settings = settingsOf(options);
    const capacity = options.capacity;
    const room = (value: number | undefined, name: string, fallback: number): number =>
      capacity === undefined ? Infinity : checkCapacity(value, `capacity.${name}`, fallback);
    this.memory = new RegionList('memory', room(capacity?.memory, 'memory', INITIAL_REGIONS));
    this.reserved = new RegionList(
      'reserved',
      room(capacity?.reserved, 'reserved', INITIAL_REGIONS),
    );
    this.physmem = new RegionList(
      'physmem',
      room(capacity?.physmem, 'physmem', INITIAL_PHYSMEM_REGIONS),
    );
    this.resizable = capacity === undefined || (capacity.resizable ?? false);
    this.bottomUp = this.settings.direction === 'bottom-up';
    this.limit = this.settings.currentLimit;
  }

  /** Which end of memory is allocated from first. @kernel memblock_set_bottom_up, memblock_bottom_up */
  get direction(): Direction {
    return this.bottomUp ? 'bottom-up' : 'top-down';
  }

  set direction(direction: Direction) {
    checkDirection(direction);
    this.bottomUp = direction === 'bottom-up';
  }

  /** First address that may not be allocated, for calls that do not say otherwise. @kernel memblock_set_current_limit */
  get currentLimit(): number {
    return this.limit;
  }

  set currentLimit(limit: number) {
    checkBytes(limit, 'currentLimit');
    this.limit = limit;
  }

  /** Whether any memory was marked as mirrored. @kernel memblock_has_mirror */
  get hasMirror(): boolean {
    return this.mirrorKnown;
  }

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
    return this.rewriteRange(list, base, size, flag, flag, undefined);
  }

  /** Clears a flag on every region in a range; see {@link mark}. @kernel memblock_clear_hotplug, memblock_clear_nomap */
  clear(base: number, size: number, flag: number): boolean {
    const list = this.listOfFlag(flag);
    this.checkEdit(base, size);
    return this.rewriteRange(list, base, size, flag, 0, undefined);
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
    return this.rewriteRange(list, base, size, 0, 0, nid);
  }

  // ---- below: not part of the public interface ------------------------------------------------

  /** The list of that name. @internal */
  protected listOf(type: RegionType): RegionList {
    if (type === 'memory') return this.memory;
    if (type === 'reserved') return this.reserved;
    // A caller without types may pass anything.
    if ((type as string) === 'physmem') return this.physmem;
    throw new MemblockError(
      'ERR_MEMBLOCK_ARGUMENT',
      `type must be 'memory', 'reserved' or 'physmem', got ${type as string}`,
      { type },
    );
  }

  /** Node of a reservation that names none. @internal */
  protected get plainReserveNode(): number {
    return this.settings.profile.plainReserveNode === 'none' ? NO_NODE : this.settings.maxNodes;
  }

  /** @internal */
  protected print(text: string, level: LogLevel): void {
    this.settings.log?.(text, level);
  }

  /** @internal */
  protected warning(kind: MemblockWarning['kind'], message: string): void {
    this.settings.warn?.({ kind, message });
  }

  /** @internal */
  protected debugLine(text: string): void {
    if (this.settings.debug) this.print(`${text} ${this.settings.caller()}\n`, 'debug');
  }

  /** @internal */
  protected debugRange(name: string, base: number, size: number): void {
    if (this.settings.debug) this.debugLine(`${name}: ${hexRange(base, size)}`);
  }

  /** Ends the object's life: it contradicts itself. @internal */
  protected fail(message: string): never {
    this.broken = message;
    throw new MemblockError('ERR_MEMBLOCK_INVARIANT', message);
  }

  /** Refuses work on a broken object. @internal */
  protected checkAlive(): void {
    if (this.broken !== undefined) {
      throw new MemblockError(
        'ERR_MEMBLOCK_INVARIANT',
        `unusable after a broken invariant: ${this.broken}`,
      );
    }
  }

  /** @internal */
  protected checkEdit(base: number, size: number): void {
    checkBytes(base, 'base');
    checkBytes(size, 'size');
    this.checkAlive();
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

  /** Reserves with its debug line. @internal */
  protected reserveRange(base: number, size: number, attr: number, nid: number): boolean {
    if (this.settings.debug) {
      if (this.settings.profile.reserveLine === 'plain') {
        this.debugRange('memblock_reserve', base, size);
      } else {
        const flags = attrFlags(attr).toString(16);
        this.debugLine(`__memblock_reserve: ${hexRange(base, size)} nid=${nid} flags=${flags}`);
      }
    }
    return this.addRange(this.reserved, base, size, attr);
  }

  /** Reserves for the allocator or for a grown array. @internal */
  protected reserveFound(base: number, size: number, nid: number): boolean {
    const { profile, numa } = this.settings;
    const node = profile.allocationKeepsNode ? nid : this.plainReserveNode;
    return this.reserveRange(base, size, packAttr(profile.allocationFlags, numa ? node : 0), node);
  }

  /** @internal */
  protected addRange(list: RegionList, base: number, size: number, attr: number): boolean {
    const end = cappedEnd(base, size);
    if (end === base) return true;
    if (list.count === 0) {
      if (list.total !== 0) {
        this.warning('total-mismatch', `${list.name} is empty and its total is not 0`);
      }
      list.insertAt(0, 0, base, end, attr);
      list.total = end - base;
      list.drift = 0;
      return true;
    }
    if (list.count * 2 + 1 > list.max) {
      const fresh = this.countGaps(list, base, end);
      if (fresh === 0) return true;
      // Growing may change what is there before the gaps are filled.
      if (list.count + fresh > list.max) this.countGaps(list, base, end, attr);
      while (list.count + fresh > list.max) {
        if (!this.growArray(list, base, end - base)) return false;
      }
    }
    this.fillGaps(list, base, end, attr);
    return true;
  }

  /** Number of pieces of [base, end) that no region covers; complains about mismatches where `attr` is given. */
  private countGaps(list: RegionList, base: number, end: number, attr?: number): number {
    let gaps = 0;
    let cursor = base;
    let p = list.locate(base);
    const { d, i } = list.at;
    let place = { d, i };
    while (p >= 0 && list.base[p]! < end) {
      if (list.base[p]! > cursor) {
        gaps++;
        if (attr !== undefined) this.warnMismatch(list, p, attr);
      }
      cursor = Math.min(list.end[p]!, end);
      place = nextPlace(list, place);
      p = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
    }
    return cursor < end ? gaps + 1 : gaps;
  }

  private fillGaps(list: RegionList, base: number, end: number, attr: number): void {
    const p = list.locate(base);
    const { d, i } = list.at;
    if (p < 0 || list.base[p]! >= end) {
      this.insertAlone(list, base, end, attr);
      return;
    }
    // The window: the region in front, every region met, the region behind.
    const buffer = this.buffer;
    buffer.clear();
    const start = this.pushBefore(list, d, i);
    let firstNew = -1;
    let lastNew = -1;
    let inserted = 0;
    let cursor = base;
    let place = { d, i };
    let q = p;
    while (q >= 0 && list.base[q]! < end) {
      if (list.base[q]! > cursor) {
        this.warnMismatch(list, q, attr);
        lastNew = buffer.length;
        if (firstNew < 0) firstNew = lastNew;
        buffer.push(cursor, list.base[q]!, attr);
        list.total += list.base[q]! - cursor;
        inserted++;
      }
      buffer.push(list.base[q]!, list.end[q]!, list.attr[q]!);
      cursor = Math.min(list.end[q]!, end);
      place = nextPlace(list, place);
      q = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
    }
    if (cursor < end) {
      lastNew = buffer.length;
      if (firstNew < 0) firstNew = lastNew;
      buffer.push(cursor, end, attr);
      list.total += end - cursor;
      inserted++;
      if (q >= 0) buffer.push(list.base[q]!, list.end[q]!, list.attr[q]!);
    }
    if (inserted === 0) return;
    const replaced = buffer.length - inserted;
    buffer.mergeBetween(firstNew - 1, lastNew + 1);
    list.replace(start.d, start.i, replaced, buffer);
  }

  /** Puts the region before a place into the buffer, if there is one; returns where the window then starts. */
  private pushBefore(list: RegionList, d: number, i: number): ListPlace {
    const before = list.before(d, i);
    if (before < 0) return { d, i };
    this.buffer.push(list.base[before]!, list.end[before]!, list.attr[before]!);
    return i > 0 ? { d, i: i - 1 } : { d: d - 1, i: list.chunkCount(d - 1) - 1 };
  }

  /** Adds a range that meets no region, extending a like neighbour instead where it touches one. */
  private insertAlone(list: RegionList, base: number, end: number, attr: number): void {
    const { d, i } = list.at;
    list.total += end - base;
    const before = list.before(d, i);
    const joinsBefore = before >= 0 && list.end[before] === base && list.attr[before] === attr;
    const p = d < list.chunks ? list.slotIndex(d, i) : -1;
    const joinsAfter = p >= 0 && list.base[p] === end && list.attr[p] === attr;
    if (joinsBefore) {
      const newEnd = joinsAfter ? list.end[p]! : end;
      if (i > 0) list.setEnd(d, i - 1, newEnd);
      else list.setEnd(d - 1, list.chunkCount(d - 1) - 1, newEnd);
      if (joinsAfter) list.removeAt(d, i);
    } else if (joinsAfter) {
      list.setBase(d, i, base);
    } else {
      list.insertAt(d, i, base, end, attr);
    }
  }

  private warnMismatch(list: RegionList, p: number, attr: number): void {
    const there = list.attr[p]!;
    if (there === attr) return;
    if (this.settings.numa && attrNid(there) !== attrNid(attr)) {
      this.warning(
        'node-mismatch',
        `${list.name}: adding with nid ${attrNid(attr)} over ${hexAddress(list.base[p]!)} of nid ${attrNid(there)}`,
      );
    }
    const matters = attrFlags(attr) !== 0 || this.settings.profile.warnsOnPlainFlags;
    if (matters && attrFlags(attr) !== attrFlags(there)) {
      this.warning(
        'flags-mismatch',
        `${list.name}: adding with flags ${attrFlags(attr)} over ${hexAddress(list.base[p]!)} of flags ${attrFlags(there)}`,
      );
    }
  }

  /** Makes sure that splitting a region at two ends cannot overflow the array. @internal */
  protected roomToSplit(list: RegionList, base: number, size: number): boolean {
    while (list.count + 2 > list.max) {
      if (!this.growArray(list, base, size)) return false;
    }
    return true;
  }

  /** Deletes [base, base + size) from a list. @internal */
  protected cutRange(list: RegionList, base: number, size: number): boolean {
    const end = cappedEnd(base, size);
    if (end === base) return true;
    if (!this.roomToSplit(list, base, end - base)) return false;
    const p = list.locate(base);
    if (p < 0) return true;
    const first = list.base[p]!;
    const last = list.end[p]!;
    if (first >= end) return true;
    const { d, i } = list.at;
    if (last < end) {
      this.cutMany(list, base, end);
      return true;
    }
    if (first < base) {
      list.setEnd(d, i, base);
      list.total -= (last < end ? last : end) - base;
      if (last > end) list.insertAt(d, i + 1, end, last, list.attr[p]!);
    } else if (last > end) {
      list.setBase(d, i, end);
      list.total -= end - first;
    } else {
      list.removeAt(d, i);
      list.total -= last - first;
      this.checkEmpty(list);
    }
    return true;
  }

  private cutMany(list: RegionList, base: number, end: number): void {
    const buffer = this.buffer;
    buffer.clear();
    const { d, i } = list.at;
    let place = { d, i };
    let replaced = 0;
    let removed = 0;
    while (place.d < list.chunks) {
      const p = list.slotIndex(place.d, place.i);
      const from = list.base[p]!;
      const to = list.end[p]!;
      if (from >= end) break;
      if (from < base) buffer.push(from, base, list.attr[p]!);
      if (to > end) buffer.push(end, to, list.attr[p]!);
      removed += Math.min(to, end) - Math.max(from, base);
      replaced++;
      place = nextPlace(list, place);
    }
    list.replace(d, i, replaced, buffer);
    list.total -= removed;
    this.checkEmpty(list);
  }

  /** A list that has just become empty should have no bytes left. @internal */
  protected checkEmpty(list: RegionList): void {
    if (list.count === 0 && list.total !== 0) {
      this.warning('total-mismatch', `${list.name} became empty and its total is not 0`);
    }
  }

  /** Changes flags (bits of `mask` to `bits`) or the node of the regions in a range. @internal */
  protected rewriteRange(
    list: RegionList,
    base: number,
    size: number,
    mask: number,
    bits: number,
    nid: number | undefined,
  ): boolean {
    const end = cappedEnd(base, size);
    if (end === base) return true;
    if (!this.roomToSplit(list, base, end - base)) return false;
    const p = list.locate(base);
    if (p < 0 || list.base[p]! >= end) return true;
    const { d, i } = list.at;
    const buffer = this.buffer;
    buffer.clear();
    let start = { d, i };
    let replaced = 0;
    if (list.base[p]! < base) {
      buffer.push(list.base[p]!, base, list.attr[p]!);
    } else {
      start = this.pushBefore(list, d, i);
      replaced = buffer.length;
    }
    let place = { d, i };
    let q = p;
    let splitBehind = false;
    while (q >= 0 && list.base[q]! < end) {
      const attr = list.attr[q]!;
      const from = Math.max(list.base[q]!, base);
      const to = Math.min(list.end[q]!, end);
      const flags = (attrFlags(attr) & ~mask) | bits;
      buffer.pushMerged(from, to, packAttr(flags, nid ?? attrNid(attr)));
      if (list.end[q]! > end) {
        buffer.pushMerged(end, list.end[q]!, attr);
        splitBehind = true;
      }
      replaced++;
      place = nextPlace(list, place);
      q = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
    }
    if (!splitBehind && q >= 0) {
      buffer.pushMerged(list.base[q]!, list.end[q]!, list.attr[q]!);
      replaced++;
    }
    list.replace(start.d, start.i, replaced, buffer);
    return true;
  }

  /**
   * Doubles a simulated array. Its new home is allocated like anything else; for `reserved` it must
   * not lie in the range that is about to be reserved.
   */
  private growArray(list: RegionList, avoidBase: number, avoidSize: number): boolean {
    const { profile, pageSize, accept } = this.settings;
    if (!this.resizable) {
      if (profile.earlyResize === 'fail') return false;
      const message = `memblock: cannot resize ${list.name} array`;
      this.print(`${message}\n`, 'error');
      throw new MemblockError('ERR_MEMBLOCK_RESIZE_FORBIDDEN', message, {
        type: list.name,
        max: list.max,
      });
    }
    const room = list.max * 2;
    const bytes = room * REGION_ENTRY_SIZE;
    const size = alignUp(bytes, pageSize);
    const avoids = list === this.reserved && avoidSize > 0;
    let found = this.findMirrorFirst(
      avoids ? avoidBase + avoidSize : 0,
      this.currentLimit,
      size,
      pageSize,
    );
    if (found === 0 && avoids) {
      found = this.findMirrorFirst(0, Math.min(avoidBase, this.currentLimit), size, pageSize);
    }
    if (found === 0) {
      this.print(
        `memblock: Failed to double ${list.name} array from ${list.max} to ${room} entries !\n`,
        'error',
      );
      return false;
    }
    if (profile.acceptsGrownArray) accept?.(found, size);
    if (this.settings.debug) {
      this.print(
        `memblock: ${list.name} is doubled to ${room} at [${hexAddress(found)}-${hexAddress(found + bytes - 1)}]`,
        'debug',
      );
    }
    const old = list.grownAt;
    list.max = room;
    list.grownAt = { base: found, size };
    if (old !== undefined) {
      this.debugRange('memblock_phys_free', old.base, old.size);
      this.cutRange(this.reserved, old.base, old.size);
    }
    const kept = profile.allocationKeepsNode ? NO_NODE : this.plainReserveNode;
    if (!this.reserveFound(found, size, kept)) {
      this.fail(`the grown ${list.name} array at ${hexAddress(found)} could not be reserved`);
    }
    return true;
  }

  /** Room with mirrored memory first, for the arrays. @internal */
  protected findMirrorFirst(start: number, end: number, size: number, align: number): number {
    const flags = this.allocationWish();
    const found = this.findWith(size, align, start, end, NO_NODE, flags);
    if (found !== 0 || (flags & MemFlags.MIRROR) === 0) return found;
    this.warnUnmirrored(size);
    return this.findWith(size, align, start, end, NO_NODE, flags & ~MemFlags.MIRROR);
  }

  /** Flags that allocations ask for first. @internal */
  protected allocationWish(): number {
    if (this.scratchOnly) return MemFlags.KHO_SCRATCH;
    return this.mirrorKnown ? MemFlags.MIRROR : MemFlags.NONE;
  }

  /** @internal */
  protected warnUnmirrored(size: number): void {
    this.print(`Could not allocate ${hexAddress(size)} bytes of mirrored memory\n`, 'warning');
  }

  /** Finds room; 0 when there is none. `end` 0 or 1 stands for the current limit. @internal */
  protected findWith(
    size: number,
    align: number,
    start: number,
    end: number,
    nid: number,
    flags: number,
  ): number {
    const { maxNodes, movableNode, pageSize, numa } = this.settings;
    const limit = end <= 1 ? this.limit : end;
    // Page 0 is never handed out.
    const from = start > pageSize ? start : pageSize;
    const query = {
      size,
      align,
      start: from,
      end: limit > from ? limit : from,
      filter: memoryFilter(numa ? nid : NO_NODE, flags, maxNodes, movableNode),
    };
    return this.bottomUp
      ? findBottomUp(this.memory, this.reserved, query)
      : findTopDown(this.memory, this.reserved, query);
  }
}

interface ListPlace {
  d: number;
  i: number;
}

function nextPlace(list: RegionList, place: ListPlace): ListPlace {
  return place.i + 1 < list.chunkCount(place.d)
    ? { d: place.d, i: place.i + 1 }
    : { d: place.d + 1, i: 0 };
}
