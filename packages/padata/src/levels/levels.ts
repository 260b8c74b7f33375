/**
 * Levels of priority: whose job a thread begins where rings of different priority have some.
 *
 * ```
 *   high    ███████████████ ███████████████ ██ …      a thread begins a job of the highest level that has one for it,
 *   low                    █               █          except that each 16th start is the lowest's, if something waits there
 * ```
 * PASSED of a level counts the starts that went to jobs of higher ones while a thread could have begun one of this level
 * instead. It belongs to the pool and not to a thread, so what one has passed over another makes good, and nothing is
 * forgotten with a thread that ends. Where all rings have one priority nothing of this is read or written.
 *
 * Invariants:
 *  V1 each step that finds PASSED full takes the turn and empties it: one turn, one thread;
 *  V2 between two turns of a level no more than `PASSES` of it go to higher ones; a thread that dies between its turn and
 *     its job costs that turn, and no more.
 */
import { machineOps } from '../protocol/atomic-ops.js';
import type { AtomicOps, Words } from '../protocol/atomic-ops.js';
import { HEAD } from '../protocol/control-layout.js';

/** Names of the levels, the one that goes first at the beginning. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];
/** Number of a level: 0 goes first. */
export function levelOf(priority: Priority | undefined): number {
  return PRIORITIES.indexOf(priority ?? 'normal');
}
export const LOWEST_LEVEL = PRIORITIES.length - 1;

/**
 * Starts that may pass a level, then it has its turn: each has one of 16 at least. The lowest goes first where two have theirs, so
 * of 16 starts one more may pass the level above it.
 */
const PASSES = [0, 14, 15] as const;

/** Steps of the protocol. `control` are the pool's words. */
export interface LevelsProtocol {
  /**
   * Whoever is about to begin a job of a higher level while one of `level` waits for it too.
   * @returns true = it is this level's turn, the caller begins one of it instead
   */
  pass(control: Words, level: number): boolean;
}

/** The protocol over given operations. */
export function makeLevelsProtocol(ops: AtomicOps): LevelsProtocol {
  return {
    pass(control, level) {
      const at = HEAD.PASSED + level;
      for (;;) {
        const passed = ops.load(control, at);
        const isTurn = passed >= PASSES[level]!;
        // One step to look and to count: of those that find it full, one takes the turn.
        const next = isTurn ? 0 : passed + 1;
        if (ops.compareExchange(control, at, passed, next) === passed) return isTurn;
      }
    },
  };
}

/** Bound to the machine's atomics: what production runs. */
export const levels = makeLevelsProtocol(machineOps);
