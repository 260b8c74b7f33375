/**
 * What the loop of a worker thread gives to its parts, and what they have in common: a function of a module may be
 * here already, or has to be imported first while the loop goes on.
 */
import type { AnyFunction } from '../base/function-ref.js';
import type { TurnClock } from '../base/turn-clock.js';
import { loadedFunction } from '../modules/job-modules.js';
import type { FromWorker } from '../protocol/messages.js';
import type { WorkerInit } from '../threads/platform.js';
import type { ThreadSetup } from '../threads/thread-setup.js';
import type { NamedFunction } from './module-imports.js';

/** The loop, seen from its parts. */
export interface WorkerLoop {
  readonly init: WorkerInit;
  readonly clock: TurnClock;
  /** What the program does on this thread before functions run; undefined = nothing. */
  readonly setup: ThreadSetup | undefined;
  /** It is under way: ends when it has ended well. */
  readonly settingUp: Promise<void> | undefined;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  /** Takes in waiting messages. */
  takeMail(): void;
  /** Is there a job of a series that this thread could reserve right now? */
  readonly hasJobs: boolean;
  /**
   * It begins something: from here on it has something to do. Before a job or chunk is made its own.
   * @param now this thread's clock, in milliseconds
   */
  beginsWork(now: number): void;
  /** Has nothing to do for a moment, as an input waits for that; true = a message came. */
  pause(): boolean;
  /** Work goes on outside the loop until `endAsync`. */
  beginAsync(): void;
  endAsync(): void;
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** Is this module imported, and has the thread not lived through that yet? */
  isSettling(href: string): boolean;
  /** Imports a module; the loop lets events in meanwhile. */
  importModule(named: NamedFunction): Promise<AnyFunction>;
}

/**
 * Hands a function to `use`: at once if its module is here, else when it is imported; not before the thread is set up. `fail`
 * gets what went wrong.
 */
export function withFunction(
  loop: WorkerLoop,
  named: NamedFunction,
  use: (fn: AnyFunction) => void,
  fail: (error: unknown) => void,
): void {
  if (loop.settingUp !== undefined) {
    void loop.settingUp.then(() => {
      withFunction(loop, named, use, fail);
    });
    return;
  }
  let fn: AnyFunction | undefined;
  try {
    if (!loop.isSettling(named.href)) fn = loadedFunction(named.href, named.name);
  } catch (error) {
    fail(error);
    return;
  }
  if (fn !== undefined) {
    use(fn);
    return;
  }
  void loop.importModule(named).then(use, fail);
}
