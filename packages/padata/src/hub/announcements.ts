/** What threads are told about rings: each one when it is made, all that there are when a thread starts. */
import { performance } from '../base/host-time.js';
import type { Crew } from '../crew/crew.js';
import type { PartMemory } from '../protocol/arena-parts.js';
import type { ToWorker } from '../protocol/messages.js';
import type { Member } from '../threads/member.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry } from '../turns/ring-entry.js';
import { cloneShared, sharedError } from './own-shared.js';

/** What threads learn of a ring besides the ring. */
interface Surroundings {
  /** Threads that share the jobs, at least 1. */
  readonly threads: number;
  /** See `ModuleDeaths.aloneMs`. */
  readonly aloneMs: number;
}

/** The message that makes a ring known. */
function announcement(
  entry: RingEntry,
  { threads, aloneMs }: Surroundings,
): Extract<ToWorker, { t: 'ring' }> {
  const { ring } = entry;
  return {
    t: 'ring',
    ring: ring.id,
    href: entry.href,
    name: entry.name,
    buffer: ring.memory.buffer,
    window: ring.memory.window,
    arenaBytes: ring.arenaBytes,
    parts: ring.memory.arena.added,
    stats: ring.stats,
    shared: entry.shared,
    timeOrigin: performance.timeOrigin,
    aloneMs,
    threads,
    pendingPerThread: entry.pendingPerThread,
    copyInput: entry.copyInput,
    outputBytes: entry.outputBytes,
    level: entry.level,
  };
}

/** Tells the threads of one pool. */
export class Announcements {
  readonly #crew: Crew;
  readonly #turns: OwnerTurns;

  constructor(crew: Crew, turns: OwnerTurns) {
    this.#crew = crew;
    this.#turns = turns;
  }

  /** A ring was made: all threads learn it. @throws ERR_PADATA_CLONE */
  toAll(entry: RingEntry, threads: number): void {
    let isTold = this.#crew.isAlone;
    for (const member of this.#crew.workers()) {
      if (!member.knowsRings) continue;
      this.#tell(member, entry, threads);
      isTold = true;
    }
    // There is no thread to tell yet: what could not be told later is told the caller now.
    if (!isTold) cloneShared(entry.shared);
  }

  /** A thread has started: it learns all rings. */
  toNew(member: Member, entries: readonly RingEntry[], threads: number): void {
    member.knowsRings = true;
    const usable = entries.filter(({ ring }) => ring.broken === undefined);
    for (const entry of this.#crew.modules.inOrder(usable)) this.#tellLate(member, entry, threads);
  }

  /** The arena of a ring has grown. */
  ofPart(ring: number, part: PartMemory): void {
    for (const member of this.#crew.living()) {
      if (member.knowsRings) this.#crew.post(member, { t: 'part', ring, part });
    }
  }

  /** @throws ERR_PADATA_CLONE */
  #tell(member: Member, entry: RingEntry, threads: number): void {
    const aloneMs = this.#crew.modules.aloneMs(entry.href);
    try {
      this.#crew.post(member, announcement(entry, { threads, aloneMs }));
    } catch (error) {
      throw sharedError(error);
    }
  }

  /** What is shared may have become something that no thread can be told: that series ends, and the others go on. */
  #tellLate(member: Member, entry: RingEntry, threads: number): void {
    try {
      this.#tell(member, entry, threads);
    } catch (error) {
      entry.ring.breakWith(error);
      this.#turns.scheduleDelivery();
    }
  }
}
