/**
 * Who is alive: one shared word per attached thread.
 *
 * JavaScript has no way to ask whether another thread still runs, so the party that can know says it:
 * the thread that started a worker calls `markDead(id)` when it sees the worker's `exit`. A lock whose
 * recorded owner is dead is then taken over by the next waiter.
 *
 *     word[id]: FREE -register-> ALIVE -unregister-> FREE
 *                                  '---markDead---> DEAD -release-> FREE
 *
 * Invariant: an id is not given out again before its dead owner's locks and caches were recovered
 * (`release`). Every word is used with Atomics only.
 */
import { MemmapError, memmapHandleError } from '../facts/errors.js';
import { checkHandle, type HandleFormat } from './check-handle.js';
import { allocateWords } from './words.js';

const MAGIC = 0x54524547;
const VERSION = 2;
const MAX_THREADS = 2;
const HEADER = 4;
const MOST = 32000;
const FREE = 0;
const ALIVE = 1;
const DEAD = 2;

/** What another thread needs to use the same registry. */
export interface ThreadRegistryHandle {
  readonly type: 'bootmem.thread-registry';
  /** 0 magic | 1 version | 2 most threads | 3 free | then one word for each id, from id 0, which is unused. */
  readonly words: Int32Array;
}

/** Format of {@link ThreadRegistryHandle}, for {@link checkHandle}; also for handles that have a registry inside. */
export const THREADS_FORMAT: HandleFormat = {
  type: 'bootmem.thread-registry',
  header: { field: 'words', as: 'words' },
  magic: MAGIC,
  version: VERSION,
  headerWords: HEADER,
  needs: (words) => {
    const most = words[MAX_THREADS]!;
    if (most < 1 || most > MOST) return `it is for ${most} threads`;
    return [{ field: 'words', as: 'words', bytes: 4 * (HEADER + most + 1) }];
  },
};

/** Registry of the threads that share an object; no mutable state outside the shared words. */
export class ThreadRegistry {
  readonly #words: Int32Array;

  private constructor(words: Int32Array) {
    this.#words = words;
  }

  /** New registry for up to `maxThreads` (1..32000) threads at a time. */
  static create(maxThreads: number): ThreadRegistry {
    if (!Number.isInteger(maxThreads) || maxThreads < 1 || maxThreads > MOST) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', `maxThreads is 1..32000, got ${maxThreads}`, {
        maxThreads,
      });
    }
    const words = allocateWords(HEADER + maxThreads + 1);
    words[1] = VERSION;
    words[MAX_THREADS] = maxThreads;
    words[0] = MAGIC;
    return new ThreadRegistry(words);
  }

  /** The registry of another thread. @throws ERR_MEMMAP_HANDLE for what is no whole handle of this version */
  static attach(handle: ThreadRegistryHandle): ThreadRegistry {
    checkHandle(handle, THREADS_FORMAT, memmapHandleError);
    return new ThreadRegistry(handle.words);
  }

  /** For `postMessage` and `attach`. */
  toHandle(): ThreadRegistryHandle {
    return { type: 'bootmem.thread-registry', words: this.#words };
  }

  /** Largest id that can be given out. */
  get maxThreads(): number {
    return this.#words[MAX_THREADS]!;
  }

  /**
   * Takes an id, 1 .. maxThreads, for the calling thread.
   * @throws ERR_THREADS_FULL when all ids are taken, or held by dead threads not released yet
   */
  register(): number {
    const max = this.maxThreads;
    for (let id = 1; id <= max; id++) {
      if (Atomics.compareExchange(this.#words, HEADER + id, FREE, ALIVE) === FREE) return id;
    }
    throw new MemmapError('ERR_THREADS_FULL', `all ${max} thread ids are taken`, { max });
  }

  /** Gives an id back; the thread must hold no lock and no cache. */
  unregister(id: number): void {
    Atomics.compareExchange(this.#words, HEADER + this.#check(id), ALIVE, FREE);
  }

  /** Says that the thread has ended without unregistering. Returns false if it was not alive. */
  markDead(id: number): boolean {
    return Atomics.compareExchange(this.#words, HEADER + this.#check(id), ALIVE, DEAD) === ALIVE;
  }

  /** Makes the id of a dead thread available again, after its locks and caches were recovered. */
  release(id: number): void {
    Atomics.compareExchange(this.#words, HEADER + this.#check(id), DEAD, FREE);
  }

  /** True while the thread is registered and not marked dead. */
  isAlive(id: number): boolean {
    return Atomics.load(this.#words, HEADER + this.#check(id)) === ALIVE;
  }

  /** True once the thread was marked dead and until its id is released. */
  isDead(id: number): boolean {
    return Atomics.load(this.#words, HEADER + this.#check(id)) === DEAD;
  }

  #check(id: number): number {
    if (!Number.isInteger(id) || id < 1 || id > this.maxThreads) {
      throw new MemmapError(
        'ERR_MEMMAP_ARGUMENT',
        `thread id is 1..${this.maxThreads}, got ${id}`,
        {
          id,
        },
      );
    }
    return id;
  }
}
