/**
 * Shared memory of rings: made new, and that of rings that were closed, for rings to come.
 *
 * ```
 *   closed ── every thread has said that it looks at the ring no more, or has ended ──▶ free ──▶ the next of this shape
 * ```
 * A thread frees what it was told about only when its collector runs, and one that sleeps does not collect: a program
 * that makes a series a call would hold memory for thousands of them.
 */
import { clearTimeout, setTimeout } from '../base/host-time.js';
import type { Member } from '../threads/member.js';
import { noteMade } from '../protocol/arena-parts.js';
import { RING_NUMBER, ringByteLength, ringMemory } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { statsLength } from '../protocol/ring-stats.js';

/** Bytes that wait for a next ring at most; more goes to the collector. */
const MAX_BYTES = 16 << 20;
/** Whoever closes a ring while threads have so many bytes of others to let go of waits for them, */
const MAX_LEAVING = 4 << 20;
/** but no longer than this, in milliseconds: a thread that a function keeps does not answer. */
const LEAVE_MS = 10;

/** What a ring is made of. */
export interface RingBlock {
  readonly memory: RingMemory;
  readonly arenaBytes: number;
  readonly stats: Int32Array;
}

/** What a block is made for. */
interface BlockShape {
  readonly window: number;
  readonly arenaBytes: number;
  /** Worker threads that the pool may have. */
  readonly capacity: number;
  /** False = the calling thread alone will see it. */
  readonly shared: boolean;
}

interface Leaving {
  readonly block: RingBlock;
  readonly threads: Set<Member>;
}

/** A new block, all of its words 0 but for its identity. */
export function makeBlock({ window, arenaBytes, capacity, shared }: BlockShape): RingBlock {
  const bytes = (n: number): SharedArrayBuffer =>
    (shared ? new SharedArrayBuffer(n) : new ArrayBuffer(n)) as SharedArrayBuffer;
  const memory = ringMemory(bytes(ringByteLength(window, arenaBytes)), window, arenaBytes);
  noteMade(memory.buffer);
  identify(memory);
  return { memory, arenaBytes, stats: new Int32Array(bytes(statsLength(capacity) * 4)) };
}

/** The blocks of one pool. */
export class RingStore {
  /** Blocks of rings that some threads may still look at, by ring. */
  readonly #leaving = new Map<number, Leaving>();
  #leavingBytes = 0;
  readonly #waiters = new Set<() => void>();
  readonly #free: RingBlock[] = [];
  #bytes = 0;

  /** A block of this shape, as a new one; undefined = there is none. */
  take(window: number, arenaBytes: number): RingBlock | undefined {
    const at = this.#free.findLastIndex(
      (block) => block.memory.window === window && block.arenaBytes === arenaBytes,
    );
    if (at < 0) return undefined;
    const block = this.#free.splice(at, 1)[0]!;
    this.#bytes -= bytesOf(block);
    block.memory.words.fill(0);
    identify(block.memory);
    block.stats.fill(0);
    return block;
  }

  /** The ring is closed; these threads have been told to forget it. */
  put(ring: number, block: RingBlock, threads: Iterable<Member>): void {
    const left: Leaving = { block: firstPartOf(block), threads: new Set(threads) };
    if (left.threads.size === 0) this.#keep(left.block);
    else {
      this.#leaving.set(ring, left);
      this.#leavingBytes += bytesOf(block);
    }
  }

  /**
   * Resolves when few bytes have yet to be let go of, or after a moment: a program that makes rings faster than the
   * threads forget them would hold memory for all of them.
   */
  async room(): Promise<void> {
    if (this.#leavingBytes <= MAX_LEAVING) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, LEAVE_MS);
      this.#waiters.add(done);
    });
  }

  /** The thread looks at this ring no more. */
  onDropped(ring: number, member: Member): void {
    const left = this.#leaving.get(ring);
    if (left !== undefined) this.#forget(ring, left, member);
  }

  /** The thread has ended. */
  onEnd(member: Member): void {
    for (const [ring, left] of [...this.#leaving]) this.#forget(ring, left, member);
  }

  #forget(ring: number, { block, threads }: Leaving, member: Member): void {
    threads.delete(member);
    if (threads.size > 0) return;
    this.#leaving.delete(ring);
    this.#leavingBytes -= bytesOf(block);
    this.#keep(block);
    if (this.#leavingBytes <= MAX_LEAVING) for (const done of [...this.#waiters]) done();
  }

  #keep(block: RingBlock): void {
    if (this.#bytes + bytesOf(block) > MAX_BYTES) return;
    this.#free.push(block);
    this.#bytes += bytesOf(block);
  }
}

/** What its arena has grown by is not kept. */
function firstPartOf(block: RingBlock): RingBlock {
  const { window, buffer, arena } = block.memory;
  if (arena.added.length === 0) return block;
  return { ...block, memory: ringMemory(buffer, window, block.arenaBytes) };
}

function identify({ numbers }: RingMemory): void {
  numbers[RING_NUMBER.IDENTITY] = Math.random();
}

function bytesOf({ memory, stats }: RingBlock): number {
  return memory.buffer.byteLength + stats.byteLength;
}
