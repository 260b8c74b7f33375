/**
 * Modules that end the threads that import them: process.exit on a missing variable, out of memory.
 *
 * ```
 *   a thread ends while it imports ─ one, and it had run nothing else ─▶ that module's death; after MAX_DEATHS it is given up
 *                                  └ several, or jobs may have run ────▶ suspects, unless other threads have lived through
 *                                                                        it: imported first, one at a time
 *   a thread has imported it ─▶ cleared
 * ```
 * Threads say by message what they begin to import and what they have ended importing, so an end in between is
 * known whatever its cause was. What a thread has imported may run on it: the end of such a thread can be the work of a job, so
 * it makes a module suspect and no more. A fresh thread imports suspects before all else: how it ends then has one cause.
 * A module that was given up is imported nowhere, the owner's thread least of all.
 */
import { messageOf } from '../../base/error-record.js';
import { PadataError } from '../../base/errors.js';
import type { WorkerEnd } from '../../threads/platform.js';

/** Deaths that are a module's own before it is given up. */
const MAX_DEATHS = 3;
/** A suspect is imported by itself for so long at first, in milliseconds; twice as long after each doubt. */
const ALONE_MS = 1000;
/** After so many doubts it has had half a minute by itself: from then on a death is its own. */
const MAX_DOUBTS = 5;

/** A thread that has ended, as far as modules are concerned. */
export interface ImportsAtEnd {
  /** Modules that it was importing, and whether each as a suspect. */
  readonly importing: ReadonlyMap<string, boolean>;
  /** It had imported others before: their jobs, or what they left behind, may have ended it. */
  readonly used: boolean;
  readonly worker: number;
  readonly end: WorkerEnd;
}

/** What is held against a suspect. */
interface Suspect {
  /** Deaths that are its own. */
  deaths: number;
  /** Deaths while it was imported as a suspect, yet not by itself to the end. */
  doubts: number;
}

/** What is known of the modules of one pool. */
export class ModuleDeaths {
  readonly #suspects = new Map<string, Suspect>();
  readonly #givenUp = new Map<string, PadataError>();
  /** Modules that some thread has imported and lived: only a death that is their own is held against them. */
  readonly #proven = new Set<string>();

  /** Has a thread ended while it imported this module, and none imported it since? */
  isSuspect(href: string): boolean {
    return this.#suspects.has(href);
  }

  /** Deaths that are its own, since it was imported last. */
  deathsOf(href: string): number {
    return this.#suspects.get(href)?.deaths ?? 0;
  }

  /** For how long a thread imports it by itself, in milliseconds; 0 = it is not suspect. */
  aloneMs(href: string): number {
    const suspect = this.#suspects.get(href);
    return suspect === undefined ? 0 : ALONE_MS << Math.min(MAX_DOUBTS, suspect.doubts);
  }

  /** Suspects first, of these the one that is given up soonest: what comes before it could be blamed in its place. */
  inOrder<T extends { readonly href: string }>(all: readonly T[]): T[] {
    const rank = ({ href }: T): number => this.#suspects.get(href)?.deaths ?? -1;
    return [...all].sort((a, b) => rank(b) - rank(a));
  }

  /** Why the module is imported no more; undefined = it may be. */
  error(href: string): PadataError | undefined {
    return this.#givenUp.get(href);
  }

  /** Someone asks for the module again: one more try. */
  tryAgain(href: string): void {
    if (!this.#givenUp.delete(href)) return;
    this.#suspects.set(href, { deaths: MAX_DEATHS - 1, doubts: 0 });
  }

  /** A thread has ended importing it, well or with an error. */
  imported(href: string): void {
    this.#suspects.delete(href);
    this.#proven.add(href);
  }

  /** A thread has ended while it imported modules; returns why one is given up now. */
  ended({ importing, used, worker, end }: ImportsAtEnd): PadataError | undefined {
    for (const [href, alone] of importing) {
      const suspect = this.#suspects.get(href) ?? { deaths: 0, doubts: 0 };
      const isOwn = importing.size === 1 && (!used || (alone && suspect.doubts >= MAX_DOUBTS));
      if (!isOwn && this.#proven.has(href)) continue;
      this.#suspects.set(href, suspect);
      if (!isOwn) {
        if (alone) suspect.doubts += 1;
        continue;
      }
      suspect.deaths += 1;
      if (suspect.deaths < MAX_DEATHS || this.#givenUp.has(href)) continue;
      const error = givenUp(href, worker, end);
      this.#givenUp.set(href, error);
      return error;
    }
    return undefined;
  }
}

function givenUp(module: string, worker: number, { exitCode, error }: WorkerEnd): PadataError {
  const why = error === undefined ? '' : `: ${messageOf(error)}`;
  return new PadataError(
    'ERR_PADATA_MODULE',
    `${module} ends the threads that load it (exit code ${exitCode}${why}), after ${MAX_DEATHS} tries it is given up`,
    { module, worker, exitCode, deaths: MAX_DEATHS },
    { cause: error },
  );
}
