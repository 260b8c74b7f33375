/**
 * Gives inputs that travel by message to threads.
 *
 * ```
 *   wait here ─ a thread has room ─▶ with it, not begun ─ another has nothing to do ─▶ with that one
 *             └ handed over (transfer list): only to a thread that has nothing to do, as it cannot come back
 * ```
 * Oldest first, each to the thread that has the least. A thread that goes from job to job makes a short pause now and then
 * while an input to be handed over waits. Where rings have priorities all inputs wait so, and the rings take turns by them.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { performance } from '../base/host-time.js';
import { checkTransfer } from '../values/transfer.js';
import type { Crew } from '../crew/crew.js';
import type { Member } from '../threads/member.js';
import { WORKER, workerBase } from '../protocol/control-layout.js';
import { sent as protocol } from '../protocol/machine.js';
import type { SentJob } from '../protocol/messages.js';
import { RING } from '../protocol/ring-layout.js';
import { hasHeavyInput } from '../values/unread.js';
import type { SentInput } from '../ring/sent-jobs.js';
import type { JobRing } from '../ring/job-ring.js';
import { numberOf } from '../ring/job-states.js';
import { isWorthMoving, jobsAtHand } from '../protocol/feed-policy.js';
import { LevelTurns } from '../levels/level-turns.js';
import type { RingEntry } from './ring-entry.js';

/** Inputs in one message at most. */
const BATCH = 32;
/** A function that runs for so much longer than two jobs usually take, in milliseconds, keeps its thread. */
const KEPT_MS = 1;

/** What feeding needs of the pool's rings. */
interface FeederHost {
  /** All of them. */
  readonly rings: readonly RingEntry[];
  /** Module of the jobs of one. */
  moduleOf(ring: JobRing): string | undefined;
  /** Is an input of any of them with this thread, and not begun? */
  hasInput(worker: number): boolean;
}

/** Told about an input that cannot be cloned, found out after its submission. */
type OnRefused = (ring: JobRing, sequence: number, error: PadataError) => void;

/** A thread that may get inputs. */
interface Candidate {
  readonly member: Member;
  /** Jobs that it may have at hand and not begun. */
  readonly most: number;
  /** Jobs of the ring that it has so. */
  unbegun: number;
  /** The same and what else it has: a job that runs, promises. */
  load: number;
  free: boolean;
  readonly jobs: SentJob[];
}

/** Feeds the threads of one pool. */
export class Feeder {
  /** How long the owner's turns take, in milliseconds. */
  turnMs = 0;
  readonly #crew: Crew;
  readonly #onRefused: OnRefused;
  readonly #host: FeederHost;
  readonly #levels: LevelTurns;
  #feeding = false;
  /** Where the search for a thread begins: all get their share. */
  #first = 0;
  /** Turns of the threads' loops, and since when they have been seen to stand there, by worker. */
  readonly #turns: ({ turn: number; since: number } | undefined)[] = [];

  constructor(crew: Crew, onRefused: OnRefused, host: FeederHost) {
    this.#crew = crew;
    this.#onRefused = onRefused;
    this.#host = host;
    this.#levels = new LevelTurns(crew.words);
  }

  /**
   * Sends what waits to threads that have room.
   * @param now the owner's clock, in milliseconds
   */
  feed(ring: JobRing, now: number): void {
    const { sent } = ring;
    // Cloning an input runs its getters, and those may submit.
    if (this.#feeding || sent.held === 0) return;
    this.#feeding = true;
    try {
      if (sent.onlyToFree) {
        this.#feedByLevel();
        return;
      }
      const threads = this.#candidates(ring, now);
      for (let s = sent.next(); s !== undefined; s = sent.next()) {
        const handedOver = sent.input(s & (ring.memory.window - 1))!.transfer;
        const to =
          handedOver === undefined
            ? leastLoaded(threads)
            : threads.find((t) => t.free && t.unbegun === 0);
        if (to === undefined) break;
        to.unbegun += 1;
        to.load += 1;
        to.free = false;
        const job = sent.bindNext(to.member.id);
        if (handedOver === undefined) to.jobs.push(job);
        else this.#postOne(ring, to.member, job, 0, handedOver);
      }
      for (const { member, jobs, most } of threads) this.#post(ring, member, jobs, most);
      // Before the owner's next look at who is free: a thread that finds nothing to do later sees that inputs wait.
      sent.tell();
      if (sent.held === 0) this.#level(ring, threads);
    } finally {
      this.#feeding = false;
    }
  }

  /** To each thread that has nothing to do one input, of the ring whose turn it is. */
  #feedByLevel(): void {
    const { rings } = this.#host;
    for (const member of this.#crew.memberList()) {
      // Asked once: a thread that becomes free while the rings are gone through is it for all of them, or for none.
      if (!member.knowsRings || this.#host.hasInput(member.id) || !this.#isIdle(member)) continue;
      const entry = this.#levels.choose(
        rings,
        ({ ring }) => ring.sent.next() !== undefined && this.#mayTake(ring, member),
      );
      if (entry === undefined) continue;
      const { sent } = entry.ring;
      const input = sent.input(sent.next()! & (entry.ring.memory.window - 1))!;
      this.#postOne(entry.ring, member, sent.bindNext(member.id), 0, input.transfer);
    }
    for (const { ring } of rings) ring.sent.tell();
  }

  #mayTake(ring: JobRing, member: Member): boolean {
    return ring.allows(member.id) && this.#hasModule(ring, member);
  }

  /** Is there a thread that would get something from `feed`? Asked when the owner has said that it sleeps. */
  canFeed(ring: JobRing): boolean {
    const { sent } = ring;
    if (sent.held === 0) return false;
    const next = sent.next();
    if (next === undefined) return false;
    const needsFree = sent.needsFree(next);
    const ns = Atomics.load(ring.memory.words, RING.RUN_NS);
    const now = performance.now();
    return this.#crew.memberList().some((member) => {
      const { id, knowsRings } = member;
      if (!knowsRings || !ring.allows(id)) return false;
      const unbegun = sent.unbegun(id);
      const free = this.#isFree(ring, member);
      if (sent.onlyToFree) return free && !this.#host.hasInput(id);
      if (needsFree) return unbegun === 0 && free;
      return unbegun <= lowOf(this.#most(ring, member)) && (free || !this.#isKept(id, ns, now));
    });
  }

  /** A thread has nothing to do, and inputs of the ring wait behind jobs of others: it gets of those. */
  giveTo(ring: JobRing, member: Member, now: number): void {
    this.feed(ring, now);
    const { sent } = ring;
    if (this.#feeding || sent.held > 0 || !ring.allows(member.id)) return;
    if (sent.unbegun(member.id) > 0 || !this.#isFree(ring, member)) return;
    const most = this.#most(ring, member);
    this.#feeding = true;
    try {
      this.#post(ring, member, sent.takeBack(member.id, most, this.#isFreeOf(ring)), most);
    } finally {
      this.#feeding = false;
    }
  }

  /**
   * Hands an input over at its submission: to a thread that has nothing to do, or to what is kept here for one.
   * @returns what is kept; undefined = it has been sent
   * @throws ERR_PADATA_CLONE
   */
  handOver(
    ring: JobRing,
    [sequence, input]: SentJob,
    transfer: readonly unknown[],
  ): SentInput | undefined {
    const { sent } = ring;
    const direct = (member: Member): void => {
      sent.keep(sequence, { input, transfer, gone: false });
      const job = sent.bind(sequence, member.id);
      this.#crew.post(member, { t: 'inputs', ring: ring.id, jobs: [job], ask: 0 }, transfer);
    };
    try {
      checkTransfer(transfer);
      if (sent.held === 0 && !sent.onlyToFree) {
        const free = this.#threadsFor(ring).find((t) => t.free && t.unbegun === 0);
        if (free !== undefined) {
          direct(free.member);
          return undefined;
        }
      }
      try {
        // As a message would do it: the objects are the caller's no more, and what arrives is another's.
        const [own, list] = structuredClone([input, transfer] as const, {
          transfer: [...transfer] as never[],
        });
        return { input: own, transfer: list, gone: false };
      } catch (error) {
        // Some objects can be sent to a thread only.
        const any = leastLoaded(this.#threadsFor(ring), true);
        if (any === undefined) throw error;
        direct(any.member);
        return undefined;
      }
    } catch (error) {
      throw cloneError(ring, sequence, error);
    }
  }

  #threadsFor(ring: JobRing): Candidate[] {
    return this.#crew.isAlone ? [] : this.#candidates(ring, performance.now());
  }

  /** After all is sent: an input that waits behind a job of its thread, while another has nothing to do, goes there. */
  #level(ring: JobRing, threads: readonly Candidate[]): void {
    if (!isWorthMoving(Atomics.load(ring.memory.words, RING.RUN_NS))) return;
    const { sent } = ring;
    if (!threads.some((t) => t.unbegun > 0)) return;
    for (const { member, most } of threads) {
      // Pairs with the thread's own look at the slots, after it has said that it is free.
      if (sent.unbegun(member.id) > 0 || !this.#isFree(ring, member)) continue;
      this.#post(ring, member, sent.takeBack(member.id, most, this.#isFreeOf(ring)), most);
    }
  }

  /**
   * Threads that are there and may run the ring's jobs, in turn. One that a function keeps gets nothing ahead, and what it
   * had waits here again: it is due before all that came later.
   */
  #candidates(ring: JobRing, now: number): Candidate[] {
    const { words } = this.#crew;
    const ns = Atomics.load(ring.memory.words, RING.RUN_NS);
    const list: Candidate[] = [];
    for (const member of this.#crew.memberList()) {
      const { id, knowsRings } = member;
      // Inputs of a ring that a thread has not heard of are lost there.
      if (!knowsRings || !ring.allows(id)) continue;
      // In this order: a thread that has just begun something is not free any more.
      let unbegun = ring.sent.unbegun(id);
      const free = this.#isFree(ring, member);
      const isKept = !free && this.#isKept(id, ns, now);
      if (isKept && unbegun > 0) {
        ring.sent.recall((worker) => worker !== id);
        unbegun = ring.sent.unbegun(id);
      }
      const pending = Atomics.load(words, workerBase(id) + WORKER.PENDING);
      const most = isKept ? 0 : this.#most(ring, member);
      const load = unbegun + pending + (free ? 0 : 1);
      list.push({ member, most, unbegun, load, free, jobs: [] });
    }
    this.#first += 1;
    return list.length < 2 ? list : [...list.splice(this.#first % list.length), ...list];
  }

  /** Does a function keep this thread for longer than such jobs usually take, as far as was looked at it? */
  #isKept(id: number, ns: number, now: number): boolean {
    if (!isWorthMoving(ns)) return false;
    const turn = this.#crew.turnOf(id);
    const seen = this.#turns[id];
    if (seen?.turn === turn) return now - seen.since > KEPT_MS + (2 * ns) / 1e6;
    this.#turns[id] = { turn, since: now };
    return false;
  }

  #isFreeOf(ring: JobRing): (worker: number) => boolean {
    return (worker) => {
      const member = this.#crew.member(worker);
      return member !== undefined && this.#isFree(ring, member);
    };
  }

  /** It would begin a job of the ring at once. Another series' module, which may take for ever to import, is no hindrance. */
  #isFree(ring: JobRing, member: Member): boolean {
    return this.#hasModule(ring, member) && this.#isIdle(member);
  }

  #hasModule(ring: JobRing, { importing }: Member): boolean {
    return importing.size === 0 || !importing.has(this.#host.moduleOf(ring) ?? '');
  }

  #isIdle({ id, state }: Member): boolean {
    return state === 'ready' && protocol.isFree(this.#crew.words, workerBase(id));
  }

  /** Jobs that this thread may have at hand and not begun: one while it has yet to start or to import something. */
  #most(ring: JobRing, { state, importing }: Member): number {
    if (state !== 'ready' || importing.size > 0) return 1;
    return jobsAtHand(Atomics.load(ring.memory.words, RING.RUN_NS), this.turnMs);
  }

  /** Posts inputs; the thread asks for more when half of what it may have is begun. */
  #post(ring: JobRing, member: Member, jobs: readonly SentJob[], most: number): void {
    const askAt = Math.max(0, jobs.length - 1 - lowOf(most));
    for (let from = 0; from < jobs.length; from += BATCH) {
      const part = jobs.length <= BATCH ? jobs : jobs.slice(from, from + BATCH);
      const ask = askAt >= from && askAt < from + BATCH ? askAt - from : -1;
      // What one thread cannot read is no other job's affair.
      const isAlone = part.length === 1;
      if (!isAlone && part.some(hasHeavyInput)) {
        this.#postEach(ring, member, part, ask);
        continue;
      }
      try {
        this.#crew.post(
          member,
          { t: 'inputs', ring: ring.id, jobs: part, ask },
          undefined,
          !isAlone,
        );
      } catch {
        // One input of a message cannot be cloned: the others are not to blame.
        this.#postEach(ring, member, part, ask);
      }
    }
  }

  #postEach(ring: JobRing, member: Member, jobs: readonly SentJob[], ask: number): void {
    jobs.forEach((job, i) => {
      this.#postOne(ring, member, job, i === ask ? 0 : -1);
    });
  }

  #postOne(
    ring: JobRing,
    member: Member,
    job: SentJob,
    ask: number,
    transfer?: readonly unknown[],
  ): void {
    try {
      this.#crew.post(member, { t: 'inputs', ring: ring.id, jobs: [job], ask }, transfer);
    } catch (error) {
      this.#onRefused(ring, job[0], cloneError(ring, job[0], error));
    }
  }
}

/** Of so many jobs at hand, how many are left when the thread asks for more. */
function lowOf(most: number): number {
  return most >> 1;
}

/** The thread with the least, of those that have room. */
function leastLoaded(threads: readonly Candidate[], full = false): Candidate | undefined {
  let best: Candidate | undefined;
  for (const thread of threads) {
    if (
      (!full && thread.unbegun >= thread.most) ||
      (best !== undefined && thread.load >= best.load)
    )
      continue;
    best = thread;
  }
  return best;
}

/** An input that cannot travel. */
export function cloneError(ring: JobRing, sequence: number, cause: unknown): PadataError {
  const seq = numberOf(ring.memory, sequence);
  return new PadataError(
    'ERR_PADATA_CLONE',
    `the input of job ${seq} cannot be cloned: ${messageOf(cause)}`,
    { seq },
    { cause },
  );
}
