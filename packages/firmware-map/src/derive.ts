/**
 * From a description to the memory that the boot allocator manages.
 *
 * @packageDocumentation
 */
export { deriveMemory } from './derive/derive-memory.js';
export type { DerivedMemory, DeriveOptions, DeviceRange } from './derive/derive-memory.js';
export type { NodeBlock } from './derive/assign-nodes.js';
export { intersect, normalise, subtract, totalLength } from './derive/intervals.js';
