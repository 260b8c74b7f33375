/**
 * Which thread of the allocator each worker of the pool is: the pool says which worker has ended, locks and
 * claims name the allocator's threads.
 *
 * ```
 * word[worker]: 0 ── enter (that worker, once it is attached) ──▶ thread ── leave (the owner, after its exit) ──▶ 0
 * ```
 * A word is written by its worker while it lives and by the pool's owner afterwards; Atomics only.
 */
import { allocateBuffer } from '@bootmem/memmap/shared';

/** Ids of workers are smaller. */
const WORKERS = 1024;

/** A view of the table; no state of its own. */
export class ThreadTable {
  readonly #words: Int32Array;

  /** @param buffer from {@link ThreadTable.allocate} */
  constructor(buffer: ArrayBufferLike) {
    this.#words = new Int32Array(buffer);
  }

  /** Memory for a table. */
  static allocate(): ArrayBufferLike {
    return allocateBuffer(WORKERS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Says that the calling worker is this thread of the allocator. */
  enter(worker: number, thread: number): void {
    Atomics.store(this.#words, worker, thread);
  }

  /** The thread that a worker was, which is nobody's from now on; undefined when it never attached. */
  leave(worker: number): number | undefined {
    const thread = Atomics.exchange(this.#words, worker, 0);
    return thread === 0 ? undefined : thread;
  }
}
