/** Threads that a program makes itself, by a pool's option `worker`. */
import { PadataError } from '../base/errors.js';

const METHODS = ['postMessage', 'terminate'] as const;
/** Those that are some pool's. */
const taken = new WeakSet();

/**
 * What a `worker` function has returned, if it is a thread that no pool has yet.
 * @throws ERR_PADATA_ARGUMENT
 */
export function ownWorker(made: unknown): object {
  const worker = made as Readonly<Record<string, unknown>> | null;
  const isWorker =
    typeof worker === 'object' &&
    worker !== null &&
    METHODS.every((name) => typeof worker[name] === 'function');
  if (!isWorker || taken.has(worker)) {
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      `worker must return ${isWorker ? 'a new Worker each time, this one has its pool' : `a Worker, got ${made === null ? 'null' : typeof made}`}`,
      { name: 'worker' },
    );
  }
  taken.add(worker);
  return worker;
}
