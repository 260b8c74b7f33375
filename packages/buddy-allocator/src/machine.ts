/**
 * Entry `@bootmem/buddy-allocator/machine`: for who composes a machine. The zones of all nodes on a memmap, and the
 * hooks through which memory is grown, accepted and reclaimed.
 */
export { PageAllocator } from './machine/page-allocator.js';
export type {
  AcceptGate,
  AllocatorHooks,
  AllocOptions,
  NamedZone,
  PageAllocatorHandle,
  PageAllocatorOptions,
  Pressure,
  ZoneSpec,
} from './machine/allocator-types.js';
export type { MarkOptions } from './machine/allocator-marks.js';
export type { AcceptState } from './zone/unaccepted-blocks.js';
export type { BuddyZone } from './zone/zone.js';
export { Zone as ZoneWord } from './base/control-layout.js';
