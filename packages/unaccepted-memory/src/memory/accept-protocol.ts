/**
 * The accept protocol: every cell prepared once, by whichever thread gets to it, with nothing held meanwhile.
 *
 * ```text
 *            claim                prepare             done                 publish
 * cell:   claims 0 -> 1   ──▶   backend.accept  ──▶  done 0 -> 1   ──▶   last cell of its unit:
 *         (one winner)          (no lock held)       (one transition)    table bit 1 -> 0, event + 1
 * ```
 * All three bitmaps move one way only, so there is no ABA, no generation and nothing to undo:
 *
 * - table bit clear ⇒ every cell of the unit is done ⇒ every cell was claimed, by exactly one thread;
 * - a reader that sees the table bit clear may use the unit: the bit is cleared after the platform returned;
 * - two requests for the same unit share its cells instead of spinning: a caller prepares what nobody has begun
 *   and then waits only for cells that another thread is inside.
 *
 * A waiter holds no claim and no announcement, so waiting cannot form a cycle. It waits for the event word, and
 * each time round it looks whether it can do better: redo the cell itself where that is harmless
 * (`backend.repeatable`), repair the unit alone when the cell's owner has ended and that is all that may be repeated, or
 * give up with an error (`ERR_ACCEPT_INTERRUPTED`). That an owner has ended takes proof: the word of the thread that
 * started it, or on Linux the system's, for which a waiter asks every 20 ms. An owner that lives keeps its unit, however
 * long it is silent; who has waited for it longer than the limit gets `ERR_ACCEPT_TIMEOUT`, and nothing changed.
 *
 * Shared units are none of this protocol's business: their table bit is clear (convert-protocol.ts).
 *
 * Locks: none. Blocking: only `waitFor`, in slices, up to the waiting limit.
 *
 * Source: behaviour of the kernel's accepting list (v6.6 and later), here as bits; DESIGN.md gives the pairing of each step.
 */
import { waitSlice } from '@bootmem/memmap/shared';
import { Work } from './announcements.js';
import type { WorkKind } from './announcements.js';
import { anyBit, bitMask, clearBits, claimBit, firstBit, testBit } from './bitmap.js';
import type { AcceptBackend } from '../backends/backend.js';
import { runAccept } from '../backends/call.js';
import { AcceptError, hex } from '../base/errors.js';
import { WORD } from './layout.js';
import type { StateViews } from './layout.js';
import type { Participants } from './participants.js';
import type { UnitRange } from '../table/unit-range.js';
import type { AcceptOutcome } from './types.js';
import type { UnitStates } from './unit-states.js';

const { add, compareExchange, load, notify, or } = Atomics;

/** A waiter asks so often whether the thread that it waits for has ended. */
const PROOF_MS = 20;

/** Nothing to do. */
export const NO_WORK: AcceptOutcome = { cells: 0, calls: 0, waited: 0 };

/** The protocol for one thread. Keeps no state of its own beyond the re-entrancy flag. */
export class AcceptProtocol {
  readonly #views: StateViews;
  readonly #participants: Participants;
  readonly #states: UnitStates;
  readonly #backend: AcceptBackend;
  readonly #cellBytes: number;
  readonly #maxRun: number;
  #busy = false;

  /**
   * @param views        the shared words
   * @param participants who takes part
   * @param states       what is known about units
   * @param backend      this thread's backend
   */
  constructor(
    views: StateViews,
    participants: Participants,
    states: UnitStates,
    backend: AcceptBackend,
  ) {
    this.#views = views;
    this.#states = states;
    this.#participants = participants;
    this.#backend = backend;
    this.#cellBytes = views.header.unitSize / views.layout.cellsPerUnit;
    this.#maxRun = Math.max(1, Math.floor(backend.maxRun / this.#cellBytes));
  }

  /**
   * Accepts units `[start, end)` and returns when all are accepted, by this thread or another.
   * @param id    this thread's participant slot
   * @param start first unit
   * @param end   one past the last unit, at most the unit count
   * @throws ERR_ACCEPT_REENTRANT when called from inside this thread's own backend for unaccepted units
   * @throws ERR_ACCEPT_FAILED when the backend threw; the cells it was given stay claimed for ever, unless it is repeatable
   * @throws ERR_ACCEPT_INTERRUPTED, ERR_ACCEPT_TIMEOUT as {@link AcceptProtocol.waitFor}
   */
  accept(id: number, start: number, end: number): AcceptOutcome {
    if (!anyBit(this.#views.bits, start, end)) return NO_WORK;
    const { cellsPerUnit } = this.#views.layout;
    const own = this.sweep(id, start * cellsPerUnit, end * cellsPerUnit, Number.POSITIVE_INFINITY);
    let waited = 0;
    for (;;) {
      const unit = firstBit(this.#views.bits, start, end);
      if (unit === undefined) return { ...own, waited };
      waited += 1;
      this.waitFor(id, unit);
    }
  }

  /**
   * Prepares up to `budget` cells of `[start, end)` that nobody has begun; never waits.
   * @param id      this thread's participant slot
   * @param start   first cell
   * @param end     one past the last cell
   * @param budget  cells at most
   * @throws ERR_ACCEPT_REENTRANT, ERR_ACCEPT_FAILED as {@link AcceptProtocol.accept}
   */
  sweep(id: number, start: number, end: number, budget: number): AcceptOutcome {
    const { cellsPerUnit } = this.#views.layout;
    const units = {
      start: Math.floor(start / cellsPerUnit),
      end: Math.ceil(end / cellsPerUnit),
    };
    this.enter(id, Work.ACCEPT, units);
    let complete = false;
    try {
      const outcome = this.#prepareFree(start, end, budget);
      complete = true;
      return outcome;
    } finally {
      this.leave(id);
      // It failed: who waits for one of its units learns that nobody is inside any more.
      if (!complete) this.signal();
    }
  }

  /** Prepares the rest of a begun unit where nobody else is at work any more, and none may begin. */
  finish(unit: number): void {
    const { cellsPerUnit } = this.#views.layout;
    this.#prepareFree(unit * cellsPerUnit, (unit + 1) * cellsPerUnit, cellsPerUnit);
  }

  /** Claims and prepares what nobody has begun, up to `budget` cells of `[start, end)`. */
  #prepareFree(start: number, end: number, budget: number): AcceptOutcome {
    let cells = 0;
    let calls = 0;
    let cell = start;
    while (cell < end && cells < budget) {
      if (!this.#claim(cell)) {
        cell = this.#nextCell(cell, end);
        continue;
      }
      const limit = Math.min(end, cell + Math.min(this.#maxRun, budget - cells));
      let stop = cell + 1;
      while (stop < limit && this.#claim(stop)) stop += 1;
      this.#prepare(cell, stop);
      calls += 1;
      cells += stop - cell;
      cell = stop;
    }
    return { cells, calls, waited: 0 };
  }

  /**
   * Announces work of this thread; from here on its backend may not come back for more.
   * @throws ERR_ACCEPT_REENTRANT from inside this thread's backend
   * @throws ERR_ACCEPT_CLOSED when the next stage has the table
   */
  enter(id: number, work: WorkKind, units: UnitRange): void {
    const { words } = this.#views;
    if (this.#busy) {
      throw new AcceptError(
        'ERR_ACCEPT_REENTRANT',
        'the backend asked for more while it is at work; it would wait for itself',
        { participant: id },
      );
    }
    const tag = this.#participants.tag(id);
    if (this.#participants.hasEnded(tag)) {
      throw new AcceptError('ERR_ACCEPT_CLOSED', 'this thread was declared dead', {
        participant: id,
      });
    }
    this.#busy = true;
    this.#participants.announcements.announce(id, tag, work, units.start, units.end);
    // Pairs with the hand-over: it sets the word before it looks at the announcements.
    if (load(words, WORD.HANDED_OVER) === 0) return;
    this.leave(id);
    throw new AcceptError('ERR_ACCEPT_CLOSED', 'the state was handed over to the next stage');
  }

  /** Takes the announcement back. */
  leave(id: number): void {
    this.#participants.announcements.retract(id);
    this.#busy = false;
    // The hand-over waits for the last of them.
    if (load(this.#views.words, WORD.HANDED_OVER) !== 0) this.signal();
  }

  /**
   * Returns when `unit` is accepted.
   *
   * Redoes its unfinished cells where the backend allows that, so a descheduled owner costs one cell, not its time slice;
   * or what a dead owner left, where only that may be repeated.
   * @param id  this thread's participant slot
   * @throws ERR_ACCEPT_INTERRUPTED when its owner is gone and the accept may not be repeated
   * @throws ERR_ACCEPT_TIMEOUT after the waiting limit
   */
  waitFor(id: number, unit: number): void {
    const { bits, words } = this.#views;
    const limit = load(words, WORD.WAIT_LIMIT_MS);
    // Counted in slices, so that a process that was stopped as a whole has not waited.
    let waited = 0;
    let asked = 0;
    let last = false;
    for (;;) {
      // Pairs with `signal`: read before the bit, so a publication in between changes the word we sleep on.
      const seen = load(words, WORD.EVENT);
      if (!testBit(bits, unit) || this.#publishIfDone(unit)) return;
      if (this.#mendOrFail(id, unit)) continue;
      const before = performance.now();
      waitSlice(words, WORD.EVENT, seen, Math.min(PROOF_MS, limit - waited));
      waited += Math.min(PROOF_MS, performance.now() - before);
      if (waited - asked < PROOF_MS && waited < limit) continue;
      asked = waited;
      const owner = this.#participants.findProven(Work.ACCEPT, unit, unit + 1);
      // Nobody is inside any more: one more look at what there is to mend.
      if (waited < limit || (owner === undefined && !last)) {
        last = waited >= limit;
        continue;
      }
      throw new AcceptError(
        'ERR_ACCEPT_TIMEOUT',
        `unit ${unit} was not accepted within ${limit} ms by the thread that is inside it, which is not known to have ended`,
        { unit, limit, participant: owner?.id },
      );
    }
  }

  /** Wakes everybody who waits for a unit. */
  signal(): void {
    // Pairs with the load in `waitFor`.
    add(this.#views.words, WORD.EVENT, 1);
    notify(this.#views.words, WORD.EVENT);
  }

  /**
   * A waiter's chance to do better than to wait: true when it should look again.
   * @throws ERR_ACCEPT_INTERRUPTED when the unit's owner has ended and the accept may not be repeated
   * @throws ERR_ACCEPT_CLOSED when the next stage has the table: nobody will accept the unit any more
   */
  #mendOrFail(id: number, unit: number): boolean {
    const { repeatable } = this.#backend;
    if (load(this.#views.words, WORD.HANDED_OVER) !== 0) {
      throw new AcceptError('ERR_ACCEPT_CLOSED', 'the state was handed over to the next stage');
    }
    if (repeatable === 'concurrently') {
      this.#redo(unit, this.#states.unfinished(unit));
      return true;
    }
    if (this.#states.of(unit) !== 'interrupted') return false;
    if (repeatable === 'after-death') return this.#repair(id, unit);
    throw new AcceptError(
      'ERR_ACCEPT_INTERRUPTED',
      `the thread that was accepting ${hex(this.#address(unit * this.#views.layout.cellsPerUnit))} is gone`,
      { unit },
    );
  }

  #address(cell: number): number {
    return this.#views.header.physBase + cell * this.#cellBytes;
  }

  /** The next cell of an unaccepted unit after `cell`, at most `end`. */
  #nextCell(cell: number, end: number): number {
    const { bits, layout } = this.#views;
    const { cellsPerUnit, unitCount } = layout;
    const next = cell + 1;
    const unit = Math.floor(next / cellsPerUnit);
    if (next >= end || testBit(bits, unit)) return next;
    const found = firstBit(bits, unit, Math.min(unitCount, Math.ceil(end / cellsPerUnit)));
    return found === undefined ? end : found * cellsPerUnit;
  }

  /** True when this call got the cell: its unit is unaccepted and nobody had begun it. */
  #claim(cell: number): boolean {
    const { bits, claims, layout } = this.#views;
    // Units that were never in the table have no claims, so the table bit decides first. It may be cleared
    // between the two steps; then the cell is claimed already and the second step fails.
    return testBit(bits, Math.floor(cell / layout.cellsPerUnit)) && claimBit(claims, cell);
  }

  #prepare(start: number, stop: number): void {
    try {
      runAccept(this.#backend, this.#address(start), this.#address(stop));
    } catch (cause) {
      throw new AcceptError(
        'ERR_ACCEPT_FAILED',
        `${this.#backend.name} could not accept [${hex(this.#address(start))}, ${hex(this.#address(stop))})`,
        { start: this.#address(start), end: this.#address(stop) },
        { cause },
      );
    }
    this.#complete(start, stop);
  }

  /** Marks cells done; publishes every unit that thereby is complete. */
  #complete(start: number, stop: number): void {
    const { bits, layout } = this.#views;
    const { cellsPerUnit } = layout;
    if (cellsPerUnit === 1) {
      // Pairs with the load in `containsUnaccepted`: after the platform call, so "accepted" is never seen early.
      clearBits(bits, start, stop);
      this.signal();
      return;
    }
    let cell = start;
    while (cell < stop) {
      const unit = Math.floor(cell / cellsPerUnit);
      const to = Math.min(stop, (unit + 1) * cellsPerUnit);
      if (this.#markDone(unit, cell - unit * cellsPerUnit, to - unit * cellsPerUnit)) {
        clearBits(bits, unit, unit + 1);
        this.signal();
      }
      cell = to;
    }
  }

  /** Sets done bits; true for the one call that completes the unit. */
  #markDone(unit: number, from: number, to: number): boolean {
    const { done, layout } = this.#views;
    const { cellsPerUnit } = layout;
    const first = unit * cellsPerUnit;
    const shift = first % 32;
    const all = bitMask(shift, shift + cellsPerUnit);
    const mask = bitMask(shift + from, shift + to);
    // Pairs with the `or` of the other cells of the unit: exactly one of them sees the mask become full.
    const old = or(done, Math.floor(first / 32), mask);
    return (old & all) !== all && ((old | mask) & all) === all;
  }

  /**
   * Redoes what the dead left in `unit`, as the only thread: false when another one is at it. One repair at a time in the
   * whole table, so that it is one word; whoever dies inside it leaves an announcement and a tag that are both seen to be
   * a dead thread's, and that nobody else ever has.
   */
  #repair(id: number, unit: number): boolean {
    const { words } = this.#views;
    const participants = this.#participants;
    const seen = load(words, WORD.REPAIR);
    if (seen !== 0 && !participants.proveEnded(seen)) return false;
    const mine = participants.tag(id);
    if (compareExchange(words, WORD.REPAIR, seen, mine) !== seen) return false;
    try {
      this.enter(id, Work.ACCEPT, { start: unit, end: unit + 1 });
      try {
        // Again, as the unit may have been repaired and be in use since the first look.
        const begun = this.#states.unfinished(unit);
        const { announcements } = participants;
        if (begun !== 0 && announcements.find(Work.ACCEPT, unit, unit + 1, id) === undefined) {
          this.#redo(unit, begun & this.#states.unfinished(unit));
        }
      } finally {
        this.leave(id);
      }
    } finally {
      compareExchange(words, WORD.REPAIR, mine, 0);
      // Whoever stood back from this repair looks again.
      this.signal();
    }
    return true;
  }

  /** Prepares cells of `unit` once more, given as bits of its word. */
  #redo(unit: number, cells: number): void {
    const { cellsPerUnit } = this.#views.layout;
    const first = unit * cellsPerUnit;
    const shift = first % 32;
    let rest = cells;
    while (rest !== 0) {
      const bit = 31 - Math.clz32(rest & -rest);
      rest &= rest - 1;
      const cell = first + bit - shift;
      this.#prepare(cell, cell + 1);
    }
  }

  /** Publishes a unit whose cells are all done, should the thread that did the last one have stopped just there. */
  #publishIfDone(unit: number): boolean {
    const { bits, done, layout } = this.#views;
    const { cellsPerUnit } = layout;
    if (cellsPerUnit === 1) return false;
    const first = unit * cellsPerUnit;
    const all = bitMask(first % 32, (first % 32) + cellsPerUnit);
    if ((load(done, Math.floor(first / 32)) & all) !== all) return false;
    clearBits(bits, unit, unit + 1);
    this.signal();
    return true;
  }
}
