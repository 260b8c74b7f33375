/** Where the functions of a pool's jobs are imported before they are asked for: in its threads, on the calling thread, in both. */
import { moduleHref } from '../../base/function-ref.js';
import type { FunctionRef } from '../../base/function-ref.js';
import type { Crew } from '../../crew/crew.js';
import type { ElasticThreads } from '../../crew/elastic-threads.js';
import type { ModuleLoads } from '../../crew/modules/module-loads.js';
import type { OwnFunctions } from '../../threads/own-functions.js';

interface LoadingPool {
  readonly crew: Crew;
  readonly elastic: ElasticThreads;
  readonly loads: ModuleLoads;
  readonly own: OwnFunctions;
}

/** Of one pool. */
export class FunctionLoads {
  readonly #pool: LoadingPool;

  constructor(pool: LoadingPool) {
    this.#pool = pool;
  }

  /** In every thread, then here: what ends threads is not to end the program. @throws as `WorkPool.load` */
  async everywhere(ref: FunctionRef): Promise<void> {
    await this.inThreads(ref);
    await this.#here(ref);
  }

  /** Where its jobs run. @throws as `WorkPool.load` */
  whereItRuns(ref: FunctionRef): Promise<void> {
    return this.#pool.crew.isAlone ? this.#here(ref) : this.inThreads(ref);
  }

  async inThreads(ref: FunctionRef): Promise<void> {
    const { crew, elastic, loads } = this.#pool;
    const href = moduleHref(ref);
    crew.startAll();
    // One at least: what ends threads would end the program here.
    if (crew.target === 0) elastic.share(1, () => true);
    await loads.loadEverywhere(href, ref.name);
  }

  async #here(ref: FunctionRef): Promise<void> {
    await this.#pool.own.loadWithin(moduleHref(ref), ref.name);
  }
}
