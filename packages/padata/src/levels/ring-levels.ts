/**
 * Which ring a thread begins a job of where they have different priorities: by the steps of `levels/levels.ts`, one job a
 * time, so that one that comes meanwhile is seen before the next. Rings of one level take turns.
 *
 * An input that travels by message is with its owner until a thread has nothing to do, so that what is in a thread's mail is
 * next there: at the turn of a ring that has only such, the thread has nothing to do for a moment.
 */
import { LOWEST_LEVEL, levels as protocol } from './levels.js';
import type { SlotRunner } from '../slot/slot-runner.js';

/** No level. */
const NONE = LOWEST_LEVEL + 1;
/**
 * A thread that has passed a level so often without any other's turn in between takes one: the turns of a level may all go to
 * threads that may run one ring of it, and not another.
 */
const PASSES_HERE = 60;

/** What waits in a level for this thread: nothing, inputs with the owner, jobs in slots. */
const Want = { NONE: 0, HELD: 1, SLOT: 2 } as const;
type Want = (typeof Want)[keyof typeof Want];

/** The rings of one level. */
interface Level {
  readonly rings: SlotRunner[];
  /** Where the next look begins. */
  next: number;
  /** Starts of this thread that have passed it. */
  passed: number;
}

/** What it needs of its thread. */
interface LevelsHost {
  /** The pool's control words. */
  readonly control: Int32Array;
  /** Has nothing to do for a moment; true = a message came. */
  pause(): boolean;
}

/** Rings of several priorities, on one thread. */
export class RingLevels {
  readonly #levels: readonly Level[];
  readonly #host: LevelsHost;

  constructor(rings: Iterable<SlotRunner>, host: LevelsHost) {
    this.#host = host;
    this.#levels = Array.from({ length: NONE }, () => ({ rings: [], next: 0, passed: 0 }));
    for (const ring of rings) this.#levels[ring.level]!.rings.push(ring);
  }

  /** Could this thread begin something right now? What it leaves to others keeps it from what is below. */
  get canWork(): boolean {
    for (const { rings } of this.#levels) {
      let isLeft = false;
      for (const ring of rings) {
        if (ring.canWork) return true;
        isLeft ||= ring.isWanted;
      }
      if (isLeft) return false;
    }
    return false;
  }

  /** Runs one job, or waits a moment for the input of one; true = something was done. */
  begin(): boolean {
    for (const { rings } of this.#levels) if (rings.some(passOver)) return true;
    let top = 0;
    let wanted: Want = Want.NONE;
    while (top < NONE && (wanted = this.#wanted(top)) === Want.NONE) top += 1;
    for (let level = LOWEST_LEVEL; level > top; level -= 1) {
      const here = this.#wanted(level);
      // Of inputs that wait with the owner, that one chooses, and counts.
      if (here === Want.NONE || (here === Want.HELD && wanted === Want.HELD)) continue;
      if (this.#isTurnOf(level) && this.#beginOf(level)) return true;
    }
    for (let level = top; level < NONE; level += 1) {
      if (this.#beginOf(level)) return true;
      // Left to a thread that has nothing to do, which is to come: nothing lower begins before it.
      if (this.#levels[level]!.rings.some((ring) => ring.isPatient)) return false;
    }
    return false;
  }

  #wanted(level: number): Want {
    let want: Want = Want.NONE;
    for (const ring of this.#levels[level]!.rings) {
      if (ring.isWanted) return Want.SLOT;
      if (ring.wantsFree) want = Want.HELD;
    }
    return want;
  }

  #isTurnOf(level: number): boolean {
    const here = this.#levels[level]!;
    here.passed += 1;
    return protocol.pass(this.#host.control, level) || here.passed > PASSES_HERE;
  }

  /** One job of this level, of its rings in turn. */
  #beginOf(level: number): boolean {
    const here = this.#levels[level]!;
    const { rings } = here;
    for (let i = 0; i < rings.length; i += 1) {
      const at = (here.next + i) % rings.length;
      const ring = rings[at]!;
      if (!runOne(ring) && !(ring.wantsFree && this.#host.pause())) continue;
      here.next = at + 1;
      here.passed = 0;
      return true;
    }
    return false;
  }
}

/**
 * Passes over places whose jobs go by message or have begun: they are nobody's turn. True = one of them was offered at this very
 * moment, and was run.
 */
function passOver(ring: SlotRunner): boolean {
  while (ring.isWanted && !ring.isDue && ring.scan(1)) if (ring.taken > 0) return true;
  return false;
}

/** Runs a job, or makes one this thread's own that it may not run yet; false = there was none. */
function runOne(ring: SlotRunner): boolean {
  while (ring.scan(1)) if (ring.taken > 0) return true;
  return false;
}
