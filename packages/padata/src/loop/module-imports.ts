/**
 * Imports of job modules on a worker thread. The owner is told of each before it begins and after it has ended: should
 * the thread end in between, it knows whose fault that may be.
 *
 * ```
 *   suspect:  waits for what is under way ─▶ imported by itself ─▶ the next suspect, then all others
 * ```
 * Modules in whose import a thread has ended come first and one at a time; on a thread that has just begun nothing else
 * has run before them. What waits for them does so for as long as the owner says, because a top-level await may never end.
 *
 * What a module leaves behind for right after its import (a promise that is rejected and handled by nobody, a tick that throws, an
 * immediate that exits, a global that is gone) belongs to the import: the thread has to live through a round of its loop before
 * the owner is told and a job runs.
 */
import { prepareTypeScript } from '#typescript';
import { countImports } from '../base/current-worker.js';
import type { AnyFunction } from '../base/function-ref.js';
import { clearTimeout, performance, setTimeout } from '../base/host-time.js';
import { loadFunction } from '../modules/job-modules.js';
import type { FromWorker } from '../protocol/messages.js';

/** A function, named by module and export. */
export interface NamedFunction {
  readonly href: string;
  readonly name: string;
  /** Milliseconds for which it is imported by itself; 0 = it is not suspect. */
  readonly aloneMs: number;
}

/** The imports of one thread. */
export class ModuleImports {
  readonly #post: (message: FromWorker) => void;
  readonly #goRound: () => Promise<void>;
  /** Modules that are imported, while the thread goes round. */
  readonly #settling = new Map<string, Promise<void>>();
  #underWay = 0;
  /** Suspects that are not imported yet, and until when the others wait for them. */
  #suspects = 0;
  #aloneUntil = 0;
  readonly #waiting = new Set<() => void>();

  /** @param goRound lets the event loop, and the thread's own, go round once */
  constructor(post: (message: FromWorker) => void, goRound: () => Promise<void>) {
    this.#post = post;
    this.#goRound = goRound;
  }

  /** It is imported, and the thread has not lived through that yet. */
  isSettling(href: string): boolean {
    return this.#settling.has(href);
  }

  /** Imports a module. @throws ERR_PADATA_MODULE */
  async load({ href, name, aloneMs }: NamedFunction): Promise<AnyFunction> {
    const isSuspect = aloneMs > 0;
    if (isSuspect) this.#expect(aloneMs);
    // All that came with the same mail is known then.
    await Promise.resolve();
    const until = performance.now() + aloneMs;
    while (isSuspect ? this.#underWay > 0 : this.#suspects > 0) {
      const left = (isSuspect ? until : this.#aloneUntil) - performance.now();
      if (left <= 0) break;
      await this.#change(left);
    }
    this.#underWay += 1;
    this.#post({ t: 'importing', href, alone: isSuspect });
    try {
      const fn = await evaluated(href, name);
      await this.#settle(href);
      return fn;
    } finally {
      this.#post({ t: 'imported', href });
      this.#underWay -= 1;
      if (isSuspect) this.#suspects -= 1;
      for (const goOn of [...this.#waiting]) goOn();
    }
  }

  /** The thread lives through what the module has left behind; once for all that wait for it. */
  #settle(href: string): Promise<void> {
    let settling = this.#settling.get(href);
    if (settling === undefined) {
      settling = this.#goRound().finally(() => this.#settling.delete(href));
      this.#settling.set(href, settling);
    }
    return settling;
  }

  #expect(aloneMs: number): void {
    this.#suspects += 1;
    this.#aloneUntil = Math.max(this.#aloneUntil, performance.now()) + aloneMs;
  }

  /** Waits until an import ends, at most so long, in milliseconds. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, ms);
      this.#waiting.add(goOn);
    });
  }
}

/** The function, its module evaluated. @throws ERR_PADATA_MODULE */
async function evaluated(href: string, name: string): Promise<AnyFunction> {
  countImports(1);
  try {
    return await loadFunction(href, name, prepareTypeScript);
  } finally {
    countImports(-1);
  }
}
