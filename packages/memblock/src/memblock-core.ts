/**
 * What every layer of {@link Memblock} stands on: the lists, the settings, finding room, and edits
 * that make sure of room in the array first.
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
import { MemblockError } from './errors.js';
import { findBottomUp, findTopDown } from './find-space.js';
import { ListEditor } from './list-edits.js';
import { checkBytes, checkCapacity, checkDirection, settingsOf, type Settings } from './options.js';
import { memoryFilter } from './range-cursor.js';
import { RegionList } from './region-list.js';
import { hexAddress, hexRange } from './text-format.js';
import type {
  Direction,
  LateAllocator,
  LogLevel,
  MemblockOptions,
  MemblockWarning,
  RegionType,
} from './types.js';

/** Lists, settings, room; the lowest layer of {@link Memblock}. */
export class MemblockCore {
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
  /** @internal */
  protected late: LateAllocator | undefined = undefined;
  private readonly editor = new ListEditor();

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

  /** Adds a range where nothing is. @internal */
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
    const complain = (_list: RegionList, p: number): void => {
      this.warnMismatch(list, p, attr);
    };
    if (list.count * 2 + 1 > list.max) {
      const fresh = this.editor.countGaps(list, base, end);
      if (fresh === 0) return true;
      // Growing may change what is there before the gaps are filled.
      if (list.count + fresh > list.max) this.editor.countGaps(list, base, end, complain);
      while (list.count + fresh > list.max) {
        if (!this.growArray(list, base, end - base)) return false;
      }
    }
    this.editor.fill(list, base, end, attr, complain);
    return true;
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
    const before = list.count;
    this.editor.cut(list, base, end);
    if (before > 0) this.checkEmpty(list);
    return true;
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
    change: { readonly mask: number; readonly bits: number; readonly nid?: number },
  ): boolean {
    const end = cappedEnd(base, size);
    if (end === base) return true;
    if (!this.roomToSplit(list, base, end - base)) return false;
    this.editor.rewrite(list, base, end, change);
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
    if (this.late !== undefined) {
      if (this.late.allocate(size, pageSize, NO_NODE) === undefined) {
        return this.failToGrow(list, room);
      }
      list.max = room;
      this.leaveOldArray(list, undefined);
      return true;
    }
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
    if (found === 0) return this.failToGrow(list, room);
    if (profile.acceptsGrownArray) accept?.(found, size);
    if (this.settings.debug) {
      this.print(
        `memblock: ${list.name} is doubled to ${room} at [${hexAddress(found)}-${hexAddress(found + bytes - 1)}]`,
        'debug',
      );
    }
    list.max = room;
    this.leaveOldArray(list, { base: found, size });
    const kept = profile.allocationKeepsNode ? NO_NODE : this.plainReserveNode;
    if (!this.reserveFound(found, size, kept)) {
      this.fail(`the grown ${list.name} array at ${hexAddress(found)} could not be reserved`);
    }
    return true;
  }

  private failToGrow(list: RegionList, room: number): false {
    this.print(
      `memblock: Failed to double ${list.name} array from ${list.max} to ${room} entries !\n`,
      'error',
    );
    return false;
  }

  /** Gives a grown array back; the first one is part of the kernel and stays. */
  private leaveOldArray(list: RegionList, next: RegionList['grownAt']): void {
    const old = list.grownAt;
    list.grownAt = next;
    if (old === undefined) return;
    this.debugRange('memblock_phys_free', old.base, old.size);
    this.cutRange(this.reserved, old.base, old.size);
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
