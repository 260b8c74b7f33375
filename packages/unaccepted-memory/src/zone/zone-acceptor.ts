/**
 * When zones accept: whole max-order blocks wait in first-in-first-out order, counted as free but on no free
 * list, and are accepted as the watermarks ask for them, by whichever thread allocates, outside every lock.
 *
 * ```text
 * hand-over   order < max, or eager ──▶ accepted now ──▶ free lists
 *             max order and lazy    ──▶ parked (tail)
 * allocation  accepted free < promo ──▶ head of the list ──▶ in flight ──▶ accepted ──▶ free lists (tail)
 * ```
 * Three rules go beyond the kernel:
 * - marks still zero: a block is accepted only when accepted memory cannot serve the request. (The kernel accepts
 *   4 MiB at every allocation until the marks are computed, which made a 248-CPU guest boot for ten minutes.)
 * - a high order that found no block although enough is accepted gets one more block: parked blocks are the
 *   least fragmented memory there is.
 * - pages in flight count as accepted before the watermark test, so one shortage does not make every thread accept;
 *   and a thread that does need memory helps with the block in flight instead of waiting for it.
 *
 * Invariants: U4–U8, U10, U11 of DESIGN.md. Locks: none held here; the port takes the zone lock for list work.
 *
 * Source: behaviour of cond_accept_memory (v6.5 to v7.1) and reports about it.
 */
import { checkHandle } from '@bootmem/memmap/shared';
import { BLOCK_PAGES, PAGE_SIZE } from '../base/constants.js';
import { Counters } from '../base/counters.js';
import { checkInteger, checkObject } from '../base/check.js';
import { AcceptError, handleError } from '../base/errors.js';
import type { UnacceptedMemory } from '../memory/unaccepted-memory.js';
import { blockHolder } from './block-holder.js';
import type { BlockSizes } from './block-holder.js';
import { BlockWork } from './block-work.js';
import { InFlight, inFlightSlots, newInFlight } from './in-flight.js';
import { ACCEPTOR_FORMAT, checkPolicy, checkThread } from './handle.js';
import { ZONE_COUNTERS } from './types.js';
import type {
  AcceptMode,
  RecoveredBlock,
  ZoneAcceptCounter,
  ZoneAcceptorAttach,
  ZoneAcceptorHandle,
  ZoneAcceptorOptions,
  ZoneHelperOptions,
  ZonePolicy,
} from './types.js';
import type { AcceptGate, AcceptPort, AcceptStage, CondAcceptOptions } from './zone-port.js';

/** The policy for one thread; implements what the page allocator asks. */
export class ZoneAcceptor implements AcceptGate {
  readonly #memory: UnacceptedMemory;
  readonly #port: AcceptPort;
  readonly #policy: Required<ZonePolicy>;
  readonly #blockPages: number;
  readonly #pageSize: number;
  readonly #sizes: BlockSizes;
  readonly #inFlight: InFlight;
  readonly #counters: Counters<ZoneAcceptCounter>;
  readonly #work: BlockWork;

  private constructor(handle: ZoneAcceptorHandle, thread: ZoneAcceptorAttach) {
    const { policy } = handle;
    const { maxOrder } = policy;
    this.#memory = thread.memory;
    this.#port = thread.port;
    this.#policy = policy;
    this.#blockPages = 2 ** maxOrder;
    this.#pageSize = 2 ** policy.pageShift;
    this.#sizes = { page: this.#pageSize, unit: thread.memory.geometry.unitSize };
    const inFlight = new InFlight(handle.inFlight);
    const counters = new Counters(ZONE_COUNTERS, handle.counters);
    this.#inFlight = inFlight;
    this.#counters = counters;
    this.#work = new BlockWork(thread, { inFlight, counters, maxOrder, pageSize: this.#pageSize });
  }

  /**
   * Makes the policy of a machine; other threads attach to it.
   * @throws ERR_ACCEPT_ARGUMENT for a policy that is none, or what is no accept state or allocator
   */
  static create(options: ZoneAcceptorOptions): ZoneAcceptor {
    checkObject('options', options);
    const { memory, port } = options;
    checkThread(options);
    const policy: Required<ZonePolicy> = {
      mode: options.mode ?? 'lazy',
      maxOrder: options.maxOrder ?? Math.log2(BLOCK_PAGES),
      pageShift: options.pageShift ?? Math.log2(PAGE_SIZE),
      highOrderRule: options.highOrderRule ?? true,
      zeroMarks: options.zeroMarks ?? 'demand',
      burst: options.burst ?? Number.POSITIVE_INFINITY,
    };
    checkPolicy(policy);
    const inFlight = newInFlight(memory.participantCount);
    const counters = new Counters(ZONE_COUNTERS).buffer;
    return new ZoneAcceptor(
      { type: 'bootmem.zone-acceptor', policy, inFlight, counters },
      { memory, port },
    );
  }

  /**
   * The same policy for another thread, over its own accept state and allocator.
   * @throws ERR_ACCEPT_HANDLE when the handle is not one of ours, or of another accept state
   */
  static attach(handle: ZoneAcceptorHandle, thread: ZoneAcceptorAttach): ZoneAcceptor {
    checkThread(thread);
    const slots = thread.memory.participantCount;
    const words = checkHandle(handle, ACCEPTOR_FORMAT, handleError);
    if (inFlightSlots(words) !== slots) {
      throw new AcceptError(
        'ERR_ACCEPT_HANDLE',
        'the zone acceptor goes with another accept state',
        {
          slots: inFlightSlots(words),
          expected: slots,
        },
      );
    }
    return new ZoneAcceptor(handle, thread);
  }

  /** A plain object from which another thread attaches. */
  toHandle(): ZoneAcceptorHandle {
    return {
      type: 'bootmem.zone-acceptor',
      policy: this.#policy,
      inFlight: this.#inFlight.buffer,
      counters: this.#counters.buffer,
    };
  }

  /** Ends this thread's part: no block is taken through this object any more. Idempotent; other threads go on. */
  close(): void {
    this.#work.close();
  }

  /** As {@link ZoneAcceptor.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** 'lazy' or 'eager'. */
  get mode(): AcceptMode {
    return this.#policy.mode;
  }

  /** What all threads did so far. */
  stats(): Record<ZoneAcceptCounter, number> {
    return this.#counters.read();
  }

  /** Pages of a zone that are being accepted right now. */
  inFlightPages(zone: number): number {
    checkInteger('zone', zone, 1, 255);
    return this.#inFlight.pages(zone);
  }

  /**
   * Implements {@link AcceptGate.holdBack}.
   * @throws as `acceptMemory`, for a block that is accepted now
   * @kernel __free_unaccepted, __free_pages_core
   */
  holdBack(pfn: number, order: number): boolean {
    const start = pfn * this.#pageSize;
    const size = 2 ** order * this.#pageSize;
    if (!this.#memory.containsUnaccepted(start, size)) return false;
    if (this.#policy.mode === 'lazy' && order === this.#policy.maxOrder) return true;
    this.#memory.acceptMemory(start, size);
    this.#counters.add({ acceptedAtHandOver: 1 });
    return false;
  }

  /** Accepts a memblock allocation at once. @param start bytes @param size bytes */
  acceptRange(start: number, size: number): void {
    this.#memory.acceptMemory(start, size);
  }

  /**
   * Implements {@link AcceptGate.condAccept}.
   * @throws ERR_ACCEPT_FAILED and the other errors of `acceptMemory`; where its content cannot be known any more the block is withheld for good, else it stays in flight and is tried again
   * @kernel cond_accept_memory
   */
  condAccept(
    zone: number,
    order: number,
    stage: AcceptStage,
    options: CondAcceptOptions = {},
  ): boolean {
    const parked = this.#port.unacceptedPages(zone);
    // Nothing parked; a block in flight can still serve an allocation that found nothing.
    if (parked === 0 && (stage === 'before' || this.#inFlight.pages(zone) === 0)) return false;
    if (options.tryLock === true) return false;
    const { promo, acceptedFree, unusable } = this.#port.acceptState(zone, order);
    if (promo === 0) return this.#acceptWithoutMarks(zone, stage, acceptedFree - unusable > 0);
    let need = promo - (acceptedFree - unusable);
    if (stage !== 'before') return this.#acceptNow(zone, order, stage, need);
    need -= this.#inFlight.pages(zone);
    if (need <= 0) return false;
    const ready = acceptedFree - unusable;
    let { burst } = this.#policy;
    if (this.#hasHelper(ready <= promo / 2)) {
      this.#inFlight.demand();
      // The helper refills; an allocation lends a hand only when it has fallen far behind.
      if (ready > promo / 2) return false;
      burst = 1;
    }
    // Nothing could serve this request: what it needs comes before any limit.
    if (ready <= 0) burst = Math.max(burst, 1);
    let blocks = 0;
    while (need > 0 && blocks < burst && this.acceptOne(zone)) {
      blocks += 1;
      need -= this.#blockPages;
    }
    return blocks > 0;
  }

  /**
   * Accepts the block at the head of a zone's list, if there is one.
   * @throws as {@link ZoneAcceptor.condAccept}
   * @kernel try_to_accept_memory_one
   */
  acceptOne(zone: number): boolean {
    return this.#work.acceptOne(zone);
  }

  /**
   * Runs as the background helper until `stopped` says so: whenever the accepted free memory of a zone is below
   * its promo mark plus `reservePages`, prepares the next parked block in steps.
   * @param zones    the zones to look after, in order of preference
   * @param options  how much to keep ready, and how gently
   * @returns bytes prepared
   * @throws ERR_ACCEPT_ARGUMENT when another thread is the helper already
   * @remarks Blocks the calling thread; for worker threads only.
   */
  runHelper(zones: readonly number[], options: ZoneHelperOptions): number {
    const slot = this.#memory.participant;
    if (!this.#inFlight.startHelper(slot, (other) => this.#memory.isAlive(other, true))) {
      throw new AcceptError('ERR_ACCEPT_ARGUMENT', 'another thread is the background helper');
    }
    checkObject('options', options);
    const { reservePages, pacer } = options;
    let prepared = 0;
    try {
      while (!pacer.stopped) {
        const seen = this.#inFlight.demandSeen();
        const zone = zones.find((candidate) => this.#shortage(candidate, reservePages) > 0);
        if (zone === undefined) {
          this.#inFlight.awaitDemand(seen, pacer.idleMs);
          continue;
        }
        const urgent = (): boolean => this.#shortage(zone, 0) > 0;
        const bytes = this.acceptOneInSteps(zone, pacer.stepBytes, (step) => {
          pacer.after(step, urgent());
          return !pacer.stopped;
        });
        prepared += bytes ?? 0;
      }
    } finally {
      this.#inFlight.endHelper(slot);
    }
    return prepared;
  }

  /** True while a helper runs. @param ask  it has fallen behind: ask the system whether it lives */
  #hasHelper(ask: boolean): boolean {
    const { helper } = this.#inFlight;
    return helper !== 0 && this.#memory.isAlive(helper, ask);
  }

  /** Pages that a zone lacks to its promo mark plus `reserve`; 0 when nothing is parked. */
  #shortage(zone: number, reserve: number): number {
    if (this.#port.unacceptedPages(zone) === 0) return 0;
    const { promo, acceptedFree, unusable } = this.#port.acceptState(zone, 0);
    return promo + reserve - (acceptedFree - unusable) - this.#inFlight.pages(zone);
  }

  /** Accepts everything that is parked in a zone; how many blocks. */
  acceptAll(zone: number): number {
    let blocks = 0;
    while (this.acceptOne(zone)) blocks += 1;
    return blocks;
  }

  /**
   * Implements {@link AcceptGate.acceptBlock}; finishes a block in flight too.
   * @throws as {@link ZoneAcceptor.condAccept}
   * @kernel accept_page
   */
  acceptBlock(pfn: number): boolean {
    return this.#work.acceptAt(pfn);
  }

  /**
   * Takes the head of a zone's list and prepares it in small steps, so that others can step in at any time.
   * @param zone       whose list
   * @param stepBytes  bytes between two calls of `between`
   * @param between    called after each step; may sleep; false stops stepping and finishes the block at once
   * @returns bytes this thread prepared, or undefined when nothing is parked
   */
  acceptOneInSteps(
    zone: number,
    stepBytes: number,
    between: (bytes: number) => boolean,
  ): number | undefined {
    return this.#work.acceptInSteps(zone, stepBytes, between);
  }

  /**
   * Makes whole units of allocated memory shared with the host, or private again (`UnacceptedMemory.convert`). Each unit lies
   * in one allocated block: what is free, parked, cached or cut into smaller blocks, which may be others', is refused. A page
   * allocator does not know whose a block is, so who names it holds it, as for a free; who keeps books of that says so by
   * `holds`, and another's block is refused too. A block with a shared part is neither freed nor split nor moved.
   * @param start  address in bytes, a multiple of the unit size and of the page size
   * @param end    one past the last byte, likewise; all of it in one zone, all or nothing is converted
   * @param to     which way
   * @param holds  whether the caller holds the block at `pfn`, of an order; asked once for each block that is touched, under the
   *   zone's lock, so that nobody frees it before it is marked: it reads its books, and neither waits nor calls back
   * @throws ERR_ACCEPT_NOT_HELD for memory that is not so held, or that another thread is converting
   * @throws ERR_ACCEPT_ARGUMENT, ERR_ACCEPT_STATE, ERR_ACCEPT_INTERRUPTED, ERR_ACCEPT_FAILED as `UnacceptedMemory.convert`
   * @kernel set_memory_decrypted, set_memory_encrypted
   */
  convert(
    start: number,
    end: number,
    to: 'shared' | 'private',
    holds?: (pfn: number, order: number) => boolean,
  ): void {
    this.#work.checkOpen();
    const holder = blockHolder(this.#port, this.#sizes, { start, end }, holds);
    this.#memory.convert(start, end, to, holder);
  }

  /**
   * Says that the threads of these participants have ended and gives back what they held: their slots, the block that each
   * had in flight, the mark of blocks of which nothing is shared any more. As `UnacceptedMemory.reclaim`, in whose place it is.
   * @param participants  slots; must not be called while one of their threads runs
   * @returns for each of them what became of its block in flight
   * @throws ERR_ACCEPT_ARGUMENT for what is no other thread's slot: nothing changed
   * @throws as `acceptMemory` when a block could not be finished yet: the slot and those after it stay taken, to be tried again
   */
  reclaim(participants: readonly number[]): readonly RecoveredBlock[] {
    const found: RecoveredBlock[] = [];
    this.#memory.reclaim(participants, (participant, work) => {
      found.push(this.#work.recover(participant));
      if (work === undefined || this.#port.unmarkShared === undefined) return;
      // Outwards: a page may be larger than a unit.
      const start = Math.floor(work.start / this.#pageSize) * this.#pageSize;
      const end = Math.ceil(work.end / this.#pageSize) * this.#pageSize;
      blockHolder(this.#port, this.#sizes, { start, end }).settle(start, end, (from, to) =>
        this.#memory.containsShared(from, to - from),
      );
    });
    return found;
  }

  /** The request cannot go on without memory: take a block, or help with the one in flight. */
  #acceptNow(zone: number, order: number, stage: AcceptStage, need: number): boolean {
    // Enough is accepted, yet the request failed: a whole block helps against fragmentation, not against a reserve.
    if (need <= 0) {
      if (!this.#policy.highOrderRule || (stage === 'watermark' && order === 0)) return false;
      const accepted = this.#acceptOneOrHelp(zone);
      if (accepted) this.#counters.add({ highOrderAccepts: 1 });
      return accepted;
    }
    let accepted = false;
    for (let rest = need; rest > 0; rest -= this.#blockPages) {
      if (!this.#acceptOneOrHelp(zone)) break;
      accepted = true;
      // One block serves the request; the rest of the shortage is the next allocation's, or the helper's.
      if (stage === 'empty') break;
    }
    return accepted;
  }

  #acceptWithoutMarks(zone: number, stage: AcceptStage, servable: boolean): boolean {
    if (stage === 'before' && servable && this.#policy.zeroMarks === 'demand') return false;
    const accepted = this.#acceptOneOrHelp(zone);
    if (accepted) this.#counters.add({ zeroMarkAccepts: 1 });
    return accepted;
  }

  #acceptOneOrHelp(zone: number): boolean {
    // Where units can be shared between threads, finishing a begun block is sooner than a new one.
    const divisible = this.#memory.backend.granularity < this.#memory.geometry.unitSize;
    if (divisible && this.#work.help(zone)) return true;
    return this.acceptOne(zone) || this.#work.help(zone);
  }
}
