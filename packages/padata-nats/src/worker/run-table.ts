/**
 * The runs whose function is in use here, by id: found at their first job, let go of when their submitter ends them
 * or no job came for a while.
 */
import type { WorkPool } from '@bootmem/padata';
import { hostname } from 'node:os';
import { fetchRunInfo } from '../server/run-info.js';
import type { Engine } from '../server/streams.js';
import { PadataNatsError } from '../wire/errors.js';
import { LocalRun } from './local-run.js';

/** A run without a job for so long lets go of its series, in milliseconds. */
const RUN_IDLE_MS = 60_000;

/** Runs of one worker. */
export class RunTable {
  readonly #engine: Engine;
  readonly #pool: WorkPool;
  readonly #modules: ReadonlyMap<string, string>;
  readonly #runs = new Map<string, Promise<LocalRun | undefined>>();

  /** @param modules names of modules that are offered, and what threads import for them */
  constructor(engine: Engine, pool: WorkPool, modules: ReadonlyMap<string, string>) {
    this.#engine = engine;
    this.#pool = pool;
    this.#modules = modules;
  }

  get size(): number {
    return this.#runs.size;
  }

  /**
   * A run by its description; undefined when its submitter has ended it.
   * @throws ERR_PADATA_NATS_WIRE when its description is none, or asks for what is not offered; what the server says
   */
  of(run: string): Promise<LocalRun | undefined> {
    let local = this.#runs.get(run);
    if (local === undefined) {
      const mine = this.#start(run);
      local = mine;
      this.#runs.set(run, mine);
      // Neither failed look-ups nor empty ones are kept: a run may be described by the next message. One looked up since is another.
      const drop = (): void => {
        if (this.#runs.get(run) === mine) this.#runs.delete(run);
      };
      mine.then((found) => {
        if (found === undefined) drop();
      }, drop);
    }
    return local;
  }

  /** The run as it is described now: its description may have been replaced since it was looked up. */
  async renewed(run: string, old: LocalRun): Promise<LocalRun | undefined> {
    const info = await fetchRunInfo(this.#engine, run);
    if (info !== undefined && Buffer.compare(info.key, old.info.key) === 0) return old;
    if ((await this.#runs.get(run)) === old) void this.forget(run);
    return await this.of(run);
  }

  /** Asks running jobs of a run to stop. */
  abort(run: string): void {
    void this.#runs.get(run)?.then(
      (found) => found?.abort(),
      () => undefined,
    );
  }

  /** Lets go of a run when its jobs are done. */
  async forget(run: string): Promise<void> {
    const local = this.#runs.get(run);
    this.#runs.delete(run);
    try {
      await (await local)?.close();
    } catch {
      // It never began.
    }
  }

  /** Lets go of all runs that nobody has used for a while. */
  forgetIdle(): void {
    const before = performance.now() - RUN_IDLE_MS;
    for (const [run, local] of this.#runs) {
      void local.then(
        (found) => {
          if (found === undefined || found.usedAt < before) void this.forget(run);
        },
        () => undefined,
      );
    }
  }

  async #start(run: string): Promise<LocalRun | undefined> {
    const info = await fetchRunInfo(this.#engine, run);
    if (info === undefined) return undefined;
    const href = this.#modules.get(info.module);
    if (href === undefined) {
      const message = `the run '${run}' is described as one of a module that is not offered here`;
      throw new PadataNatsError('ERR_PADATA_NATS_WIRE', message, { run, module: info.module });
    }
    return new LocalRun(this.#pool, info, href, hostname());
  }
}
