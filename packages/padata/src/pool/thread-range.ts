/** How many threads a pool has: a number, or bounds between which they come and go. */
import { checkInteger } from '../base/errors.js';
import { checkOptions, mistake } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import type { ThreadBounds } from '../crew/elastic-threads.js';

/** Threads that come when jobs wait and none has nothing to do, and go when they have had nothing to do for long. */
export interface ThreadRange {
  /** Threads that stay, 0 .. `max`; default 0: then the first job starts one. */
  readonly min?: number;
  /** Threads at most, 1 .. 255; default: CPUs available to the process, `min` at least; of `resize`: `capacity`. */
  readonly max?: number;
  /** How long a thread has nothing to do before it goes, in milliseconds, 0 .. 2^31 - 1; default 10 000. */
  readonly idleMs?: number;
}

const RANGE_OPTIONS: OptionKinds<ThreadRange> = {
  min: 'a number',
  max: 'a number',
  idleMs: 'a number',
};
const IDLE_MS = 10_000;

/**
 * @param threads what the option says
 * @param usual   threads where it says nothing; undefined = it has to say something
 * @param limit   threads that there may be
 * @throws ERR_PADATA_ARGUMENT
 */
export function threadBounds(
  threads: number | ThreadRange | undefined,
  usual: number | undefined,
  limit: number,
): ThreadBounds {
  if (typeof threads === 'object') {
    checkOptions('threads', threads, RANGE_OPTIONS);
    const { min = 0, idleMs = IDLE_MS } = threads;
    checkInteger('min', min, 0, limit);
    const max = threads.max ?? Math.min(limit, Math.max(1, usual ?? limit, min));
    checkInteger('max', max, Math.max(1, min), limit);
    checkInteger('idleMs', idleMs, 0, 0x7fffffff);
    return { min, max, idleMs };
  }
  const count = threads ?? usual;
  if (typeof count !== 'number') throw mistake('threads', 'a number or bounds', count);
  checkInteger('threads', count, 0, limit);
  return { min: count, max: count, idleMs: IDLE_MS };
}
