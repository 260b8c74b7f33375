/**
 * The work on one parked block: off the zone's list, accepted with nothing held, onto the free lists exactly once,
 * whoever helped and whoever died meanwhile.
 *
 * ```text
 * list ── name, take ──▶ in flight ── accept (any thread, several at once) ── free (once) ──▶ finish (one winner), settle
 * ```
 * A thread may die between any two of these: the block is on a list or named. Named and on a list it is parked still, or
 * freed already; the allocator knows, and completing it then frees nothing.
 *
 * Locks: none held here; the port takes the zone lock for list work.
 */
import type { AcceptBackend } from '../backends/backend.js';
import type { Counters } from '../base/counters.js';
import { AcceptError } from '../base/errors.js';
import type { InFlight, InFlightBlock } from './in-flight.js';
import type { RecoveredBlock, ZoneAcceptCounter, ZoneAcceptorAttach } from './types.js';

/** What the work shares with the policy above it. */
export interface BlockWorkParts {
  /** Blocks in flight, of all threads. */
  readonly inFlight: InFlight;
  /** Counters of all threads. */
  readonly counters: Counters<ZoneAcceptCounter>;
  /** Order of a parked block. */
  readonly maxOrder: number;
  /** Bytes of a page. */
  readonly pageSize: number;
}

/** True when no later attempt can accept the block. */
function isFinal(error: unknown, repeatable: AcceptBackend['repeatable']): boolean {
  if (!(error instanceof AcceptError)) return false;
  return (
    error.code === 'ERR_ACCEPT_INTERRUPTED' ||
    (error.code === 'ERR_ACCEPT_FAILED' && repeatable === 'never')
  );
}

/** Takes, accepts and frees blocks for one thread. */
export class BlockWork {
  readonly #thread: ZoneAcceptorAttach;
  readonly #parts: BlockWorkParts;
  readonly #pages: number;
  readonly #bytes: number;
  #closed = false;

  /**
   * @param thread  this thread's accept state and allocator
   * @param parts   what all threads share, and the size of a block
   */
  constructor(thread: ZoneAcceptorAttach, parts: BlockWorkParts) {
    this.#thread = thread;
    this.#parts = parts;
    this.#pages = 2 ** parts.maxOrder;
    this.#bytes = this.#pages * parts.pageSize;
  }

  /** No block is taken from here on. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Takes the block at the head of a zone's list into flight; undefined when nothing is parked.
   * @throws ERR_ACCEPT_CLOSED, and as {@link BlockWork.complete} for a block that a dead thread left in this slot
   */
  take(zone: number): InFlightBlock | undefined {
    const slot = this.#slot();
    // A former owner of the slot died and nobody recovered its block yet: that comes first.
    this.#completeLeft(slot);
    const name = this.#namer(slot, zone);
    const pfn = this.#thread.port.takeUnaccepted(zone, name.call);
    if (pfn === undefined) return undefined;
    if (!name.called()) name.call(pfn);
    return { slot, zone, block: pfn / this.#pages };
  }

  /** Accepts and frees the block at the head of a zone's list; false when nothing is parked. @throws as `take`, `complete` */
  acceptOne(zone: number): boolean {
    const left = this.#completeLeft(this.#slot());
    const entry = this.take(zone);
    // What was left is memory too.
    if (entry === undefined) return left;
    this.complete(entry);
    return true;
  }

  /** Accepts and frees the block that holds `pfn`, parked or in flight; false when it is neither. @throws as `take` */
  acceptAt(pfn: number): boolean {
    const { inFlight } = this.#parts;
    const block = Math.floor(pfn / this.#pages);
    const slot = this.#slot();
    // The zone is not known here and only serves helpers; zone 0 is nobody's.
    this.#completeLeft(slot);
    const name = this.#namer(slot, 0);
    if (this.#thread.port.takeUnacceptedAt(block * this.#pages, name.call)) {
      if (!name.called()) name.call(block * this.#pages);
      this.complete({ slot, zone: 0, block });
      return true;
    }
    const entry = inFlight.find((other) => other.block === block);
    if (entry === undefined) return false;
    this.complete(entry);
    return true;
  }

  /**
   * Accepts a block in flight and frees it, unless another thread has done so meanwhile.
   * @throws as `acceptMemory`; the block is withheld for good where its content cannot be known any more, and else in flight
   *   still: this thread's next request, or anybody's, tries again
   */
  complete(entry: InFlightBlock): void {
    const { inFlight, counters, maxOrder } = this.#parts;
    try {
      this.#thread.memory.acceptMemory(entry.block * this.#bytes, this.#bytes);
    } catch (error) {
      // Its content is not known, and nobody may find out: it must reach no free list. After any other error it stays in
      // flight, for whoever comes next.
      if (isFinal(error, this.#thread.memory.backend.repeatable) && inFlight.has(entry)) {
        this.#thread.port.withdraw?.(entry.block * this.#pages, maxOrder);
        if (inFlight.finish(entry)) {
          inFlight.settle(entry.zone, this.#pages);
          counters.add({ withheld: 1 });
        }
      }
      throw error;
    }
    // Nobody names it any more: it is where it belongs, or withheld.
    if (!inFlight.has(entry)) return;
    // Freed first: who dies before the next line leaves a name, and completing that once more frees nothing.
    if (this.#thread.port.freeAccepted(entry.block * this.#pages, maxOrder)) {
      counters.add({ acceptedBlocks: 1 });
    }
    if (inFlight.finish(entry)) inFlight.settle(entry.zone, this.#pages);
  }

  /**
   * Takes the head of a zone's list and prepares it in small steps, so that others can step in at any time.
   * @param zone       whose list
   * @param stepBytes  bytes between two calls of `between`
   * @param between    called after each step; may sleep; false stops stepping and finishes the block at once
   * @returns bytes this thread prepared, or undefined when nothing is parked
   */
  acceptInSteps(
    zone: number,
    stepBytes: number,
    between: (bytes: number) => boolean,
  ): number | undefined {
    const entry = this.take(zone);
    if (entry === undefined) return undefined;
    const { memory } = this.#thread;
    let total = 0;
    try {
      for (;;) {
        const step = memory.advance(entry.block * this.#bytes, this.#bytes, stepBytes);
        total += step;
        if (step === 0 || !between(step)) break;
      }
    } catch (error) {
      try {
        this.complete(entry);
      } catch {
        // The block is withheld now; the first error says why.
      }
      throw error;
    }
    this.complete(entry);
    return total;
  }

  /** Does a share of the block that another thread has in flight; false when there is none. */
  help(zone: number): boolean {
    const { inFlight, counters } = this.#parts;
    if (inFlight.pages(zone) === 0) return false;
    const entry = inFlight.find((other) => other.zone === zone);
    // About to be named, or freed and not yet settled: the next look at the free lists finds it.
    if (entry === undefined) return inFlight.awaitSettled(zone);
    counters.add({ helped: 1 });
    this.complete(entry);
    return true;
  }

  /**
   * Finishes what a dead thread had in flight; see `ZoneAcceptor.reclaim`.
   * @throws as `acceptMemory` when it could not be done yet; may be repeated
   */
  recover(participant: number): RecoveredBlock {
    const { inFlight } = this.#parts;
    inFlight.endHelper(participant);
    const entry = inFlight.at(participant);
    if (entry === undefined) return 'nothing';
    try {
      this.complete(entry);
      return 'freed';
    } catch (error) {
      if (error instanceof AcceptError && error.code === 'ERR_ACCEPT_INTERRUPTED') {
        return 'withheld';
      }
      throw error;
    }
  }

  /** What names the block that the allocator is about to take off its list; an allocator that does not call it is told after. */
  #namer(slot: number, zone: number): { call: (pfn: number) => void; called: () => boolean } {
    const { inFlight } = this.#parts;
    let called = false;
    return {
      call: (pfn) => {
        called = true;
        inFlight.enter(slot, zone, pfn / this.#pages, this.#pages);
      },
      called: () => called,
    };
  }

  /** True when there was something that a former owner of the slot had left in flight. */
  #completeLeft(slot: number): boolean {
    const left = this.#parts.inFlight.at(slot);
    if (left !== undefined) this.complete(left);
    return left !== undefined;
  }

  /** @throws ERR_ACCEPT_CLOSED */
  checkOpen(): void {
    if (this.#closed) throw new AcceptError('ERR_ACCEPT_CLOSED', 'this zone acceptor was closed');
  }

  #slot(): number {
    this.checkOpen();
    return this.#thread.memory.participant;
  }
}
