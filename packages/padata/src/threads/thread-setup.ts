/**
 * What a pool's program does on each thread before functions run there, and before the thread ends.
 *
 * ```
 *   import both ─▶ setup(arg, { worker }) ─▶ local: of jobs' contexts, last argument of chunks ─▶ teardown(local, { worker })
 * ```
 * A worker sets itself up when it has started; the calling thread when it is to run a function itself, so a program whose
 * threads do all never pays for it there. Nothing is imported for jobs before, so what goes wrong until then is the set-up's.
 */
import { countImports } from '../base/current-worker.js';
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { loadFunction } from '../modules/job-modules.js';

/** A function, named by module and export. */
interface Named {
  readonly href: string;
  readonly name: string;
}

/** What is done on each thread; survives structured clone. */
export interface SetupPlan {
  readonly setup: Named | undefined;
  readonly teardown: Named | undefined;
  /** First argument of `setup`. */
  readonly arg: unknown;
}

/** The set-up of one thread. */
export class ThreadSetup {
  readonly #plan: SetupPlan;
  readonly #worker: number;
  readonly #prepare: ((source: string) => Promise<void>) | undefined;
  #teardown: AnyFunction | undefined;
  #running: Promise<void> | undefined;
  #hasEnded = false;
  /** What `setup` has given. */
  local: unknown;
  /** It has ended well, and nothing is torn down. */
  isDone = false;

  /**
   * @param worker  id of this thread, 0 = the calling one
   * @param prepare called with what will be imported, before
   */
  constructor(plan: SetupPlan, worker: number, prepare?: (source: string) => Promise<void>) {
    this.#plan = plan;
    this.#worker = worker;
    this.#prepare = prepare;
  }

  /** It has begun, and has neither ended well nor failed. */
  get isRunning(): boolean {
    return this.#running !== undefined && !this.#hasEnded;
  }

  /** Sets up once, however often it is called; after a failure once more. @throws what the program's function does */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** What was set up is torn down, once. @throws what the program's function does */
  async tearDown(): Promise<void> {
    if (!this.isDone) return;
    this.isDone = false;
    await this.#teardown?.(this.local, { worker: this.#worker });
  }

  async #run(): Promise<void> {
    const { setup, teardown, arg } = this.#plan;
    try {
      this.#teardown = await this.#load(teardown);
      const begin = await this.#load(setup);
      this.local = await begin?.(arg, { worker: this.#worker });
      this.isDone = true;
      this.#hasEnded = true;
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }

  async #load(named: Named | undefined): Promise<AnyFunction | undefined> {
    if (named === undefined) return undefined;
    // A pool that is made at the top level of this module would make one in each of its threads, and so on.
    countImports(1);
    try {
      return await loadFunction(named.href, named.name, this.#prepare);
    } finally {
      countImports(-1);
    }
  }
}

/** Chunks of a range job get what is local to their thread behind the arguments that they have anyway. */
export function withLocal(fn: AnyFunction, setup: ThreadSetup | undefined): AnyFunction {
  return setup === undefined ? fn : (start, end, arg) => fn(start, end, arg, setup.local);
}

/** Set-up of a thread has failed. @param cause what was thrown, if something was @param text what went wrong */
export function setupError(
  { setup, teardown }: SetupPlan,
  worker: number,
  cause: unknown,
  text = messageOf(cause),
): PadataError {
  return failure('ERR_PADATA_SETUP', setup ?? teardown!, { worker, cause, text });
}

/** What was set up could not be torn down. As `setupError`. */
export function teardownError(
  { teardown }: SetupPlan,
  worker: number,
  cause: unknown,
  text = messageOf(cause),
): PadataError {
  return failure('ERR_PADATA_TEARDOWN', teardown!, { worker, cause, text });
}

interface Failure {
  readonly worker: number;
  readonly cause: unknown;
  readonly text: string;
}

function failure(
  code: 'ERR_PADATA_SETUP' | 'ERR_PADATA_TEARDOWN',
  { href: module, name }: Named,
  { worker, cause, text }: Failure,
): PadataError {
  const where = worker === 0 ? 'the calling thread' : `worker ${worker}`;
  return new PadataError(
    code,
    `${name} of ${module} failed in ${where}: ${text}`,
    { worker, module, name },
    { cause },
  );
}
