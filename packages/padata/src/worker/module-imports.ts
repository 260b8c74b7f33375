/**
 * Imports of job modules on a worker thread. The owner is told of each before it begins and after it has ended: should
 * the thread end in between, it knows whose fault that may be. Modules that are suspect already are imported one at a
 * time and by themselves, so that the next death has one cause.
 */
import { countImports } from '../base/current-worker.js';
import { loadFunction } from '../base/function-ref.js';
import type { AnyFunction } from '../base/function-ref.js';
import type { FromWorker } from '../protocol/messages.js';

/** A function, named by module and export. */
export interface NamedFunction {
  readonly href: string;
  readonly name: string;
  /** A thread has ended while it imported this module. */
  readonly suspect: boolean;
}

/** The imports of one thread. */
export class ModuleImports {
  readonly #post: (message: FromWorker) => void;
  readonly #recover: (href: string, error: unknown) => Promise<boolean>;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    post: (message: FromWorker) => void,
    recover: (href: string, error: unknown) => Promise<boolean>,
  ) {
    this.#post = post;
    this.#recover = recover;
  }

  /** Imports a module. @throws ERR_PADATA_MODULE */
  async load({ href, name, suspect }: NamedFunction): Promise<AnyFunction> {
    if (suspect) {
      while (this.#underWay > 0) {
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
      }
    }
    this.#underWay += 1;
    countImports(1);
    this.#post({ t: 'importing', href });
    try {
      return await loadFunction(href, name, this.#recover);
    } finally {
      this.#post({ t: 'imported', href });
      countImports(-1);
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }
}
