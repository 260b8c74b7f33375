/** Ends of threads: who waits for one, and for all when a pool closes. */
import { clearTimeout, setTimeout } from '../base/host-time.js';
import { later } from '../threads/timers.js';
import { ENDING_LOOK_MS, EndingThreads, STILL_MS } from '../threads/ending-threads.js';
import type { Member } from '../threads/member.js';

interface ClosingCrew {
  readonly words: Int32Array;
  living(): Member[];
  /** Does it tear down, and has time left for that? */
  isTearingDown(member: Member): boolean;
}

/** Those of one pool. */
export class ThreadEnds {
  readonly #waiters = new Map<Member, (() => void)[]>();

  /** Resolves when the thread has ended. */
  of(member: Member): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.set(member, [...(this.#waiters.get(member) ?? []), resolve]);
    });
  }

  /** It has. */
  ended(member: Member): void {
    for (const resolve of this.#waiters.get(member) ?? []) resolve();
    this.#waiters.delete(member);
  }

  /**
   * Resolves when all have ended, which they were told to. Those that a function keeps beyond `graceMs`, at least a second, are
   * terminated. One that waits for what it printed to be taken, or for its imports to end, is let alone for as long as that goes on.
   */
  async ofAll(crew: ClosingCrew, graceMs: number): Promise<void> {
    const left = crew.living().map((member) => this.of(member));
    if (left.length === 0) return;
    const all = Promise.all(left);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs - STILL_MS);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
    const ending = new EndingThreads(crew.words);
    for (;;) {
      const late = crew.living();
      const waits = late.filter(
        (member) => ending.goesOn(member.id, !member.isThere) || crew.isTearingDown(member),
      );
      for (const member of late) if (!waits.includes(member)) void member.platform.terminate();
      if (waits.length === 0) break;
      await Promise.race([all, later(ENDING_LOOK_MS)]);
    }
    await all;
  }
}
