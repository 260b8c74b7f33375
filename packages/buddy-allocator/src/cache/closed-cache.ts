/** The cache of a thread that has closed: whatever is asked of it ends in ERR_BUDDY_CLOSED. */
import { BuddyError } from '../base/errors.js';
import type { WorkerCache } from './worker-cache-types.js';

/** @throws ERR_BUDDY_CLOSED */
export function refuseClosed(): never {
  throw new BuddyError('ERR_BUDDY_CLOSED', 'the allocator was closed');
}

/** Refuses everything. */
export const CLOSED_CACHE: WorkerCache = {
  pop: refuseClosed,
  refill: refuseClosed,
  push: refuseClosed,
  holds: refuseClosed,
  drain: refuseClosed,
  close: refuseClosed,
  park: refuseClosed,
  unpark: refuseClosed,
  retune: refuseClosed,
};
