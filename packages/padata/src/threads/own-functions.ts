/**
 * Functions on the calling thread, for what it does itself: imported when they are needed, after the thread is set up as the
 * pool's workers are, and not waited for for ever.
 */
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { clearTimeout, setTimeout } from '../base/host-time.js';
import { loadFunction, loadedFunction } from '../modules/job-modules.js';
import { ThreadSetup, setupError, teardownError, withLocal } from './thread-setup.js';
import type { SetupOptions } from './setup-watch.js';

/** Functions of one pool on the thread that owns it. */
export class OwnFunctions {
  /** Time that an import may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly #options: SetupOptions | undefined;
  readonly #setup: ThreadSetup | undefined;
  /** Why the threads' set-up was given up: what ends them would end the program here. */
  readonly #refused: () => PadataError | undefined;

  constructor(
    timeoutMs: number,
    options: SetupOptions | undefined,
    refused: () => PadataError | undefined,
  ) {
    this.timeoutMs = timeoutMs;
    this.#options = options;
    this.#refused = refused;
    if (options === undefined) return;
    const { plan } = options;
    this.#setup = new ThreadSetup({ ...plan, arg: structuredClone(plan.arg) }, 0);
  }

  /** What `setup` has given here. */
  get local(): unknown {
    return this.#setup?.local;
  }

  /** @throws ERR_PADATA_SETUP, ERR_PADATA_MODULE */
  load(href: string, name: string): Promise<AnyFunction> {
    if (this.#setup === undefined) return loadFunction(href, name);
    return this.#setUp().then(() => loadFunction(href, name));
  }

  /**
   * `load` that gives up: a module that awaits at its top level what needs the module itself would wait for ever.
   * @throws as `load`, and when set-up or import have not ended in time
   */
  async loadWithin(href: string, name: string): Promise<AnyFunction> {
    if (this.#setup !== undefined) await this.#setUp();
    return await within(this.timeoutMs, loadFunction(href, name), () =>
      late(href, name, this.timeoutMs),
    );
  }

  /** `loadWithin` of a range job's function, which gets what is local as its last argument. */
  async loadChunks(href: string, name: string): Promise<AnyFunction> {
    return withLocal(await this.loadWithin(href, name), this.#setup);
  }

  /** The same if all of it is here. @throws ERR_PADATA_MODULE when the module has no such function */
  loadedChunks(href: string, name: string): AnyFunction | undefined {
    if (this.#setup?.isDone === false) return undefined;
    const fn = loadedFunction(href, name);
    return fn === undefined ? undefined : withLocal(fn, this.#setup);
  }

  /** There is something to set up. */
  get setsUp(): boolean {
    return this.#setup !== undefined;
  }

  /** @param ended what goes on here and may use it has ended; is waited for as long as a teardown @throws ERR_PADATA_TEARDOWN */
  async tearDown(ended: Promise<void>): Promise<void> {
    // Nobody waits for it any more, but what it opens is to be closed.
    if (this.#setup?.isRunning === true) await this.#setUp().catch(() => undefined);
    if (this.#setup?.isDone !== true) return;
    const { plan, teardownMs } = this.#options!;
    await within(teardownMs, ended, () => notEnded(teardownMs)).catch(() => undefined);
    try {
      await within(teardownMs, this.#setup.tearDown(), () => notEnded(teardownMs));
    } catch (error) {
      if (error instanceof NotEnded) throw teardownError(plan, 0, undefined, error.message);
      throw teardownError(plan, 0, error);
    }
  }

  async #setUp(): Promise<void> {
    const setup = this.#setup!;
    if (setup.isDone) return;
    const refused = this.#refused();
    if (refused !== undefined) throw refused;
    const { plan, setupMs } = this.#options!;
    try {
      await within(setupMs, setup.run(), () => notEnded(setupMs));
    } catch (error) {
      if (error instanceof NotEnded) throw setupError(plan, 0, undefined, error.message);
      throw setupError(plan, 0, error);
    }
  }
}

/** The program's own function takes too long: not to be mistaken for what it throws. */
class NotEnded extends Error {}

const notEnded = (ms: number): Error => new NotEnded(`it has not ended in ${ms} ms`);

/** @throws what `tooLate` gives when the promise has not ended in so many milliseconds */
async function within<T>(ms: number, promise: Promise<T>, tooLate: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(tooLate());
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function late(href: string, name: string, ms: number): PadataError {
  return new PadataError(
    'ERR_PADATA_MODULE',
    `the import of ${href} in the calling thread has not ended in ${ms} ms. Does the module await at its top level what needs the module itself? A top-level await keeps its own import pending: call it from a function that the top level does not await, or move the job functions into a module of their own`,
    { module: href, name, loadTimeoutMs: ms },
  );
}
