/** What is wrong with a free, as a value: what is said of the block, not of the allocator. */
import { BuddyError } from '../../base/errors.js';
import type { FreeStatus } from '../pool-types.js';

/** The allocator is at fault, or at its end. */
const STOPPED: readonly string[] = ['ERR_BUDDY_CORRUPT', 'ERR_BUDDY_CLOSED'];

/** @throws the error itself, if it says nothing of the block */
export function freeStatusOf(error: unknown): FreeStatus {
  if (error instanceof BuddyError && !STOPPED.includes(error.code)) return error.code;
  throw error;
}
