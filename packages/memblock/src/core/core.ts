/**
 * The record that all parts of {@link Memblock} work on: the three lists, the settings, and the few
 * switches that change during a boot. It has no behaviour but answering for itself: which list bears a
 * name, whether it may still be used, and what is printed.
 *
 * ```
 *   Memblock ── owns ──▶ MemblockCore ── memory, reserved, physmem   lists/
 *      │                      ▲      └── settings, switches
 *      └── parts/*.ts ────────┘  functions: the core first, then the arguments
 * ```
 */
import { checkBytes, checkDirection, checkKind, checkObject, checkRange } from '../base/checks.js';
import {
  ALLOC_ANYWHERE,
  INITIAL_PHYSMEM_REGIONS,
  INITIAL_REGIONS,
  NO_NODE,
} from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { hexAddress, hexRange, plainHex } from '../base/notation.js';
import type {
  ArrayCapacity,
  Direction,
  LateAllocator,
  LogLevel,
  MemblockOptions,
  MemblockWarning,
  RegionType,
} from '../base/types.js';
import { attrFlags, attrNid } from '../list/attributes.js';
import { ListEditor, type OverlapListener } from '../list/list-edits.js';
import { RegionList } from '../list/region-list.js';
import { Payloads } from './payloads.js';
import { settingsOf, type Settings } from './settings.js';

/** A named reservation in the table; size 0 once released. */
interface NamedEntry {
  readonly name: string;
  readonly start: number;
  size: number;
}

/** Lists, settings and switches; see the head of this module. */
export class MemblockCore implements OverlapListener {
  /** What the object was set up with, defaults filled in. */
  readonly settings: Settings;
  /** All RAM. */
  readonly memory: RegionList;
  /** What is taken. */
  readonly reserved: RegionList;
  /** What the firmware called RAM. */
  readonly physmem: RegionList;
  /** Makes the edits of the lists. */
  readonly editor = new ListEditor(this);
  /** Named reservations, in the order made. */
  readonly named: NamedEntry[] = [];
  /** What is attached to addresses, by list; undefined until something is. */
  payloads: Map<RegionList, Payloads> | undefined = undefined;
  /** Whether the simulated arrays may grow. */
  resizable: boolean;
  /** Whether any memory was marked as mirrored. */
  mirrorKnown = false;
  /** Whether only kexec hand-over scratch memory is allocated from. */
  scratchOnly = false;
  /** Whether memory is allocated from its low end first. */
  bottomUp: boolean;
  /** First address that may not be allocated, for calls that do not say otherwise. */
  limit: number;
  /** Who serves allocations once the slab allocator is up. */
  late: LateAllocator | undefined = undefined;
  /** Whether an edit has left touching, like regions apart. */
  unmerged = false;
  /** Texts that are printed later; see {@link printingLater}. */
  private held: (readonly [string, LogLevel])[] | undefined = undefined;
  private broken: string | undefined = undefined;

  /** @throws MemblockError ERR_MEMBLOCK_ARGUMENT or ERR_MEMBLOCK_ALIGNMENT for an option that is not what it must be */
  constructor(options: MemblockOptions) {
    checkObject(options, 'options');
    const { capacity, currentLimit = ALLOC_ANYWHERE, direction = 'top-down' } = options;
    checkBytes(currentLimit, 'currentLimit');
    checkDirection(direction);
    this.settings = settingsOf(options);
    if (capacity !== undefined) checkObject(capacity, 'capacity');
    checkKind(capacity?.resizable, 'capacity.resizable', 'boolean');
    this.memory = new RegionList('memory', roomOf(capacity, 'memory', INITIAL_REGIONS));
    this.reserved = new RegionList('reserved', roomOf(capacity, 'reserved', INITIAL_REGIONS));
    this.physmem = new RegionList('physmem', roomOf(capacity, 'physmem', INITIAL_PHYSMEM_REGIONS));
    this.resizable = capacity === undefined || (capacity.resizable ?? false);
    this.bottomUp = direction === 'bottom-up';
    this.limit = currentLimit;
  }

  /** Which end of memory is allocated from first. */
  get direction(): Direction {
    return this.bottomUp ? 'bottom-up' : 'top-down';
  }

  /** Sets {@link direction}. */
  setDirection(direction: Direction): void {
    checkDirection(direction);
    this.bottomUp = direction === 'bottom-up';
  }

  /** Sets {@link limit}. */
  setLimit(limit: number): void {
    checkBytes(limit, 'currentLimit');
    this.limit = limit;
  }

  /** The list of that name. */
  listOf(type: RegionType): RegionList {
    if (type === 'memory') return this.memory;
    if (type === 'reserved') return this.reserved;
    // A caller without types may pass anything.
    if ((type as string) === 'physmem') return this.physmem;
    throw new MemblockError(
      'ERR_MEMBLOCK_ARGUMENT',
      `type must be 'memory', 'reserved' or 'physmem', got ${plainHex(type)}`,
      { type },
    );
  }

  /** Payloads of a list; made when first asked for. */
  payloadsOf(list: RegionList): Payloads {
    this.payloads ??= new Map();
    let payloads = this.payloads.get(list);
    if (payloads === undefined) this.payloads.set(list, (payloads = new Payloads(list)));
    return payloads;
  }

  /** Node of a reservation that names none. */
  get plainReserveNode(): number {
    return this.settings.profile.plainReserveNode === 'none' ? NO_NODE : this.settings.maxNodes;
  }

  /** Ends the object's life: it contradicts itself. */
  fail(message: string): never {
    this.broken = message;
    throw new MemblockError('ERR_MEMBLOCK_INVARIANT', message);
  }

  /** Refuses work on a broken object. */
  checkAlive(): void {
    if (this.broken !== undefined) {
      throw new MemblockError(
        'ERR_MEMBLOCK_INVARIANT',
        `unusable after a broken invariant: ${this.broken}`,
      );
    }
  }

  /** Refuses a range that is none, and work on a broken object. */
  checkEdit(base: number, size: number): void {
    checkBytes(base, 'base');
    checkBytes(size, 'size');
    this.checkAlive();
  }

  /** Prints a text in the kernel's wording. */
  print(text: string, level: LogLevel): void {
    if (this.held === undefined) this.settings.log?.(text, level);
    else this.held.push([text, level]);
  }

  /**
   * Runs a step that prints between its changes; who gets the texts, and may throw, gets them when all is done.
   * Nests: the outermost one prints.
   */
  printingLater<T>(step: () => T): T {
    if (this.held !== undefined) return step();
    const held: (readonly [string, LogLevel])[] = [];
    this.held = held;
    try {
      return step();
    } finally {
      this.held = undefined;
      for (const [text, level] of held) this.print(text, level);
    }
  }

  /** Complains as the kernel would. */
  warn(kind: MemblockWarning['kind'], message: string): void {
    this.settings.warn?.({ kind, message });
  }

  /** Complains where gaps are filled beside a region of another node or other flags. */
  overlapped(list: RegionList, position: number, attr: number): void {
    const there = list.attr[position]!;
    if (there === attr || this.settings.warn === undefined) return;
    const at = hexAddress(list.base[position]!);
    const { numa, profile } = this.settings;
    if (numa && attrNid(there) !== attrNid(attr)) {
      this.warn(
        'node-mismatch',
        `${list.name}: adding with nid ${attrNid(attr)} over ${at} of nid ${attrNid(there)}`,
      );
    }
    const matters = attrFlags(attr) !== 0 || profile.warnsOnPlainFlags;
    if (matters && attrFlags(attr) !== attrFlags(there)) {
      this.warn(
        'flags-mismatch',
        `${list.name}: adding with flags ${attrFlags(attr)} over ${at} of flags ${attrFlags(there)}`,
      );
    }
  }

  /** Prints a line of `memblock=debug`, the caller's name behind it. */
  debugLine(text: string): void {
    if (this.settings.debug) this.print(`${text} ${this.settings.caller()}\n`, 'debug');
  }

  /** {@link debugLine} about a range. */
  debugRange(name: string, base: number, size: number): void {
    if (this.settings.debug) this.debugLine(`${name}: ${hexRange(base, size)}`);
  }
}

/** Entries of a simulated array; Infinity where none is simulated. */
function roomOf(capacity: ArrayCapacity | undefined, type: RegionType, initial: number): number {
  if (capacity === undefined) return Infinity;
  const entries = capacity[type];
  return entries === undefined ? initial : checkRange(entries, `capacity.${type}`, 1, 2 ** 31);
}
