/**
 * What is known about a unit, read from the bitmaps and the announcements without changing anything.
 *
 * ```text
 * table bit 1    some cell begun, not done    announced by a living thread: accepting    else: interrupted
 *                otherwise                    unaccepted
 * table bit 0    transit                      announced by a living thread: converting   else: interrupted
 *                shared                       shared
 *                otherwise                    accepted (private)
 * ```
 * The order of the loads is the protocol's: bits that say "begun" before announcements, and the same bits again after
 * them, so that who finishes in between is not taken for dead (DESIGN.md, "orphan test").
 */
import { Work } from './announcements.js';
import type { Announcements } from './announcements.js';
import { anyBit, bitMask, testBit } from './bitmap.js';
import type { StateViews } from './layout.js';
import type { UnitState } from './types.js';

const { load } = Atomics;

/** Questions about units. No state of its own. */
export class UnitStates {
  readonly #views: StateViews;
  readonly #announcements: Announcements;

  /**
   * @param views          the shared words
   * @param announcements  who is at work where
   */
  constructor(views: StateViews, announcements: Announcements) {
    this.#views = views;
    this.#announcements = announcements;
  }

  /** What is known about `unit`. O(slots) while somebody is inside it, else O(1). */
  of(unit: number): UnitState {
    const { bits, shared, transit } = this.#views;
    const begun = this.unfinished(unit);
    if (begun !== 0) {
      if (this.#isAnnounced(Work.ACCEPT, unit)) return 'accepting';
      // Nobody announces it. Either it was finished and retracted meanwhile (then it is done now), or the owner is gone.
      if ((this.unfinished(unit) & begun) !== 0) return 'interrupted';
    }
    if (testBit(bits, unit)) return 'unaccepted';
    if (testBit(transit, unit)) {
      if (this.#isAnnounced(Work.CONVERT, unit)) return 'converting';
      if (testBit(transit, unit)) return 'interrupted';
    }
    return testBit(shared, unit) ? 'shared' : 'accepted';
  }

  /** Cells of `unit` that are claimed and not done, as bits of its word. */
  unfinished(unit: number): number {
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

  /** True when some cell of an unaccepted unit was begun, however that went on. */
  isBegun(unit: number): boolean {
    const { bits, claims, layout } = this.#views;
    const { cellsPerUnit } = layout;
    return testBit(bits, unit) && anyBit(claims, unit * cellsPerUnit, (unit + 1) * cellsPerUnit);
  }

  #isAnnounced(work: (typeof Work)[keyof typeof Work], unit: number): boolean {
    return this.#announcements.find(work, unit, unit + 1) !== undefined;
  }
}
