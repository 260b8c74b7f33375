/**
 * Private and shared: a unit that is accepted is private to the guest; it may be made shared with the host, and private
 * again, which accepts it anew.
 *
 * ```text
 *                 transit + shared          platform                transit
 * private        ──────▶  set   ──▶ page-state change ──▶  cleared  ──────▶   shared
 * table 0, shared 0                                                           table 0, shared 1
 *
 *                 transit                   platform                shared, then transit
 * shared         ──────▶  set   ──▶ page-state change ──▶  cleared  ──────▶   private
 *                                     and accept
 * ```
 * Table bits stay as they are: they go from 1 to 0 once, and only a unit whose bit is 0 is converted. So acceptance never
 * meets a shared unit: not a request, not its guard, not the helper, not the page allocator; and its protocol
 * (accept-protocol.ts) is untouched by this one. What the next stage gets is the table with shared units as unaccepted.
 *
 * **One converter a unit.** A thread announces its range, then looks at the announcements of the others, then at the bits.
 * Of two with a unit in common at least one sees the other, since each writes before it reads. Who sees another one
 * stands back with an error: of two who think that they hold a unit one is wrong, or both are.
 *
 * **Death.** An announcement ends with its thread. A unit in transit that no living thread announces was left half done:
 * it is known as neither. It may be made shared (again), and from there private: what was in it is lost anyway, and a
 * page that may have been accepted is never accepted again without having been shared between.
 *
 * Each order of steps has its reason: shared is set before the platform is called and cleared after, so a unit that is not
 * private for certain never reads as private; transit is cleared last, so an end in between leaves a unit in doubt and
 * not one that looks shared and is accepted already. The holder's blocks are marked after the bits are set and given back
 * after they are cleared, so whoever gives the last one back sees the bits of everybody else (see `UnitHolder`).
 *
 * Locks: none. Blocking: never; the platform call runs with nothing held.
 */
import { forEachWord } from './bitmap.js';
import type { Announcement, WordOps } from './announcements.js';

/** The words that conversion reads and changes, all by unit. */
export interface ConvertViews {
  /** 1 = unaccepted. */
  readonly bits: Int32Array;
  /** 1 = shared, or on the way there or back. */
  readonly shared: Int32Array;
  /** 1 = somebody is changing it, or died while doing so. */
  readonly transit: Int32Array;
}

/** Which way. */
export type ConvertTarget = 'shared' | 'private';

/** Whole units, and which way. */
export interface ConvertRange {
  readonly start: number;
  readonly end: number;
  readonly to: ConvertTarget;
}

/** What is in the way of a conversion: the unit, and what was expected or who is there. */
export type ConvertFault =
  | { readonly why: 'busy'; readonly by: Announcement }
  | { readonly why: 'state'; readonly unit: number; readonly found: ConvertState }
  | { readonly why: 'not-held'; readonly unit: number };

/** State of a unit as far as conversion cares. */
export type ConvertState = 'unaccepted' | 'private' | 'shared' | 'in-doubt';

/** What conversion asks of announcements: those of the package, or of a model. */
export interface ConvertRoster {
  /** Announces the range for the calling thread. */
  announce(start: number, end: number): void;
  /** Takes the announcement back. */
  retract(): void;
  /** Another living thread that converts some unit of the range. */
  other(start: number, end: number): Announcement | undefined;
}

/** Whose memory it is; in units. */
export interface ConvertHolder {
  /** Marks the blocks of the range as shared; the first unit that the caller does not hold, and then nothing is marked. */
  hold(start: number, end: number): number | undefined;
  /** Gives back what is marked for nothing. */
  settle(start: number, end: number): void;
}

/** The steps for one thread. */
export class ConvertProtocol {
  readonly #ops: WordOps;
  readonly #views: ConvertViews;

  /**
   * @param ops    operations of the machine, or of a model
   * @param views  the bitmaps
   */
  constructor(ops: WordOps, views: ConvertViews) {
    this.#ops = ops;
    this.#views = views;
  }

  /**
   * Converts units `[start, end)`, all or none. Units that are private and shall be private are left alone, but for the
   * holder's blocks that a thread which ended left marked.
   * @param range     whole units, and which way
   * @param roster    announcements, as the calling thread
   * @param holder    whose units they are
   * @param platform  the page-state change; what it throws leaves the units in doubt
   * @returns what is in the way, and then nothing changed; undefined when it is done
   */
  convert(
    range: ConvertRange,
    roster: ConvertRoster,
    holder: ConvertHolder,
    platform: () => void,
  ): ConvertFault | undefined {
    const { start, end } = range;
    roster.announce(start, end);
    try {
      // Pairs with the same two steps of the other thread: each announces before it looks.
      const by = roster.other(start, end);
      if (by !== undefined) return { why: 'busy', by };
      const states = this.#states(start, end);
      const fault = faultOf(range, states);
      if (fault !== undefined) return fault;
      const done = range.to === 'private' && states[0] === 'private';
      if (!done) this.#begin(range);
      const foreign = this.#hold(range, holder, done ? undefined : states);
      if (foreign !== undefined) return { why: 'not-held', unit: foreign };
      if (!done) {
        platform();
        if (range.to === 'private') this.#clear(this.#views.shared, start, end);
        this.#clear(this.#views.transit, start, end);
      }
      holder.settle(start, end);
      return undefined;
    } finally {
      roster.retract();
    }
  }

  /** State of a unit that nobody is changing. */
  state(unit: number): ConvertState {
    const { bits, shared, transit } = this.#views;
    if (this.#test(bits, unit)) return 'unaccepted';
    if (this.#test(transit, unit)) return 'in-doubt';
    return this.#test(shared, unit) ? 'shared' : 'private';
  }

  /** True when some unit of the range is shared, or on the way there or back. */
  any(start: number, end: number): boolean {
    const { shared, transit } = this.#views;
    for (let unit = start; unit < end; unit += 1) {
      if (this.#test(shared, unit) || this.#test(transit, unit)) return true;
    }
    return false;
  }

  #states(start: number, end: number): ConvertState[] {
    return Array.from({ length: end - start }, (_, i) => this.state(start + i));
  }

  #begin({ start, end, to }: ConvertRange): void {
    this.#set(this.#views.transit, start, end);
    if (to === 'shared') this.#set(this.#views.shared, start, end);
  }

  /** Asks the holder; where it refuses, or throws, the bits go back to what they were. */
  #hold(
    range: ConvertRange,
    holder: ConvertHolder,
    before: readonly ConvertState[] | undefined,
  ): number | undefined {
    const { start, end } = range;
    let foreign: number | undefined = start;
    try {
      foreign = holder.hold(start, end);
    } finally {
      if (foreign !== undefined) {
        if (before !== undefined) this.#undo(range, before);
        // Somebody else may have kept a block marked because of our bits.
        holder.settle(start, end);
      }
    }
    return foreign;
  }

  /** Takes the bits back that this thread has set; units that were in doubt before stay so. */
  #undo({ start, to }: ConvertRange, before: readonly ConvertState[]): void {
    const { shared, transit } = this.#views;
    before.forEach((state, i) => {
      if (state === 'in-doubt') return;
      if (to === 'shared') this.#clear(shared, start + i, start + i + 1);
      this.#clear(transit, start + i, start + i + 1);
    });
  }

  #test(words: Int32Array, unit: number): boolean {
    return ((this.#ops.load(words, Math.floor(unit / 32)) >>> (unit % 32)) & 1) === 1;
  }

  #set(words: Int32Array, start: number, end: number): void {
    forEachWord(start, end, (word, mask) => {
      this.#ops.or(words, word, mask);
      return false;
    });
  }

  #clear(words: Int32Array, start: number, end: number): void {
    forEachWord(start, end, (word, mask) => {
      this.#ops.and(words, word, ~mask);
      return false;
    });
  }
}

/** The first unit that is not in the state that this way begins with. */
function faultOf(range: ConvertRange, states: readonly ConvertState[]): ConvertFault | undefined {
  const { start, to } = range;
  // What is private already may stay so, all of it together.
  const wanted = to === 'shared' || states[0] === 'private' ? 'private' : 'shared';
  const at = states.findIndex(
    (state) => state !== wanted && !(to === 'shared' && state === 'in-doubt'),
  );
  return at < 0 ? undefined : { why: 'state', unit: start + at, found: states[at]! };
}
