/**
 * An allocator from a snapshot: attached to copies that nobody else has, put in order, and believed only when all of it is sound.
 *
 *     copies of the control words and descriptors ─▶ attach ─▶ isolations of threads that are gone lifted ─▶ verify ─▶ data placed
 */
import { handleError } from '../../base/handle.js';
import { liftIsolations } from '../../zone/isolation.js';
import { ORPHAN, type Violation } from '../../zone/verify.js';
import type { BuddyZone } from '../../zone/zone.js';
import type {
  BuddyAllocatorOptions,
  BuddyHandle,
  BuddySnapshot,
  BufferOwner,
} from '../pool-types.js';
import { placeData, restoreBuffers } from './snapshot.js';

/** What is restored. */
interface Restored {
  readonly zone: BuddyZone;
  verify(): readonly Violation[];
  close(): void;
}

/** Where the contents go. */
type RestoreOptions = Pick<BuddyAllocatorOptions, 'dataOffset'> & {
  data?: ArrayBufferLike | BufferOwner;
};

/**
 * Restores.
 * @param attach  the allocator of a handle
 * @throws ERR_BUDDY_HANDLE, ERR_BUDDY_ARGUMENT as `BuddyAllocator.restore`; nothing has been written to memory of the caller's
 */
export function restoreFrom<T extends Restored>(
  snapshot: BuddySnapshot,
  options: RestoreOptions,
  attach: (handle: BuddyHandle) => T,
): T {
  const handle = restoreBuffers(snapshot);
  const allocator = attach(handle);
  liftIsolations(allocator.zone, true);
  const broken = allocator.verify().find(({ invariant }) => invariant !== ORPHAN);
  if (broken !== undefined) {
    throw handleError(`the snapshot is damaged: ${broken.text}`, { ...broken });
  }
  // Nothing is made or written for the managed memory before all else is known to be sound.
  const placed = placeData(handle, snapshot, options);
  if (placed === handle) return allocator;
  allocator.close();
  return attach(placed);
}
