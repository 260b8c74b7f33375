/**
 * Modules that end the threads that import them: process.exit on a missing variable, out of memory.
 *
 * ```
 *   a thread ends while it imports ─ several ─▶ suspects, all of them: imported one at a time from now on
 *                                  └ one ─────▶ that one's death; after MAX_DEATHS the module is given up
 *   a thread has imported it ─▶ cleared
 * ```
 * Threads say by message what they begin to import and what they have ended importing, so an end in between is
 * known whatever its cause was. A module that was given up is imported nowhere, the owner's thread least of all.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { WorkerEnd } from './platform.js';

/** Deaths in which a module was the only suspect before it is given up. */
const MAX_DEATHS = 3;

/** What is known of the modules of one pool. */
export class ModuleDeaths {
  /** Suspects, and the deaths that are theirs alone. */
  readonly #deaths = new Map<string, number>();
  readonly #givenUp = new Map<string, PadataError>();

  /** Has a thread ended while it imported this module, and none imported it since? */
  isSuspect(href: string): boolean {
    return this.#deaths.has(href);
  }

  /** Deaths that are this module's alone, since it was imported last. */
  deathsOf(href: string): number {
    return this.#deaths.get(href) ?? 0;
  }

  /** Why the module is imported no more; undefined = it may be. */
  error(href: string): PadataError | undefined {
    return this.#givenUp.get(href);
  }

  /** Someone asks for the module again: one more try. */
  tryAgain(href: string): void {
    if (this.#givenUp.delete(href)) this.#deaths.set(href, MAX_DEATHS - 1);
  }

  /** A thread has ended importing it, well or with an error. */
  imported(href: string): void {
    this.#deaths.delete(href);
  }

  /** A thread has ended while it imported these; returns those that are given up now. */
  ended(importing: ReadonlySet<string>, worker: number, end: WorkerEnd): PadataError[] {
    for (const href of importing) this.#deaths.set(href, this.#deaths.get(href) ?? 0);
    if (importing.size !== 1) return [];
    const [href] = importing as ReadonlySet<string> & Iterable<string>;
    const deaths = this.#deaths.get(href!)! + 1;
    this.#deaths.set(href!, deaths);
    if (deaths < MAX_DEATHS || this.#givenUp.has(href!)) return [];
    const error = givenUp(href!, worker, end);
    this.#givenUp.set(href!, error);
    return [error];
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
