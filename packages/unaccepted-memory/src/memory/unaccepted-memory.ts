/**
 * Memory that must be accepted before its first use, shared by threads.
 *
 * One object per thread over one shared state: the first thread creates it, the others attach by handle. Every
 * thread may accept and ask at any time; nothing is held while the platform works.
 *
 * ```ts no-run
 * const memory = UnacceptedMemory.create({ ranges, backend });   // creating costs nothing per byte of memory
 * if (memory.containsUnaccepted(address, size)) memory.acceptMemory(address, size);
 * ```
 * Source: behaviour of Linux' unaccepted memory support (v6.5 to v7.1); the protocol is described in accept-protocol.ts.
 */
import { checkHandle } from '@bootmem/memmap/shared';
import type { AcceptBackend } from '../backends/backend.js';
import { openBackend } from '../backends/open-backend.js';
import { TABLE_HEADER_BYTES } from '../base/constants.js';
import { AcceptError, checkInteger, handleError } from '../base/errors.js';
import type { ByteRange, TableHeader } from '../table/table.js';
import { acceptUnits, probeUnits } from '../table/unit-range.js';
import type { UnitRange, UnitRules } from '../table/unit-range.js';
import { AcceptProtocol, NO_WORK } from './accept-protocol.js';
import { anyBit, countBits, firstBit } from './bitmap.js';
import { FLAG, STATE_FORMAT, WORD, openViews } from './layout.js';
import type { StateViews } from './layout.js';
import { cellsPerUnit, newState } from './new-state.js';
import { Participants } from './participants.js';
import type {
  AcceptOutcome,
  AttachOptions,
  StateRun,
  UnacceptedMemoryHandle,
  UnacceptedMemoryOptions,
  UnitState,
} from './types.js';

/** The shared state as one thread sees it. */
export class UnacceptedMemory {
  /** Where units lie. */
  readonly geometry: TableHeader;
  /** This thread's backend. */
  readonly backend: AcceptBackend;
  /** True when requests that end on a unit boundary also take the next unit. */
  readonly guard: boolean;
  readonly #rules: UnitRules;
  /** The rules without the guard. */
  readonly #exact: UnitRules;
  readonly #views: StateViews;
  readonly #participants: Participants;
  readonly #protocol: AcceptProtocol;
  #id: number | undefined;
  #closed = false;

  private constructor(views: StateViews, backend: AcceptBackend, participant?: number) {
    this.#views = views;
    this.geometry = views.header;
    this.backend = backend;
    const flags = views.words[WORD.FLAGS]!;
    this.guard = (flags & FLAG.GUARD) !== 0;
    this.#rules = {
      guard: this.guard,
      pageAlign: (flags & FLAG.PAGE_ALIGN) !== 0,
      kernelWalk: (flags & FLAG.KERNEL_WALK) !== 0,
    };
    this.#exact = { ...this.#rules, guard: false };
    this.#participants = new Participants(views.words);
    this.#protocol = new AcceptProtocol(views, this.#participants, backend);
    this.#id = participant;
  }

  /**
   * Builds the table from the memory map and accepts at once what does not fill a unit.
   * @throws ERR_ACCEPT_ARGUMENT, ERR_ACCEPT_TABLE, ERR_ACCEPT_TABLE_VERSION before anything is accepted
   * @throws ERR_ACCEPT_FAILED when the backend refuses one of the pieces accepted at once
   * @remarks O(units / 32) words are allocated, not touched; no memory of the ranges is touched but the edges.
   */
  static create(options: UnacceptedMemoryOptions): UnacceptedMemory {
    const { buffer, acceptNow } = newState(options);
    const memory = new UnacceptedMemory(openViews(buffer), options.backend);
    for (const range of acceptNow) memory.#acceptDirectly(range);
    return memory;
  }

  /**
   * Opens the state in another thread.
   * @throws ERR_ACCEPT_HANDLE when the handle, or that of the backend, is not one of ours
   * @throws ERR_ACCEPT_ARGUMENT when the participant is no slot, or the backend splits units differently from the creator's
   */
  static attach(handle: UnacceptedMemoryHandle, options: AttachOptions = {}): UnacceptedMemory {
    checkHandle(handle, STATE_FORMAT, handleError);
    const views = openViews(handle.buffer);
    const backend = options.backend ?? openBackend(handle.backend, options.openers);
    const cells = cellsPerUnit(views.header.unitSize, backend);
    if (cells !== views.layout.cellsPerUnit) {
      throw new AcceptError(
        'ERR_ACCEPT_ARGUMENT',
        `expected a backend with ${views.layout.cellsPerUnit} pieces a unit, got ${cells}`,
        { expected: views.layout.cellsPerUnit, cells },
      );
    }
    const { participant } = options;
    if (participant !== undefined) {
      checkInteger('participant', participant, 0, views.layout.slotCount - 1);
    }
    return new UnacceptedMemory(views, backend, participant);
  }

  /** A plain object from which another thread attaches. */
  toHandle(): UnacceptedMemoryHandle {
    return {
      type: 'bootmem.unaccepted-memory',
      buffer: this.#views.buffer,
      backend: this.backend.toHandle(),
    };
  }

  /** This thread's slot; taken when first asked for. @throws ERR_ACCEPT_PARTICIPANTS when none is free */
  get participant(): number {
    if (this.#closed) throw new AcceptError('ERR_ACCEPT_CLOSED', 'this object was closed');
    this.#id ??= this.#participants.join();
    return this.#id;
  }

  /** How many participant slots there are. */
  get participantCount(): number {
    return this.#participants.count;
  }

  /**
   * Takes a slot for a thread about to be started; hand the number over as `AttachOptions.participant`, and
   * call {@link UnacceptedMemory.declareDead} with it when the thread ends without closing.
   */
  reserveParticipant(): number {
    return this.#participants.join();
  }

  /**
   * Says that the thread of a slot has ended, orderly or not. Must not be called while it runs.
   * @param participant  the slot; freed by this call
   * @returns the addresses of the units that it left in an unknown state
   */
  declareDead(participant: number): readonly ByteRange[] {
    const range = this.#participants.range(participant);
    this.#participants.leave(participant);
    if (range === undefined) return [];
    return this.stateRuns(this.#bytes(range))
      .filter((run) => run.state === 'interrupted')
      .map(({ start, end }) => ({ start, end }));
  }

  /**
   * Makes `[start, start + size)` usable: whole units, and the guard unit when the end lies on a unit boundary.
   * @param start  address in bytes, 0 .. 2^53 - 1
   * @param size   bytes
   * @returns what this thread did; nothing when all was accepted already
   * @throws ERR_ACCEPT_FAILED, ERR_ACCEPT_INTERRUPTED, ERR_ACCEPT_TIMEOUT, ERR_ACCEPT_REENTRANT; none of them loses
   *         a unit: what was accepted stays so, and every unit has a known state
   * @remarks Holds nothing while the platform works. Waits for other threads only inside cells they have begun.
   * @kernel accept_memory
   */
  acceptMemory(start: number, size: number): AcceptOutcome {
    const units = acceptUnits(this.geometry, start, size, this.#rules);
    return this.acceptUnits(units);
  }

  /**
   * As {@link UnacceptedMemory.acceptMemory} but exactly the units that intersect the range: no guard, as the boot stub does for
   * the kernel's own image.
   */
  acceptExactly(start: number, size: number): AcceptOutcome {
    return this.acceptUnits(acceptUnits(this.geometry, start, size, this.#exact));
  }

  /** Accepts whole units by index. */
  acceptUnits(units: UnitRange): AcceptOutcome {
    this.#checkUnits(units);
    if (!anyBit(this.#views.bits, units.start, units.end)) return NO_WORK;
    return this.#protocol.accept(this.participant, units.start, units.end);
  }

  /**
   * Prepares at most `bytes` of `[start, start + size)` that nobody has begun, and never waits: the step of a
   * background helper. Parts of a unit stay prepared; any caller can finish the rest.
   * @param start  address in bytes
   * @param size   bytes of the window
   * @param bytes  how much to prepare at most; rounded up to one cell
   * @returns bytes prepared; 0 when everything in the window is accepted or begun
   */
  advance(start: number, size: number, bytes: number): number {
    checkInteger('bytes', bytes, 1);
    const units = acceptUnits(this.geometry, start, size, this.#exact);
    if (!anyBit(this.#views.bits, units.start, units.end)) return 0;
    const { cellsPerUnit: cells } = this.#views.layout;
    const cellBytes = this.geometry.unitSize / cells;
    const budget = Math.ceil(bytes / cellBytes);
    const outcome = this.#protocol.sweep(
      this.participant,
      units.start * cells,
      units.end * cells,
      budget,
    );
    return outcome.cells * cellBytes;
  }

  /**
   * True when some byte of `[start, start + size)`, or its guard unit, is not accepted. Lock-free.
   * @kernel range_contains_unaccepted_memory
   */
  containsUnaccepted(start: number, size: number): boolean {
    const units = probeUnits(this.geometry, start, size, this.#rules);
    return anyBit(this.#views.bits, units.start, Math.min(units.end, this.geometry.unitCount));
  }

  /** Bytes that are not accepted. O(units / 32). */
  unacceptedBytes(): number {
    return countBits(this.#views.bits, 0, this.geometry.unitCount) * this.geometry.unitSize;
  }

  /** Address of the first unit in `[start, start + size)` that is not accepted, or undefined. */
  firstUnaccepted(start: number, size: number): number | undefined {
    const units = acceptUnits(this.geometry, start, size, this.#exact);
    const unit = firstBit(this.#views.bits, units.start, units.end);
    return unit === undefined ? undefined : this.geometry.physBase + unit * this.geometry.unitSize;
  }

  /** State of the unit that holds `address`; 'accepted' outside the table. */
  unitState(address: number): UnitState {
    checkInteger('address', address, 0);
    const { physBase, unitSize, unitCount } = this.geometry;
    const unit = Math.floor((address - physBase) / unitSize);
    return unit < 0 || unit >= unitCount ? 'accepted' : this.#protocol.state(unit);
  }

  /**
   * The map of unit states in ascending order, equal neighbours joined.
   * @param within  only the units that intersect this range; default the whole table
   */
  stateRuns(within?: ByteRange): readonly StateRun[] {
    const { physBase, unitSize, unitCount } = this.geometry;
    const from = within === undefined ? 0 : Math.floor((within.start - physBase) / unitSize);
    const to = within === undefined ? unitCount : Math.ceil((within.end - physBase) / unitSize);
    const runs: { start: number; end: number; state: UnitState }[] = [];
    for (let unit = Math.max(0, from); unit < Math.min(to, unitCount); unit += 1) {
      const state = this.#protocol.state(unit);
      const last = runs.at(-1);
      const start = physBase + unit * unitSize;
      if (last?.state === state) last.end = start + unitSize;
      else runs.push({ start, end: start + unitSize, state });
    }
    return runs;
  }

  /** Ranges that threads are accepting at this moment, by participant slot. @kernel accepting_list */
  acceptingRanges(): readonly (ByteRange & { readonly participant: number })[] {
    const ranges: (ByteRange & { participant: number })[] = [];
    for (let participant = 0; participant < this.#participants.count; participant += 1) {
      const units = this.#participants.range(participant);
      if (units !== undefined) ranges.push({ participant, ...this.#bytes(units) });
    }
    return ranges;
  }

  /** A copy of the table for the next stage (kexec), header and bitmap. */
  exportTable(): Uint8Array {
    const { buffer, layout, header } = this.#views;
    const copy = new Uint8Array(TABLE_HEADER_BYTES + header.bitmapBytes);
    copy.set(new Uint8Array(buffer, layout.tableBytes, copy.length));
    return copy;
  }

  /** Gives this thread's slot back. Idempotent; other threads are not affected. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#id !== undefined) this.#participants.leave(this.#id);
  }

  /** As {@link UnacceptedMemory.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #bytes(units: UnitRange): ByteRange {
    const { physBase, unitSize } = this.geometry;
    return { start: physBase + units.start * unitSize, end: physBase + units.end * unitSize };
  }

  #checkUnits(units: UnitRange): void {
    checkInteger('units.start', units.start, 0, this.geometry.unitCount);
    checkInteger('units.end', units.end, units.start, this.geometry.unitCount);
  }

  #acceptDirectly(range: ByteRange): void {
    try {
      this.backend.accept(range.start, range.end);
    } catch (cause) {
      throw new AcceptError(
        'ERR_ACCEPT_FAILED',
        `${this.backend.name} could not accept an edge of the memory map`,
        { start: range.start, end: range.end },
        { cause },
      );
    }
  }
}
