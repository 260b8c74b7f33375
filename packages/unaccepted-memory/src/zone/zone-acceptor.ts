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
import { BLOCK_PAGES, PAGE_SIZE } from '../base/constants.js';
import { Counters } from '../base/counters.js';
import { AcceptError } from '../base/errors.js';
import { InFlight } from './in-flight.js';
import type { InFlightBlock } from './in-flight.js';
import type { Pacer } from '../background/pacer.js';
import type { UnacceptedMemory } from '../memory/unaccepted-memory.js';
import type { AcceptGate, AcceptPort, AcceptStage, CondAcceptOptions } from './zone-port.js';

/** When memory is accepted. @kernel accept_memory= */
export type AcceptMode = 'lazy' | 'eager';

/** Counters over all threads. */
export type ZoneAcceptCounter =
  | 'acceptedBlocks'
  | 'acceptedAtHandOver'
  | 'helped'
  | 'withheld'
  | 'zeroMarkAccepts'
  | 'highOrderAccepts';
const COUNTERS: readonly ZoneAcceptCounter[] = [
  'acceptedBlocks',
  'acceptedAtHandOver',
  'helped',
  'withheld',
  'zeroMarkAccepts',
  'highOrderAccepts',
];

/** Settings. */
export interface ZoneAcceptorOptions {
  /** Default 'lazy'. */
  readonly mode?: AcceptMode;
  /** Order of the blocks that are parked; default 10 (1024 pages). */
  readonly maxOrder?: number;
  /** log2 of the page size in bytes; default 12. */
  readonly pageShift?: number;
  /** Accept one block when a request of order > 0 fails with enough accepted; default true. The kernel does not. */
  readonly highOrderRule?: boolean;
  /**
   * Blocks that one allocation accepts at most to reach the promo mark while accepted memory can serve it;
   * default unlimited, as the kernel: then the first allocation after the marks are set pays for all of it.
   */
  readonly burst?: number;
  /** 'demand' (default): with marks at zero accept only what cannot be served. 'always': one block at every question, as the kernel. */
  readonly zeroMarks?: 'demand' | 'always';
}

/** How the background helper of zones works. */
export interface ZoneHelperOptions {
  /** Accepted free pages to keep beyond the promo mark. */
  readonly reservePages: number;
  /** Steps, pace and the stop signal. */
  readonly pacer: Pacer;
}

/** Names the shared part for another thread. */
export interface ZoneAcceptorHandle {
  /** Settings; the same in all threads. */
  readonly options: ZoneAcceptorOptions;
  /** Blocks in flight. */
  readonly inFlight: ArrayBufferLike;
  /** Counters. */
  readonly counters: ArrayBufferLike;
}

/** The policy for one thread; implements what the page allocator asks. */
export class ZoneAcceptor implements AcceptGate {
  readonly #memory: UnacceptedMemory;
  readonly #port: AcceptPort;
  readonly #options: Required<ZoneAcceptorOptions>;
  readonly #blockPages: number;
  readonly #pageSize: number;
  readonly #inFlight: InFlight;
  readonly #counters: Counters<ZoneAcceptCounter>;

  /**
   * @param memory   this thread's view of the accept state
   * @param port     this thread's allocator
   * @param options  settings; ignored when `handle` is given
   * @param handle   the shared part of an acceptor in another thread; default: a fresh one
   */
  constructor(
    memory: UnacceptedMemory,
    port: AcceptPort,
    options: ZoneAcceptorOptions = {},
    handle?: ZoneAcceptorHandle,
  ) {
    this.#memory = memory;
    this.#port = port;
    this.#options = {
      mode: 'lazy',
      maxOrder: Math.log2(BLOCK_PAGES),
      pageShift: Math.log2(PAGE_SIZE),
      highOrderRule: true,
      zeroMarks: 'demand',
      burst: Number.POSITIVE_INFINITY,
      ...(handle?.options ?? options),
    };
    this.#blockPages = 2 ** this.#options.maxOrder;
    this.#pageSize = 2 ** this.#options.pageShift;
    this.#inFlight = new InFlight(memory.participantCount, handle?.inFlight);
    this.#counters = new Counters(COUNTERS, handle?.counters);
  }

  /** A plain object for another thread's constructor. */
  toHandle(): ZoneAcceptorHandle {
    return {
      options: this.#options,
      inFlight: this.#inFlight.buffer,
      counters: this.#counters.buffer,
    };
  }

  /** 'lazy' or 'eager'. */
  get mode(): AcceptMode {
    return this.#options.mode;
  }

  /** What all threads did so far. */
  stats(): Record<ZoneAcceptCounter, number> {
    return this.#counters.read();
  }

  /** Pages of a zone that are being accepted right now. */
  inFlightPages(zone: number): number {
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
    if (this.#options.mode === 'lazy' && order === this.#options.maxOrder) return true;
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
   * @throws ERR_ACCEPT_FAILED and the other errors of `acceptMemory`; the block concerned is withheld for good, all counters are right
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
    let { burst } = this.#options;
    if (this.#inFlight.hasHelper) {
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
    const entry = this.#take(zone);
    if (entry === undefined) return false;
    this.#complete(entry);
    return true;
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
    if (!this.#inFlight.startHelper(slot)) {
      throw new AcceptError('ERR_ACCEPT_ARGUMENT', 'another thread is the background helper');
    }
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
    const block = Math.floor(pfn / this.#blockPages);
    if (this.#port.takeUnacceptedAt(block * this.#blockPages)) {
      const slot = this.#memory.participant;
      const left = this.#inFlight.at(slot);
      if (left !== undefined) this.#complete(left);
      // The zone is not known here and only serves helpers; zone 0 is nobody's.
      this.#inFlight.enter(slot, 0, block, this.#blockPages);
      this.#complete({ slot, zone: 0, block });
      return true;
    }
    const entry = this.#inFlight.find((other) => other.block === block);
    if (entry === undefined) return false;
    this.#complete(entry);
    return true;
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
    const entry = this.#take(zone);
    if (entry === undefined) return undefined;
    const bytes = this.#blockPages * this.#pageSize;
    let total = 0;
    try {
      for (;;) {
        const step = this.#memory.advance(entry.block * bytes, bytes, stepBytes);
        total += step;
        if (step === 0 || !between(step)) break;
      }
    } catch (error) {
      try {
        this.#complete(entry);
      } catch {
        // The block is withheld now; the first error says why.
      }
      throw error;
    }
    this.#complete(entry);
    return total;
  }

  /**
   * Finishes what a dead thread had in flight. Call after `memory.declareDead(participant)`.
   * @returns 'nothing', 'freed' when the block is in the allocator now, 'withheld' when its content is not known
   */
  recover(participant: number): 'nothing' | 'freed' | 'withheld' {
    this.#inFlight.endHelper(participant);
    const entry = this.#inFlight.at(participant);
    if (entry === undefined) {
      this.#inFlight.cancel(participant);
      return 'nothing';
    }
    try {
      this.#complete(entry);
      return 'freed';
    } catch (error) {
      if ((error as AcceptError).code === 'ERR_ACCEPT_INTERRUPTED') return 'withheld';
      throw error;
    }
  }

  /** The request cannot go on without memory: take a block, or help with the one in flight. */
  #acceptNow(zone: number, order: number, stage: AcceptStage, need: number): boolean {
    // Enough is accepted, yet the request failed: a whole block helps against fragmentation, not against a reserve.
    if (need <= 0) {
      if (!this.#options.highOrderRule || (stage === 'watermark' && order === 0)) return false;
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
    if (stage === 'before' && servable && this.#options.zeroMarks === 'demand') return false;
    const accepted = this.#acceptOneOrHelp(zone);
    if (accepted) this.#counters.add({ zeroMarkAccepts: 1 });
    return accepted;
  }

  #acceptOneOrHelp(zone: number): boolean {
    // Where units can be shared between threads, finishing a begun block is sooner than a new one.
    const divisible = this.#memory.backend.granularity < this.#memory.geometry.unitSize;
    if (divisible && this.#help(zone)) return true;
    return this.acceptOne(zone) || this.#help(zone);
  }

  #help(zone: number): boolean {
    if (this.#inFlight.pages(zone) === 0) return false;
    const entry = this.#inFlight.find((other) => other.zone === zone);
    // Finished, not yet freed: the next look at the free lists finds it.
    if (entry === undefined) return this.#inFlight.awaitSettled(zone);
    this.#counters.add({ helped: 1 });
    this.#complete(entry);
    return true;
  }

  #take(zone: number): InFlightBlock | undefined {
    const slot = this.#memory.participant;
    // A former owner of the slot died and nobody recovered its block yet: that comes first.
    const left = this.#inFlight.at(slot);
    if (left !== undefined) this.#complete(left);
    this.#inFlight.begin(slot, zone);
    const pfn = this.#port.takeUnaccepted(zone);
    if (pfn === undefined) {
      this.#inFlight.cancel(slot);
      return undefined;
    }
    const block = pfn / this.#blockPages;
    this.#inFlight.enter(slot, zone, block, this.#blockPages);
    return { slot, zone, block };
  }

  /** Accepts a block in flight and frees it, unless another thread has done so meanwhile. */
  #complete(entry: InFlightBlock): void {
    const bytes = this.#blockPages * this.#pageSize;
    try {
      this.#memory.acceptMemory(entry.block * bytes, bytes);
    } catch (error) {
      // Its content is not known: it must reach no free list. It stays uncounted; the error tells the caller.
      if (this.#inFlight.finish(entry)) {
        this.#inFlight.settle(entry.zone, this.#blockPages);
        this.#counters.add({ withheld: 1 });
      }
      throw error;
    }
    if (!this.#inFlight.finish(entry)) return;
    this.#port.freeAccepted(entry.block * this.#blockPages, this.#options.maxOrder);
    this.#inFlight.settle(entry.zone, this.#blockPages);
    this.#counters.add({ acceptedBlocks: 1 });
  }
}
