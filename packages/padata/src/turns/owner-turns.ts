/**
 * Turns of the owner: deliver what is done, let the reactions run, publish and send what they submit, and sleep when there
 * is nothing.
 *
 * ```
 *   submit ─▶ publish (epoch) ─▶ nobody awake? wake one ─▶ end of tick: wake as many as the work is worth
 *   wake message ─▶ deliver of all rings ─▶ sleep flag ─▶ look once more
 * ```
 * The owner sleeps in its event loop with OWNER_ASLEEP set; the worker that finishes the next job in order
 * clears it and posts one empty message.
 */
import { performance, queueMicrotask, setTimeout } from '../base/host-time.js';
import { TurnClock } from '../base/turn-clock.js';
import type { Crew } from '../crew/crew.js';
import type { Platform } from '../threads/platform.js';
import { HEAD } from '../protocol/control-layout.js';
import { ring as protocol } from '../protocol/machine.js';
import { RING } from '../protocol/ring-layout.js';
import type { JobRing } from '../ring/job-ring.js';
import { QUICK_NS } from '../ring/wake-ahead.js';
import { BusyRings } from './busy-rings.js';
import type { Feeder } from './feeder.js';
import { KeepAlive } from './keep-alive.js';
import { Linger } from './linger.js';
import type { RingEntry } from './ring-entry.js';
import { LevelTurns } from '../levels/level-turns.js';
import { canRunHere, runHere } from './run-here.js';
import { isShort, threadsWorth, wakeFor } from './wake-workers.js';

/** Submissions within one tick after which sleepers are looked at again. */
const LOOK_EVERY = 32;
/** So many inputs by message for each thread are sent while the tick goes on. */
const FEED_FROM = 32;
/** From so many deliveries in one turn on, what they make the program submit is published in lumps. */
const LAZY_FROM = 32;
/** and only while the program's answer to a delivery takes less than this, in milliseconds. */
const LAZY_MS = 0.005;
/** Jobs delivered in one turn at most: a share of the window, so that the workers need not pause. */
const TURN_JOBS = 64;
/**
 * The owner looks by itself when nobody wakes it, after and at least every so many milliseconds: less and less often, while there
 * is nothing for it to find, or the threads wake it before.
 */
const GUARD_MS = 2;
const GUARD_TOLD_MS = 16;
const GUARD_MAX_MS = 64;
/** The owner delivers at most for so long before it lets events in, in milliseconds. */
const DELIVER_SLICE_MS = 10;

/** The turns of one pool's owner. */
export class OwnerTurns {
  /** May a submission be published a little later? True only until the end of a turn of deliveries. */
  isLazy = false;
  /** For jobs that run here. */
  readonly clock = new TurnClock();
  readonly #platform: Platform;
  readonly #crew: Crew;
  readonly #busy: BusyRings;
  readonly #feeder: Feeder;
  readonly #keepAlive: KeepAlive;
  readonly #linger = new Linger();
  readonly #levels: LevelTurns;
  #flushScheduled = false;
  #sinceLook = 0;
  #stamp = 0;
  /** The stamp is of this tick. */
  #isStamped = false;
  #deliveryScheduled = false;
  /** The last turn delivered many jobs and the program answered them quickly. */
  #quick = false;
  #turnJobs = 0;
  /** The last turn left results, as some were long plain data. */
  #isCut = false;
  #turnEnds = 0;
  #guard: ReturnType<typeof setTimeout> | undefined;
  #guardMs = GUARD_MS;
  /** Turns that delivered something, and how many when the guard began. */
  #deliveries = 0;
  #guardedFrom = 0;
  /** It found none, so it is no time of quick jobs: whoever is next, wakes the owner. */
  #isSlow = false;

  constructor(
    platform: Platform,
    crew: Crew,
    entries: ReadonlyMap<number, RingEntry>,
    feeder: Feeder,
  ) {
    this.#platform = platform;
    this.#crew = crew;
    this.#busy = new BusyRings(entries);
    this.#levels = new LevelTurns(crew.words);
    this.#feeder = feeder;
    this.#keepAlive = new KeepAlive(crew, () => this.#busy.isAnyOut);
  }

  /** The owner's clock for stamps: read once per tick. */
  get stamp(): number {
    if (!this.#isStamped) this.#stamp = performance.now();
    return this.#stamp;
  }

  /** Are all jobs under way short? */
  readonly #areShort = (): boolean => {
    for (const { ring } of this.#busy.list)
      if (ring.outstanding > 0 && !isShort(ring)) return false;
    return true;
  };

  /** A job was submitted to this ring: most are neither the first of their tick nor of their ring. */
  noteSubmit(ring: JobRing): void {
    const isOneMore = this.#flushScheduled && ring.isListed && this.#sinceLook < LOOK_EVERY - 1;
    if (isOneMore) this.#sinceLook += 1;
    else this.#noteFirst(ring);
  }

  #noteFirst(ring: JobRing): void {
    if (!ring.isListed) this.#busy.note(ring);
    if (!this.#keepAlive.isOn) this.#keepAlive.begin();
    if (this.#crew.isAlone) {
      this.#isStamped = true;
      this.scheduleDelivery();
      return;
    }
    // The ring's PUBLISHED word is what a worker looks at before it sleeps; no epoch is needed.
    if (!this.#flushScheduled) {
      this.#scheduleFlush();
      // If everybody sleeps, one thread can begin while the rest of the tick goes on.
      wakeFor(this.#crew, ring, 1, this.#areShort);
      return;
    }
    this.#sinceLook += 1;
    if (this.#sinceLook === LOOK_EVERY) {
      this.#sinceLook = 0;
      wakeFor(this.#crew, ring, threadsWorth(ring), this.#areShort);
      if (ring.sent.held >= FEED_FROM * this.#crew.target) this.#feeder.feed(ring, this.#stamp);
    }
  }

  /** Wakes threads for what waits, as many as it is worth, while the tick goes on. */
  wakeFor(ring: JobRing): void {
    if (!this.#crew.isAlone) wakeFor(this.#crew, ring, threadsWorth(ring), this.#areShort);
  }

  /** Delivers everything that is done; then the owner may sleep. For the beginning of an event. */
  deliverAll(): void {
    const now = performance.now();
    this.#isStamped = false;
    this.#turnEnds = now + DELIVER_SLICE_MS;
    this.#deliverTurn(now);
  }

  /** Delivers soon, in its own turn of the event loop. */
  scheduleDelivery(): void {
    if (this.#deliveryScheduled) return;
    this.#deliveryScheduled = true;
    void this.#platform.yieldToEvents().then(() => {
      this.#deliveryScheduled = false;
      this.deliverAll();
    });
  }

  /** Publishes and sends what was submitted, and wakes threads for it. A delivery or a look before sleep has to follow. */
  flushWork(): void {
    this.#flushScheduled = false;
    this.#isStamped = false;
    this.isLazy = false;
    const isAlone = this.#crew.isAlone;
    let waiting = 0;
    for (const { ring } of this.#busy.list) {
      if (ring.outstanding === 0) continue;
      if (ring.sent.held > 0 && !isAlone) this.#feeder.feed(ring, this.#stamp);
      ring.publish();
      waiting += ring.waiting;
      if (ring.waiting > 0) wakeFor(this.#crew, ring, threadsWorth(ring), this.#areShort);
    }
    this.#crew.startFor(waiting);
  }

  /**
   * One turn: deliver, then let the promises' reactions run (they submit more), then look again.
   * OWNER_ASLEEP stays 0 until nothing was delivered, so that no worker sends a message in vain.
   */
  #deliverTurn(began: number): void {
    protocol.ownerAwake(this.#crew.words);
    for (let now = began; ; now = performance.now()) {
      if (now > this.#turnEnds) {
        this.scheduleDelivery();
        return;
      }
      const count = this.#deliverOnce(now);
      if (count > 0 && !this.#crew.isAlone) {
        this.isLazy = this.#quick && count >= LAZY_FROM;
        this.#turnJobs = count;
        this.#deliveries += 1;
        this.#isSlow = false;
        this.#scheduleFlush();
        return;
      }
      this.isLazy = false;
      // Callbacks have submitted more: this loop is their tick.
      if (this.#flushScheduled) this.flushWork();
      else this.feedAll();
      if (count > 0) continue;
      this.#awaitAll();
      if (this.#fallAsleep()) return;
    }
  }

  #deliverOnce(now: number): number {
    let count = 0;
    this.#isCut = false;
    this.clock.passed();
    this.#stamp = now;
    // What callbacks submit is published every 16 jobs and at the end of the turn.
    this.isLazy = this.#quick;
    const isAlone = this.#crew.isAlone;
    this.#busy.tidy();
    if (isAlone) count += this.#runHere();
    for (const entry of this.#busy.list) {
      const { ring } = entry;
      if (ring.outstanding === 0) continue;
      const delivered = ring.deliver(Math.max(TURN_JOBS, ring.memory.window >> 2), now);
      count += delivered;
      if (delivered > 0) entry.onDelivered();
      if (ring.isCut) this.#isCut = true;
    }
    return count;
  }

  /** There are no threads: runs some jobs of each ring, or one where they have priorities. */
  #runHere(): number {
    const { list } = this.#busy;
    if (!this.#busy.isMixed) {
      return list.filter((entry) => entry.ring.outstanding > 0 && runHere(entry)).length;
    }
    const entry = this.#levels.choose(list, canRunHere);
    return entry !== undefined && runHere(entry, 1) ? 1 : 0;
  }

  /** Sends inputs that wait to threads that have room. */
  feedAll(): void {
    if (this.#crew.isAlone) return;
    for (const { ring } of this.#busy.list) {
      if (ring.sent.held > 0) this.#feeder.feed(ring, this.#stamp);
    }
  }

  /**
   * Workers wake the owner when the job that it awaits has ended, or at the end of a reservation of small jobs. Should one of
   * those turn out to be slow, what was done before it would wait: so the owner looks by itself.
   */
  #startGuard(): void {
    if (this.#guard !== undefined) return;
    let busy = false;
    let patient = true;
    for (const { ring } of this.#busy.list) {
      if (ring.outstanding === 0) continue;
      busy = true;
      patient &&= ring.isPatient;
    }
    if (!busy) return;
    if (patient) this.#guardMs = GUARD_MAX_MS;
    this.#guardedFrom = this.#deliveries;
    const timer = setTimeout(this.#onGuard, this.#guardMs);
    (timer as { unref?: () => void }).unref?.();
    this.#guard = timer;
  }

  readonly #onGuard = (): void => {
    this.#guard = undefined;
    const before = this.#deliveries;
    const wasTold = before !== this.#guardedFrom;
    for (const { ring } of this.#busy.list) {
      if (ring.outstanding === 0) continue;
      // What was thought to be short keeps its thread: what waits goes to others.
      if (ring.waiting > 0) wakeFor(this.#crew, ring, ring.waiting, () => false);
    }
    this.#isSlow = !wasTold;
    this.deliverAll();
    const hasFound = this.#deliveries !== before;
    const most = wasTold ? GUARD_TOLD_MS : GUARD_MAX_MS;
    this.#guardMs = !wasTold && hasFound ? GUARD_MS : Math.min(most, 2 * this.#guardMs);
  };

  /** Is the next job of any ring done? */
  readonly #anyDone = (): boolean => {
    for (const { ring } of this.#busy.list) {
      if (ring.outstanding > 0 && ring.anyDone()) return true;
    }
    return false;
  };

  /** Waits awake for a moment when jobs are so quick that sleeping would cost more; true = one is done. */
  #lingerForQuickJobs(): boolean {
    let quick = false;
    for (const { ring } of this.#busy.list) {
      if (ring.outstanding === 0) continue;
      if (ring.anyDone()) return true;
      const ns = Atomics.load(ring.memory.words, RING.RUN_NS);
      if (ns > 0 && ns <= QUICK_NS) quick = true;
    }
    return quick && this.#linger.until(this.#anyDone);
  }

  readonly #onFlush = (): void => {
    this.#flush();
  };

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#isStamped = true;
    this.#sinceLook = 0;
    queueMicrotask(this.#onFlush);
  }

  #flush(): void {
    if (!this.#flushScheduled) return;
    this.flushWork();
    const jobs = this.#turnJobs;
    this.#turnJobs = 0;
    const many = jobs >= LAZY_FROM;
    this.#feeder.turnMs = many ? performance.now() - this.#stamp : 0;
    this.#quick = many && this.#feeder.turnMs < jobs * LAZY_MS;
    const isAwake = Atomics.load(this.#crew.words, HEAD.OWNER_ASLEEP) === 0;
    // What has ended meanwhile may come with what is awaited.
    const mayWait = this.#awaitAll() && !this.#isCut;
    if (!mayWait && this.#lingerForQuickJobs()) this.#deliverTurn(performance.now());
    // Short jobs end, and more may come in later reactions of this turn: sleep only after them. Others end later than that.
    else if (!mayWait && isAwake && this.#areShort()) this.scheduleDelivery();
    else if (!this.#fallAsleep()) this.scheduleDelivery();
  }

  /** Says which jobs' ends wake the owner; true = there are some, and of no ring it is the very next. */
  #awaitAll(): boolean {
    let isLater = false;
    let isNext = this.#isSlow;
    for (const { ring } of this.#busy.list) {
      if (ring.outstanding === 0) continue;
      if (this.#isSlow) ring.awaitNext();
      else if (ring.awaitLater()) isLater = true;
      else isNext = true;
    }
    return isLater && !isNext;
  }

  /** From here on whoever ends what is awaited wakes the owner; false = it is done. */
  #fallAsleep(): boolean {
    if (!protocol.ownerMaySleep(this.#crew.words, this.#hasWork)) return false;
    this.#startGuard();
    this.#keepAlive.check();
    return true;
  }

  /** Asked after the owner has said that it sleeps. */
  readonly #hasWork = (): boolean => {
    const isAlone = this.#crew.isAlone;
    for (const entry of this.#busy.list) {
      const { ring } = entry;
      if (ring.outstanding === 0) continue;
      if (ring.isDue()) return true;
      if (isAlone ? canRunHere(entry) : this.#feeder.canFeed(ring)) return true;
    }
    return false;
  };
}
