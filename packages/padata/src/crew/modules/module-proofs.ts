/**
 * Suspects where no threads are wanted: a thread comes to import one and goes, a few times, until its module is cleared or
 * given up, so that its jobs need not run where their module would end the program.
 */
import { clearTimeout, performance, setTimeout } from '../../base/host-time.js';
import { later } from '../../threads/timers.js';
import type { Timer } from '../../threads/timers.js';
import type { ToWorker } from '../../protocol/messages.js';
import type { Member } from '../../threads/member.js';
import type { ModuleDeaths } from './module-deaths.js';
import type { Roster } from '../roster.js';
import type { ThreadEnds } from '../thread-ends.js';

/** Whoever waits for a place looks again so often, in milliseconds. */
const WAIT_MS = 100;

interface ProvingCrew {
  readonly roster: Roster;
  readonly modules: ModuleDeaths;
  readonly ends: ThreadEnds;
  /** No thread may be started any more. */
  isOver(): boolean;
  /** Starts a thread for a proof; undefined = it cannot be made. */
  start(id: number): Member | undefined;
  post(member: Member, message: ToWorker): void;
  /** See `ProcessHold`. */
  adopt(timer: Timer): void;
}

/** The suspects of one pool that are being proved. */
export class ModuleProofs {
  readonly #crew: ProvingCrew;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(crew: ProvingCrew) {
    this.#crew = crew;
  }

  /** Resolves also when nothing could be found out: an import takes longer than `ms`, or no thread can be made. */
  prove(href: string, name: string, ms: number): Promise<void> {
    let proof = this.#underWay.get(href);
    if (proof === undefined) {
      proof = this.#prove(href, name, ms).finally(() => this.#underWay.delete(href));
      this.#underWay.set(href, proof);
    }
    return proof;
  }

  async #prove(href: string, name: string, ms: number): Promise<void> {
    const crew = this.#crew;
    const { roster } = crew;
    if (roster.capacity === 0) return;
    // Those that were asked to leave may still have something to end.
    for (const until = performance.now() + ms; roster.freeId === undefined;) {
      if (performance.now() >= until) return;
      const ends = roster.living().map((member) => crew.ends.of(member));
      await Promise.race([...ends, later(WAIT_MS)]);
    }
    const deaths = crew.modules.deathsOf(href);
    const id = roster.freeId;
    if (crew.isOver()) return;
    const member = crew.start(id);
    if (member === undefined) return;
    const aloneMs = crew.modules.aloneMs(href);
    crew.post(member, { t: 'load', id: 0, href, name, aloneMs });
    // It is told to leave when it has imported the module; here, should that never be.
    const timer = setTimeout(() => {
      if (member.state !== 'dead') crew.post(member, { t: 'leave', ifIdle: false });
    }, ms);
    crew.adopt(timer);
    await crew.ends.of(member);
    clearTimeout(timer);
    // Neither an import that has ended nor a death that is its own: then nothing is known.
    const isWorse = crew.modules.deathsOf(href) > deaths;
    if (isWorse && crew.modules.error(href) === undefined) await this.#prove(href, name, ms);
  }
}
