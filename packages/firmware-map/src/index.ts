export type * from './types.js';
export { createReader, parseDescription, readDescription } from './reader.js';
export type { Chunks, Reader, ReadOptions } from './reader.js';
export type { ReadResult } from './read-result.js';
export { fromJson, toJson } from './json.js';
export { DESCRIPTION_SCHEMA } from './schema.js';
export type { Schema } from './schema.js';
export { synthesize } from './synthetic.js';
export type { SyntheticOptions } from './synthetic.js';
export { mergeDescriptions } from './merge.js';
export { deriveMemory } from './derive/derive-memory.js';
export type {
  DerivedMemory,
  DeriveOptions,
  DeviceRange,
  MemorySource,
} from './derive/derive-memory.js';
export type { NodeBlock, NodeSource } from './derive/assign-nodes.js';
export { parseMemoryOptions, splitCommandLine } from './options/memory-options.js';
export type { ParsedOptions } from './options/memory-options.js';
export { parseIdList } from './proc/proc-lines.js';
export { parseSize } from './numbers.js';
export { FirmwareMapError } from './errors.js';
export type { FirmwareMapErrorCode } from './errors.js';
export { DEFAULT_PAGE_SIZE, PHYS_ADDR_MAX } from './constants.js';
