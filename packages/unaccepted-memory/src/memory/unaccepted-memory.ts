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
import { checkBackend } from '../backends/call.js';
import { openBackend } from '../backends/open-backend.js';
import {
  checkFunction,
  checkInteger,
  checkList,
  checkMethods,
  checkObject,
} from '../base/check.js';
import { AcceptError, handleError } from '../base/errors.js';
import type { ByteRange, TableHeader } from '../table/table.js';
import { acceptUnits, addressOf, bytesOf, probeUnits, unitsWithin } from '../table/unit-range.js';
import type { UnitRange, UnitRules } from '../table/unit-range.js';
import { AcceptProtocol, NO_WORK } from './accept-protocol.js';
import { Work } from './announcements.js';
import { anyBit, countBits, firstBit } from './bitmap.js';
import { Conversion } from './conversion.js';
import type { UnitHolder } from './conversion.js';
import type { ConvertTarget } from './convert-protocol.js';
import { copyTable, handOver } from './hand-over.js';
import { FLAG, STATE_FORMAT, WORD, openViews } from './layout.js';
import type { StateViews } from './layout.js';
import { acceptEdges, checkCells, newState } from './new-state.js';
import { Participants } from './participants.js';
import { rangesIn, runsOf } from './state-runs.js';
import { UnitStates } from './unit-states.js';
import type {
  AcceptOutcome,
  AttachOptions,
  HandOver,
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
  readonly #states: UnitStates;
  readonly #protocol: AcceptProtocol;
  readonly #conversion: Conversion;
  /** Reserved for this thread, until it takes it. */
  readonly #reserved: number | undefined;
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
    this.#participants = new Participants(views);
    this.#states = new UnitStates(views, this.#participants.announcements);
    this.#protocol = new AcceptProtocol(views, this.#participants, this.#states, backend);
    this.#conversion = new Conversion(views, this.#participants, this.#protocol, backend);
    this.#reserved = participant;
  }

  /**
   * Builds the table from the memory map and accepts at once what does not fill a unit.
   * @throws ERR_ACCEPT_ARGUMENT, ERR_ACCEPT_TABLE, ERR_ACCEPT_TABLE_VERSION before anything is accepted
   * @throws ERR_ACCEPT_FAILED when the backend refuses one of the pieces accepted at once
   * @remarks O(units / 32) words are allocated, not touched; no memory of the ranges is touched but the edges.
   */
  static create(options: UnacceptedMemoryOptions): UnacceptedMemory {
    checkObject('options', options);
    checkBackend(options.backend);
    const { buffer, threads, acceptNow } = newState(options);
    const memory = new UnacceptedMemory(openViews(buffer, threads), options.backend);
    acceptEdges(options.backend, acceptNow);
    return memory;
  }

  /**
   * Opens the state in another thread.
   * @throws ERR_ACCEPT_HANDLE when the handle, or that of the backend, is not one of ours
   * @throws ERR_ACCEPT_ARGUMENT when the participant is no slot, or the backend splits units differently from the creator's
   */
  static attach(handle: UnacceptedMemoryHandle, options: AttachOptions = {}): UnacceptedMemory {
    checkObject('options', options);
    checkHandle(handle, STATE_FORMAT, handleError);
    const views = openViews(handle.buffer, handle.threads);
    const backend = options.backend ?? openBackend(handle.backend, options.openers);
    checkBackend(backend);
    checkCells(views, backend);
    const { participant } = options;
    if (participant !== undefined) {
      checkInteger('participant', participant, 1, views.layout.slotCount);
    }
    return new UnacceptedMemory(views, backend, participant);
  }

  /** A plain object from which another thread attaches. */
  toHandle(): UnacceptedMemoryHandle {
    return {
      type: 'bootmem.unaccepted-memory',
      buffer: this.#views.buffer,
      threads: this.#views.threads,
      backend: this.backend.toHandle(),
    };
  }

  /**
   * This thread's slot, 1 to {@link UnacceptedMemory.participantCount}; taken when first asked for.
   * @throws ERR_ACCEPT_PARTICIPANTS when none is free; ERR_ACCEPT_ARGUMENT when that of `AttachOptions` is not reserved
   */
  get participant(): number {
    this.#checkOpen();
    this.#id ??= this.#participants.join(this.#reserved);
    return this.#id;
  }

  /** How many participant slots there are. */
  get participantCount(): number {
    return this.#participants.count;
  }

  /**
   * Takes a slot for a thread about to be started; hand the number over as `AttachOptions.participant`. It stays taken,
   * also when the thread closes, until {@link UnacceptedMemory.reclaim}: so nobody else can be meant by its number.
   * @throws ERR_ACCEPT_PARTICIPANTS when none is free
   */
  reserveParticipant(): number {
    this.#checkOpen();
    return this.#participants.reserve();
  }

  /**
   * Slots whose threads have ended, as far as the operating system tells (Linux) or somebody said; to be reclaimed.
   * @remarks about 10 µs for each slot that is taken
   */
  findEnded(): readonly number[] {
    this.#checkOpen();
    return this.#participants.findEnded();
  }

  /**
   * Says that the threads of these slots have ended, orderly or not, and frees the slots. Must not be called while one
   * of them runs. All are marked before anything of one is looked at, so several may have died at once.
   * @param participants  the slots; those that nobody has are passed over
   * @param each  called for each slot once all are marked, before it is free again, with what its thread was working on, if
   *   anything; when it throws, this slot and those after it stay taken
   * @returns the addresses of the units that they left in an unknown state
   * @throws ERR_ACCEPT_ARGUMENT for a number that is no slot, or the calling thread's own; nothing changed
   */
  reclaim(
    participants: readonly number[],
    each?: (participant: number, work: ByteRange | undefined) => void,
  ): readonly ByteRange[] {
    this.#checkOpen();
    checkList('participants', participants);
    checkFunction('each', each, true);
    this.#participants.markDead(participants, this.#id);
    // Whoever waits for one of them looks again.
    this.#protocol.signal();
    return participants.flatMap((participant) => {
      const left = this.#participants.leftOf(participant);
      const work = left && bytesOf(this.geometry, left);
      const runs = work === undefined ? [] : this.stateRuns(work);
      each?.(participant, work);
      this.#participants.release(participant);
      return rangesIn(runs, 'interrupted');
    });
  }

  /**
   * True while the thread of a slot neither left nor is known to have ended.
   * @param ask  asks the operating system as well (Linux), about 10 µs
   */
  isAlive(participant: number, ask = false): boolean {
    checkInteger('participant', participant, 1, this.participantCount);
    return this.#participants.isAlive(participant, ask);
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
    this.#checkOpen();
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
    this.#checkOpen();
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
   * Makes whole units shared with the host, or private again. To shared: units that are accepted and that the caller holds;
   * what is in them afterwards is the platform's. To private: the platform changes the page state and accepts them anew, so
   * their content is lost; units that are private already are left alone. Memory of a page allocator goes through
   * `ZoneAcceptor.convert`, which knows who holds what.
   * @param start   address in bytes, a multiple of the unit size
   * @param end     one past the last byte, likewise; all or nothing of the range is converted
   * @param to      which way
   * @param holder  whose memory it is; default: nobody keeps books, the caller holds what it names
   * @throws ERR_ACCEPT_ARGUMENT unless it is whole units of the table, and a backend that converts
   * @throws ERR_ACCEPT_STATE when a unit is not accepted, or shared already
   * @throws ERR_ACCEPT_NOT_HELD when the holder says so, or another thread is converting a unit of the range
   * @throws ERR_ACCEPT_INTERRUPTED when a unit was left half converted and shall be private: make it shared first
   * @throws ERR_ACCEPT_FAILED when the platform refused; the units are 'interrupted' then. Any other: nothing changed
   * @remarks Holds nothing while the platform works, and never waits. O(units) and O(slots).
   */
  convert(start: number, end: number, to: ConvertTarget, holder?: UnitHolder): void {
    this.#checkOpen();
    const units = this.#conversion.unitsOf(start, end, to);
    if (holder !== undefined) checkMethods('holder', holder, ['hold', 'settle']);
    this.#conversion.convert(this.participant, units, to, holder);
  }

  /** True when some byte of `[start, start + size)` is shared, or on the way there or back. Lock-free. O(units). */
  containsShared(start: number, size: number): boolean {
    this.#checkOpen();
    checkInteger('start', start, 0);
    checkInteger('size', size, 0, Number.MAX_SAFE_INTEGER - start);
    return this.#conversion.any(start, start + size);
  }

  /**
   * True when some byte of `[start, start + size)`, or its guard unit, is not accepted. Lock-free.
   * @kernel range_contains_unaccepted_memory
   */
  containsUnaccepted(start: number, size: number): boolean {
    this.#checkOpen();
    const units = probeUnits(this.geometry, start, size, this.#rules);
    return anyBit(this.#views.bits, units.start, Math.min(units.end, this.geometry.unitCount));
  }

  /** Bytes that are not accepted. O(units / 32). */
  unacceptedBytes(): number {
    this.#checkOpen();
    return countBits(this.#views.bits, 0, this.geometry.unitCount) * this.geometry.unitSize;
  }

  /** Address of the first unit in `[start, start + size)` that is not accepted, or undefined. */
  firstUnaccepted(start: number, size: number): number | undefined {
    this.#checkOpen();
    const units = acceptUnits(this.geometry, start, size, this.#exact);
    const unit = firstBit(this.#views.bits, units.start, units.end);
    return unit === undefined ? undefined : addressOf(this.geometry, unit);
  }

  /** State of the unit that holds `address`; 'accepted' outside the table. */
  unitState(address: number): UnitState {
    this.#checkOpen();
    checkInteger('address', address, 0);
    const { physBase, unitSize, unitCount } = this.geometry;
    const unit = Math.floor((address - physBase) / unitSize);
    return unit < 0 || unit >= unitCount ? 'accepted' : this.#states.of(unit);
  }

  /**
   * The map of unit states in ascending order, equal neighbours joined.
   * @param within  only the units that intersect this range; default the whole table
   */
  stateRuns(within?: ByteRange): readonly StateRun[] {
    this.#checkOpen();
    if (within !== undefined) {
      checkObject('within', within);
      checkInteger('within.start', within.start, 0);
      checkInteger('within.end', within.end, 0);
    }
    const units = unitsWithin(this.geometry, within);
    return runsOf(this.geometry, units, (unit) => this.#states.of(unit));
  }

  /** Ranges that threads are accepting at this moment, by participant slot. @kernel accepting_list */
  acceptingRanges(): readonly (ByteRange & { readonly participant: number })[] {
    this.#checkOpen();
    return this.#participants.announcements
      .all(Work.ACCEPT)
      .map(({ id, ...units }) => ({ participant: id, ...bytesOf(this.geometry, units) }));
  }

  /**
   * A copy of the table as it is now, header and bitmap; shared units stand as unaccepted. While other threads accept it is
   * out of date at once: a next stage gets its table from {@link UnacceptedMemory.handOver}.
   */
  exportTable(): Uint8Array {
    this.#checkOpen();
    return copyTable(this.#views);
  }

  /**
   * Ends this stage and makes the table of the next one (kexec): it has to accept what stands there, and nothing that was
   * accepted before. From here on nobody accepts or converts through this state, in any thread: `ERR_ACCEPT_CLOSED`. Waits
   * for the threads that are inside a platform call; makes shared units private and unaccepted at the host.
   * @returns the table, and the addresses that the next stage must not use
   * @throws ERR_ACCEPT_CLOSED when it was handed over before, or another living thread is doing so
   * @throws ERR_ACCEPT_REENTRANT from inside this thread's backend
   * @throws ERR_ACCEPT_TIMEOUT when another thread stays inside its call for longer than `waitLimitMs`: nothing changed
   * @throws ERR_ACCEPT_FAILED when the platform refuses: nobody accepts any more, and the call may be repeated
   * @remarks O(units / 32), and one platform call for each run of shared units. May block.
   */
  handOver(): HandOver {
    const id = this.participant;
    const { table, inDoubt } = handOver(
      {
        views: this.#views,
        participants: this.#participants,
        states: this.#states,
        // Where a piece may be prepared twice, the next stage may as well begin the unit anew.
        finish:
          this.backend.repeatable === 'never'
            ? (unit) => {
                this.#protocol.finish(unit);
              }
            : undefined,
        change: (units, to) => {
          this.#conversion.change(units, to);
        },
      },
      id,
    );
    return { table, inDoubt: inDoubt.map((units) => bytesOf(this.geometry, units)) };
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

  #checkOpen(): void {
    if (this.#closed) throw new AcceptError('ERR_ACCEPT_CLOSED', 'this object was closed');
  }

  #checkUnits(units: UnitRange): void {
    checkObject('units', units);
    checkInteger('units.start', units.start, 0, this.geometry.unitCount);
    checkInteger('units.end', units.end, units.start, this.geometry.unitCount);
  }
}
