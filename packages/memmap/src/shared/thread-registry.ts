/**
 * Who is alive: a few shared words per thread id.
 *
 *     reserve ─▶ register ─▶ alive ─▶ unregister            states and generations: thread-protocol.ts
 *                              └────▶ dead ─▶ release
 *
 * A thread is dead when somebody who knows says so, never because it has been silent for long: a thread that is
 * stopped or collects garbage renews nothing and keeps what it holds. Two know it: the thread that started a worker
 * and handles its `exit` (`markDead`), and on Linux everybody (`findEnded`, thread-proof.ts): each thread writes
 * its name in the operating system beside its id when it registers.
 *
 * Invariant: an id is not given out again before its dead owner's locks and caches were recovered (`release`).
 * Every word is used with Atomics only.
 */
import { MemmapError, memmapHandleError } from '../facts/errors.js';
import { checkHandle, type HandleFormat } from './check-handle.js';
import {
  HEADER,
  idOfTag,
  Life,
  makeThreadProtocol,
  ThreadWord,
  wordOf,
} from './thread-protocol.js';
import { waitSlice } from './slice.js';
import { isGone, isRunning, ownName, type ThreadName } from './thread-proof.js';
import { allocateWords } from './words.js';

const MAGIC = 0x54524547;
const VERSION = 3;
const MAX_THREADS = 2;
const MOST = 32000;
const TWO_32 = 2 ** 32;
/** A thread that was told to end has mostly done so after one. */
const END_SLICE_MS = 2;

const protocol = makeThreadProtocol(Atomics);
const { load, store } = Atomics;

/** What another thread needs to use the same registry. */
export interface ThreadRegistryHandle {
  readonly type: 'bootmem.thread-registry';
  /** 0 magic | 1 version | 2 most threads | 3 free | then four words for each id, from id 0, which is unused. */
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
    return [{ field: 'words', as: 'words', bytes: 4 * wordOf(most + 1) }];
  },
};

/** Registry of the threads that share an object. */
export class ThreadRegistry {
  readonly #words: Int32Array;
  /** Tags of the ids that were registered through this object: giving one back must not hit its next owner. */
  readonly #own = new Map<number, number>();

  private constructor(words: Int32Array) {
    this.#words = words;
  }

  /** New registry for up to `maxThreads` (1..32000) threads at a time. 16 bytes a thread. */
  static create(maxThreads: number): ThreadRegistry {
    if (!Number.isInteger(maxThreads) || maxThreads < 1 || maxThreads > MOST) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', `maxThreads is 1..32000, got ${maxThreads}`, {
        maxThreads,
      });
    }
    const words = allocateWords(wordOf(maxThreads + 1));
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
   * Takes an id, 1 .. maxThreads, for a thread that is yet to start: whatever happens to it, even before it says a
   * word, its owner knows which id to mark dead. The id stays taken until {@link release}, also when the thread
   * unregisters itself. O(ids).
   * @throws ERR_THREADS_FULL when all ids are taken, or held by dead threads not released yet
   */
  reserve(): number {
    return this.#take(true);
  }

  /**
   * Makes an id the calling thread's: the one reserved for it, or any. Where all are taken, on Linux also one that nobody
   * has reserved and whose thread has ended: then {@link wasAdopted}.
   * @throws ERR_THREADS_FULL as {@link reserve}; ERR_THREADS_RESERVED when `id` is not reserved, or somebody came first
   * @remarks on Linux reads two files of /proc, once a thread
   */
  register(id = this.#takeAny()): number {
    const name = ownName();
    const at = wordOf(this.#check(id));
    const joined = protocol.join(this.#words, id);
    if (joined) {
      store(this.#words, at + ThreadWord.TID, name?.tid ?? 0);
      store(this.#words, at + ThreadWord.START_LOW, (name?.start ?? 0) | 0);
      store(this.#words, at + ThreadWord.START_HIGH, Math.floor((name?.start ?? 0) / TWO_32));
    }
    const tag = joined ? protocol.joined(this.#words, id) : 0;
    if (tag === 0) {
      throw new MemmapError('ERR_THREADS_RESERVED', `thread id ${id} is not reserved`, { id });
    }
    this.#own.set(id, tag);
    return id;
  }

  /** True when the id was that of a thread which has ended, and whoever has it now took it over: see {@link register}. */
  wasAdopted(id: number): boolean {
    return protocol.isAdopted(this.#words, this.#check(id));
  }

  /** Gives an id back; the thread must hold no lock and no cache. Nothing when the id is another thread's by now. */
  unregister(id: number): void {
    const tag = this.#own.get(this.#check(id)) ?? protocol.tag(this.#words, id);
    this.#own.delete(id);
    protocol.leave(this.#words, id, tag);
  }

  /**
   * Says that the thread has ended without unregistering. Returns false if nobody has the id, or it is dead; or when its
   * thread has adopted it and lives: then the one before is meant.
   */
  markDead(id: number): boolean {
    return protocol.markDead(this.#words, this.#check(id), (tag) => this.#isGone(tag));
  }

  /**
   * Waits until the thread of an id has ended, where the operating system knows: on Linux. To be asked before
   * {@link markDead} of a worker that was told to end and may not have done so.
   * @param ms  at most so long
   * @returns false when it still runs; true when it has ended, and where that is not known
   * @remarks 10 µs when it has ended
   */
  awaitEnd(id: number, ms: number): boolean {
    const at = wordOf(this.#check(id)) + ThreadWord.STATE;
    for (let waited = 0; ; waited += END_SLICE_MS) {
      const seen = load(this.#words, at);
      if (protocol.life(this.#words, id) !== Life.ALIVE || !isRunning(this.#nameOf(id)))
        return true;
      if (waited >= ms) return false;
      waitSlice(this.#words, at, seen, END_SLICE_MS);
    }
  }

  /**
   * Makes the id of a dead thread available again, after its locks and caches were recovered.
   * @param keep  reserves it at once for the thread that replaces the dead one
   */
  release(id: number, keep = false): void {
    protocol.release(this.#words, this.#check(id), keep);
  }

  /** True while the thread is registered and not marked dead. */
  isAlive(id: number): boolean {
    return protocol.life(this.#words, this.#check(id)) === Life.ALIVE;
  }

  /** True once the thread was marked dead, or left an id that was reserved for it, and until the id is released. */
  isDead(id: number): boolean {
    return protocol.life(this.#words, this.#check(id)) === Life.DEAD;
  }

  /** Ids that are taken: reserved, registered, or of dead threads that were not released. Ascending. O(ids). */
  ids(): number[] {
    const ids: number[] = [];
    for (let id = 1; id <= this.maxThreads; id++) {
      if (protocol.life(this.#words, id) !== Life.FREE) ids.push(id);
    }
    return ids;
  }

  /**
   * Marks those registered threads dead of which the operating system knows that they have ended: on Linux.
   * @param ids  whom to look for; default all
   * @returns those marked by this call
   * @remarks 10 µs a registered thread
   */
  findEnded(ids: readonly number[] = this.ids()): number[] {
    return ids.filter((id) => {
      const tag = protocol.tag(this.#words, this.#check(id));
      return tag !== 0 && this.proveEnded(tag);
    });
  }

  /** What a lock that the thread holds is marked with: id and generation. @throws ERR_MEMMAP_ARGUMENT unless alive */
  tagOf(id: number): number {
    const tag = this.#own.get(this.#check(id)) ?? protocol.tag(this.#words, id);
    if (tag !== 0) return tag;
    throw new MemmapError('ERR_MEMMAP_ARGUMENT', `thread ${id} is not registered`, { id });
  }

  /** True when the thread that had this tag left or was marked dead; for good. One load. */
  hasEnded(tag: number): boolean {
    return this.#names(tag) && protocol.hasEnded(this.#words, tag);
  }

  /** As {@link findEnded}, for one tag. True when it has ended, by whomever that was said. */
  proveEnded(tag: number): boolean {
    const words = this.#words;
    if (!this.#names(tag)) return false;
    if (protocol.hasEnded(words, tag)) return true;
    if (!this.#isGone(tag)) return false;
    // The name may be that of the id's next owner: then the generation differs, and the tag's thread has ended too.
    protocol.markEnded(words, tag);
    return protocol.hasEnded(words, tag);
  }

  /** Whether the operating system knows that the thread which wrote its name beside the id has ended. */
  #isGone(tag: number): boolean {
    const name = this.#nameOf(idOfTag(tag));
    return name.tid !== 0 && isGone(name);
  }

  /** What the thread of an id is for the operating system; tid 0 where that is not known. */
  #nameOf(id: number): ThreadName {
    const words = this.#words;
    const at = wordOf(id);
    const low = load(words, at + ThreadWord.START_LOW) >>> 0;
    const start = low + load(words, at + ThreadWord.START_HIGH) * TWO_32;
    return { tid: load(words, at + ThreadWord.TID), start };
  }

  #takeAny(): number {
    try {
      return this.#take(false);
    } catch (error) {
      this.findEnded();
      for (let id = 1; id <= this.maxThreads; id++) {
        if (protocol.adopt(this.#words, id)) return id;
      }
      throw error;
    }
  }

  /** False for what no thread of this registry had: nothing is known of that. */
  #names(tag: number): boolean {
    const id = idOfTag(tag);
    return id >= 1 && id <= this.maxThreads;
  }

  #take(keep: boolean): number {
    const max = this.maxThreads;
    for (let id = 1; id <= max; id++) if (protocol.reserve(this.#words, id, keep)) return id;
    throw new MemmapError('ERR_THREADS_FULL', `all ${max} thread ids are taken`, { max });
  }

  #check(id: number): number {
    if (Number.isInteger(id) && id >= 1 && id <= this.maxThreads) return id;
    throw new MemmapError('ERR_MEMMAP_ARGUMENT', `thread id is 1..${this.maxThreads}, got ${id}`, {
      id,
    });
  }
}
