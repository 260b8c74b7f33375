/**
 * The job that a thread has taken and cannot run yet: its bytes lie in a part of the arena that the thread was told of and has
 * not heard (DESIGN, "Bytes of a part"). Where messages come through the event loop alone the job stays this thread's until the
 * part comes, and meanwhile the thread takes no other of the ring. One at a time.
 */
import type { ArenaParts } from '../protocol/arena-parts.js';
import { SLOT } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';

/** What it needs of its thread. */
interface AsideHost {
  /** Takes in waiting messages, where that is possible without the event loop. */
  takeMail(): void;
  beginAsync(): void;
}

/** Of one ring on one thread. */
export class SetAside {
  readonly #words: Int32Array;
  readonly #arena: ArenaParts;
  readonly #host: AsideHost;
  /** First word of its slot; 0 = there is none. */
  #aside = 0;

  constructor({ words, arena }: RingMemory, host: AsideHost) {
    this.#words = words;
    this.#arena = arena;
    this.#host = host;
  }

  /** There is one: it counts as work of this thread. */
  get isThere(): boolean {
    return this.#aside !== 0;
  }

  /** Are the bytes of the job in this slot, which is this thread's, at hand? false = it is set aside. */
  hasBytes(base: number): boolean {
    return this.#words[base + SLOT.FIRST]! < this.#arena.end || this.#learnsPart(base);
  }

  #learnsPart(base: number): boolean {
    this.#host.takeMail();
    if (this.#words[base + SLOT.FIRST]! < this.#arena.end) return true;
    // The mail comes through the event loop here.
    this.#aside = base;
    this.#host.beginAsync();
    return false;
  }

  /**
   * The arena has one more part.
   * @returns first word of the slot that was set aside, which can be run now and counts as work until its runner says
   *          `endAsync`; undefined = there is none, or it lies in a part that comes yet
   */
  takeBack(): number | undefined {
    const base = this.#aside;
    if (base === 0 || this.#words[base + SLOT.FIRST]! >= this.#arena.end) return undefined;
    this.#aside = 0;
    return base;
  }
}
