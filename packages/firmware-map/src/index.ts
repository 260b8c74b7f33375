/**
 * Read what a machine left behind into one description of its memory.
 *
 * @packageDocumentation
 */
export { createReader, parseDescription, readDescription } from './read/reader.js';
export type { Chunks, Reader } from './read/reader.js';
export type { ReadOptions } from './read/read-options.js';
export type { ReadResult } from './base/read-result.js';
export type { MachineDescription, Problem } from './types/all.js';
export { fromJson, toJson } from './json/json.js';
export { DESCRIPTION_SCHEMA } from './schema/schema.js';
export type { Schema } from './schema/schema.js';
export { synthesize } from './make/synthetic.js';
export type { SyntheticOptions } from './make/synthetic.js';
export { mergeDescriptions } from './make/merge.js';
export { parseMemoryOptions, splitCommandLine } from './options/memory-options.js';
export type { ParsedOptions } from './options/memory-options.js';
export { parseIdList } from './records/proc-lines.js';
export { parseSize } from './base/numbers.js';
export { FirmwareMapError } from './base/errors.js';
export type { FirmwareMapErrorCode } from './base/errors.js';
