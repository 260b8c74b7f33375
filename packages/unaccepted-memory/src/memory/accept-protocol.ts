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
 * (`backend.repeatable`), repair the unit alone when the cell's owner is gone and that is all that may be repeated, or
 * give up with an error (`ERR_ACCEPT_INTERRUPTED`).
 *
 * Locks: none. Blocking: only `waitFor`, in slices, up to the waiting limit.
 *
 * Source: behaviour of the kernel's accepting list (v6.6 and later), here as bits; DESIGN.md gives the pairing of each step.
 */
import { anyBit, bitMask, clearBits, claimBit, firstBit, testBit } from './bitmap.js';
import type { AcceptBackend } from '../backends/backend.js';
import { AcceptError, hex } from '../base/errors.js';
import { WORD } from './layout.js';
import type { StateViews } from './layout.js';
import type { Participants } from './participants.js';
import type { AcceptOutcome, UnitState } from './types.js';

const { add, compareExchange, load, notify, or, wait } = Atomics;

/** Longest single sleep of a waiter: it looks for a dead owner or a cell to redo at least this often. */
const WAIT_SLICE_MS = 2;

/** Nothing to do. */
export const NO_WORK: AcceptOutcome = { cells: 0, calls: 0, waited: 0 };

/** The protocol for one thread. Keeps no state of its own beyond the re-entrancy flag. */
export class AcceptProtocol {
  readonly #views: StateViews;
  readonly #participants: Participants;
  readonly #backend: AcceptBackend;
  readonly #cellBytes: number;
  readonly #maxRun: number;
  #busy = false;

  /**
   * @param views        the shared words
   * @param participants the slots in the same words
   * @param backend      this thread's backend
   */
  constructor(views: StateViews, participants: Participants, backend: AcceptBackend) {
    this.#views = views;
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
    if (this.#busy) {
      throw new AcceptError(
        'ERR_ACCEPT_REENTRANT',
        'the backend asked for unaccepted memory while it accepts; it would wait for itself',
        { participant: id },
      );
    }
    const { cellsPerUnit } = this.#views.layout;
    this.#busy = true;
    this.#participants.announce(
      id,
      Math.floor(start / cellsPerUnit),
      Math.ceil(end / cellsPerUnit),
    );
    let cells = 0;
    let calls = 0;
    try {
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
    } finally {
      this.#participants.retract(id);
      this.#busy = false;
    }
    return { cells, calls, waited: 0 };
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
    const deadline = performance.now() + limit;
    for (;;) {
      // Pairs with `#signal`: read before the bit, so a publication in between changes the word we sleep on.
      const seen = load(words, WORD.EVENT);
      if (!testBit(bits, unit) || this.#publishIfDone(unit)) return;
      const { repeatable } = this.#backend;
      if (repeatable === 'concurrently') {
        this.#redo(unit, this.#unfinished(unit));
        continue;
      }
      const interrupted = this.state(unit) === 'interrupted';
      if (interrupted && repeatable === 'after-death') {
        if (this.#repair(id, unit)) continue;
      } else if (interrupted) {
        throw new AcceptError(
          'ERR_ACCEPT_INTERRUPTED',
          `the thread that was accepting ${hex(this.#address(unit * this.#views.layout.cellsPerUnit))} is gone`,
          { unit },
        );
      }
      if (performance.now() >= deadline) {
        throw new AcceptError(
          'ERR_ACCEPT_TIMEOUT',
          `unit ${unit} was not accepted by its owner within ${limit} ms`,
          { unit, limit },
        );
      }
      pause(words, seen);
    }
  }

  /** What is known about `unit`. O(slots). */
  state(unit: number): UnitState {
    const begun = this.#unfinished(unit);
    if (begun !== 0) {
      if (this.#participants.covering(unit) !== undefined) return 'accepting';
      // Nobody announces it. Either it was finished and retracted meanwhile (then it is done now), or the owner is gone.
      if ((this.#unfinished(unit) & begun) !== 0) return 'interrupted';
    }
    return testBit(this.#views.bits, unit) ? 'unaccepted' : 'accepted';
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
      this.#backend.accept(this.#address(start), this.#address(stop));
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
      this.#signal();
      return;
    }
    let cell = start;
    while (cell < stop) {
      const unit = Math.floor(cell / cellsPerUnit);
      const to = Math.min(stop, (unit + 1) * cellsPerUnit);
      if (this.#markDone(unit, cell - unit * cellsPerUnit, to - unit * cellsPerUnit)) {
        clearBits(bits, unit, unit + 1);
        this.#signal();
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

  /** Cells of `unit` that are claimed and not done, as bits of its word. */
  #unfinished(unit: number): number {
    const { bits, claims, done, layout } = this.#views;
    const { cellsPerUnit } = layout;
    const first = unit * cellsPerUnit;
    const word = Math.floor(first / 32);
    const shift = first % 32;
    const mask = bitMask(shift, shift + cellsPerUnit);
    const claimed = load(claims, word) & mask;
    if (claimed === 0) return 0;
    if (cellsPerUnit === 1) return testBit(bits, unit) ? mask : 0;
    return claimed & ~load(done, word);
  }

  /**
   * Redoes what the dead left in `unit`, as the only thread: false when another one is at it. One repair at a time in the
   * whole table, so that it is one word; whoever dies inside it leaves an announcement and a tag that are both seen to be
   * a dead thread's.
   */
  #repair(id: number, unit: number): boolean {
    const { words } = this.#views;
    const participants = this.#participants;
    const seen = load(words, WORD.REPAIR);
    if (this.#busy || (seen !== 0 && participants.isLive(seen))) return false;
    const mine = participants.tag(id);
    if (compareExchange(words, WORD.REPAIR, seen, mine) !== seen) return false;
    this.#busy = true;
    participants.announce(id, unit, unit + 1);
    try {
      // Again, as the unit may have been repaired and be in use since the first look.
      const begun = this.#unfinished(unit);
      if (begun !== 0 && participants.covering(unit, id) === undefined) {
        this.#redo(unit, begun & this.#unfinished(unit));
      }
    } finally {
      participants.retract(id);
      this.#busy = false;
      compareExchange(words, WORD.REPAIR, mine, 0);
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
    this.#signal();
    return true;
  }

  #signal(): void {
    // Pairs with the load in `waitFor`.
    add(this.#views.words, WORD.EVENT, 1);
    notify(this.#views.words, WORD.EVENT);
  }
}

/** Sleeps until the event word changes, at most a slice; where the thread may not sleep, returns at once. */
function pause(words: Int32Array, seen: number): void {
  try {
    wait(words as Int32Array<SharedArrayBuffer>, WORD.EVENT, seen, WAIT_SLICE_MS);
  } catch {
    // A page's main thread and plain memory cannot wait; the caller's loop is bounded by its deadline.
  }
}
