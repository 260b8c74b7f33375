/**
 * Entry `@bootmem/buddy-allocator`: the page pool of one memory that many threads share.
 */
export { BuddyAllocator } from './pool/buddy-allocator.js';
export type {
  AllocatorStats,
  AllocRequest,
  AttachOptions,
  BuddyAllocatorOptions,
  BuddyHandle,
  BuddySnapshot,
  BufferOwner,
  FreeStatus,
  Mobility,
  OwnedBlocks,
  PoolWatermarks,
  RangeRequest,
} from './pool/pool-types.js';
export type { BlockVisitor } from './pool/pool-inspect.js';
export type { PressureCallback } from './pool/requests/requests.js';
export type { ViewConstructor } from './base/page-data.js';
export type { CompactionResult } from './zone/compaction.js';
export type { MoveCallback } from './zone/moves.js';
export type { Violation } from './zone/verify.js';
export type { ReclaimOptions } from './zone/attachment.js';
export { BuddyError, type BuddyErrorCode } from './base/errors.js';
