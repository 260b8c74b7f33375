/** What both allocators ask of thread ids. */
import type { ThreadRegistry } from '@bootmem/memmap/shared';

import { BuddyError } from './errors.js';

/** What becomes of an ended thread's id. */
export interface ReclaimOptions {
  /** Reserves it at once for the worker that comes instead; default false: it is free. */
  readonly reserve?: boolean;
}

/**
 * Marks threads dead, all of them before anything of one is recovered: recovery takes locks, and another of them may
 * hold one.
 * @param own  id of the calling thread
 * @returns those that are dead now, without those whom nobody is
 * @throws ERR_BUDDY_ARGUMENT for an id that no thread can have, or the caller's own; nothing changed
 */
export function markAllDead(
  registry: ThreadRegistry,
  own: number,
  threads: readonly number[],
): number[] {
  const max = registry.maxThreads;
  for (const thread of threads) {
    if (Number.isInteger(thread) && thread >= 1 && thread <= max && thread !== own) continue;
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `threads are ids 1..${max} but the caller's own`, {
      thread,
      own,
    });
  }
  for (const thread of threads) registry.markDead(thread);
  return threads.filter((thread) => registry.isDead(thread));
}
