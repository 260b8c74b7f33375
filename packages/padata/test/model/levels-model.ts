/**
 * The turns of levels of priority as a model: threads that have jobs of two levels at hand all the time, and begin one after
 * another. Of the starts, in the order in which they are decided, no more than 15 in a row are of the higher level.
 */
import type { AtomicOps, Model, ModelThread } from '@bootmem/padata/testing';
import { makeLevelsProtocol } from '../../dist/levels/levels.js';
import type { LevelsProtocol } from '../../dist/levels/levels.js';

const LOWEST = 2;
const MOST_IN_A_ROW = 15;
const WORDS = 64;
/** Not a word of the real control block: a thread has died. */
const DEATH = 60;

/** Makes the protocol, or a broken variant. */
export type MakeLevels = (ops: AtomicOps) => LevelsProtocol;

/** What is explored. */
export interface LevelsConfig {
  readonly workers: number;
  /** Jobs that each thread begins. */
  readonly starts: number;
  /** The last thread may die at any step. */
  readonly mortal?: boolean;
  readonly make?: MakeLevels;
}

/** The model of a configuration. */
export function levelsModel(config: LevelsConfig): Model {
  const { workers, starts, mortal = false } = config;
  const worker = workerThread(config);
  const threads = Array.from({ length: workers }, () => worker);
  // One that may die is not the same as the others.
  if (mortal) threads[workers - 1] = workerThread(config);
  return {
    words: WORDS,
    threads,
    mortal: mortal ? { thread: workers - 1, word: DEATH, told: 0 } : undefined,
    summary: (history) => rows(history).join(),
    check(words, history) {
      const [longest, current] = rows(history);
      if (longest > MOST_IN_A_ROW) return `${longest} in a row: ${history.join(' ')}`;
      const low = history.filter((h) => h === 'low').length;
      if (words[DEATH] === 0 && history.length !== workers * starts)
        return `${history.length} starts`;
      if (low * (MOST_IN_A_ROW + 1) + current !== history.length) return `${low} low ones`;
      return undefined;
    },
  };
}

/** Most starts of the higher level in a row so far, and how many there were since the last of the lower one. */
function rows(history: readonly string[]): [longest: number, current: number] {
  let longest = 0;
  let current = 0;
  for (const start of history) {
    current = start === 'low' ? 0 : current + 1;
    longest = Math.max(longest, current);
  }
  return [longest, current];
}

function workerThread({ starts, make = makeLevelsProtocol }: LevelsConfig): ModelThread {
  return ({ ops, area, note, mark, resumed = 0 }) => {
    let begun = resumed;
    // Who finds the count changed begins anew, and knows nothing of what it has seen.
    const forgetful: AtomicOps = {
      ...ops,
      compareExchange(words, at, expected, value) {
        const found = ops.compareExchange(words, at, expected, value);
        if (found !== expected) mark(begun);
        return found;
      },
    };
    const p = make(forgetful);
    const control = area(0);
    while (begun < starts) {
      note(p.pass(control, LOWEST) ? 'low' : 'high');
      begun += 1;
      mark(begun);
    }
  };
}
