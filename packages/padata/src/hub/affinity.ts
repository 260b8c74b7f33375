/**
 * Which threads may run the jobs of a ring: accepted jobs always run, so where none of the workers that were asked for is
 * there, any does, and where there is no thread at all the calling one.
 */
import type { Crew } from '../crew/crew.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry } from '../turns/ring-entry.js';
import { wakeAll } from '../turns/wake-workers.js';
import type { OwnRunners } from './own-runners.js';

/** Of the threads that are there, those that may run jobs for which these were asked for. */
function affineTo(wanted: readonly number[], there: readonly number[]): readonly number[] {
  const usable = wanted.filter((id) => there.includes(id));
  return usable.length > 0 ? usable : there;
}

/** The rings of one pool and its threads. */
export class Affinity {
  readonly #crew: Crew;
  readonly #turns: OwnerTurns;
  readonly #runners: OwnRunners;

  constructor(crew: Crew, turns: OwnerTurns, runners: OwnRunners) {
    this.#crew = crew;
    this.#turns = turns;
    this.#runners = runners;
  }

  /** Decides for one ring, by the threads of now: what waits with one that may not run it comes back here. */
  assign(entry: RingEntry): void {
    const { ring } = entry;
    ring.allow(affineTo(entry.workers, this.#crew.usableIds()));
    ring.sent.recall((worker) => ring.allows(worker));
    if (this.#crew.isAlone && entry.runner.fn === undefined) void this.#runners.loadForJobs(entry);
  }

  /** Decides anew for these: their wishes, or the threads, have changed. Whoever sleeps looks for work by the new rules. */
  reassign(entries: Iterable<RingEntry>): void {
    for (const entry of entries) this.assign(entry);
    wakeAll(this.#crew);
    this.#turns.scheduleDelivery();
  }
}
