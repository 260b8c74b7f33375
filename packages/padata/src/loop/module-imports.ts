/**
 * Imports of job modules on a worker thread. The owner is told of each before it begins and after it has ended: should
 * the thread end in between, it knows whose fault that may be.
 *
 * ```
 *   suspect:  waits for what is under way ─▶ imported by itself ─▶ the next suspect, then all others
 * ```
 * Modules in whose import a thread has ended come first and one at a time; on a thread that has just begun nothing else
 * has run before them. What waits for them does so for as long as the owner says, because a top-level await may never end.
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
  #underWay = 0;
  /** Suspects that are not imported yet, and until when the others wait for them. */
  #suspects = 0;
  #aloneUntil = 0;
  readonly #waiting = new Set<() => void>();

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
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
    countImports(1);
    this.#post({ t: 'importing', href, alone: isSuspect });
    try {
      return await loadFunction(href, name, prepareTypeScript);
    } finally {
      this.#post({ t: 'imported', href });
      countImports(-1);
      this.#underWay -= 1;
      if (isSuspect) this.#suspects -= 1;
      for (const goOn of [...this.#waiting]) goOn();
    }
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
