/**
 * What the loop of a worker thread gives to its parts, and what they have in common: a function of a module may be
 * here already, or has to be imported first while the loop goes on.
 */
import { loadFunction, loadedFunction } from '../base/function-ref.js';
import type { AnyFunction } from '../base/function-ref.js';
import type { WorkerInit } from '../crew/platform.js';
import type { FromWorker } from '../protocol/messages.js';

/** The loop, seen from its parts. */
export interface WorkerLoop {
  readonly init: WorkerInit;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  /** Takes in waiting messages. */
  takeMail(): void;
  /** Is there a job of a series that this thread could reserve right now? */
  readonly hasJobs: boolean;
  /** An import is under way: the thread does not end before it has settled. */
  beginLoad(): void;
  endLoad(): void;
  /** Work goes on outside the loop until `endAsync`. */
  beginAsync(): void;
  endAsync(): void;
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** May make a module loadable (TypeScript); true = try again. */
  recover(href: string, error: unknown): Promise<boolean>;
}

/** A function, named by module and export. */
interface Named {
  readonly href: string;
  readonly name: string;
}

/** Hands a function to `use`: at once if its module is here, else when it is imported. `fail` gets what went wrong. */
export function withFunction(
  loop: WorkerLoop,
  { href, name }: Named,
  use: (fn: AnyFunction) => void,
  fail: (error: unknown) => void,
): void {
  let fn: AnyFunction | undefined;
  try {
    fn = loadedFunction(href, name);
  } catch (error) {
    fail(error);
    return;
  }
  if (fn !== undefined) {
    use(fn);
    return;
  }
  loop.beginLoad();
  loadFunction(href, name, (h, e) => loop.recover(h, e))
    .then(use, fail)
    .finally(() => {
      loop.endLoad();
    });
}
