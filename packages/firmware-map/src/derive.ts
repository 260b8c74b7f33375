/**
 * From a description to the memory that the boot allocator manages.
 *
 * @packageDocumentation
 */
export { deriveMemory, deriveMemorySteps } from './derive/derive-memory.js';
export type { DerivedMemory, DeviceRange } from './derive/derive-memory.js';
export type { DeriveOptions } from './derive/memory-sources.js';
export { atOnce, inTurns, isStep, turn } from './base/steps.js';
export type { Steps } from './base/steps.js';
export type { NodeBlock } from './derive/assign-nodes.js';
export { intersect, normalise, subtract, totalLength } from './derive/intervals.js';
