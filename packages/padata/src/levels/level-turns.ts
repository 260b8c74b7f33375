/**
 * Whose turn it is where the calling thread decides: of rings with priorities, by the steps of `levels/levels.ts`. Which
 * input a thread with nothing to do gets, and which job the calling thread runs itself.
 */
import { LOWEST_LEVEL, levels as protocol } from './levels.js';

/** Something of a level. */
interface Ranked {
  readonly level: number;
}

/** The choices of one owner. */
export class LevelTurns {
  readonly #control: Int32Array;
  /** Choices in each level so far: those of one level take turns. */
  readonly #chosen = new Array<number>(LOWEST_LEVEL + 1).fill(0);

  /** @param control the pool's words */
  constructor(control: Int32Array) {
    this.#control = control;
  }

  /** Of those that want to begin something, one; undefined = nobody does. O(items). */
  choose<T extends Ranked>(items: Iterable<T>, wants: (item: T) => boolean): T | undefined {
    const wanting: T[][] = this.#chosen.map(() => []);
    for (const item of items) if (wants(item)) wanting[item.level]!.push(item);
    const top = wanting.findIndex((level) => level.length > 0);
    if (top < 0) return undefined;
    for (let level = LOWEST_LEVEL; level > top; level -= 1) {
      if (wanting[level]!.length > 0 && protocol.pass(this.#control, level)) {
        return this.#next(level, wanting[level]!);
      }
    }
    return this.#next(top, wanting[top]!);
  }

  #next<T>(level: number, items: readonly T[]): T {
    const n = this.#chosen[level]!;
    this.#chosen[level] = n + 1;
    return items[n % items.length]!;
  }
}
