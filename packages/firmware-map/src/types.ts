/**
 * Parts of a description, for those who take it apart.
 *
 * @packageDocumentation
 */
export type { Architecture, ByteRange, ProblemCode } from './types/common.js';
export type { FirmwareMaps, MapEntry, RangeKind } from './types/firmware.js';
export type { MemblockDump, MemblockOperation } from './types/memblock.js';
export type { NumaDescription, SratEntry } from './types/numa.js';
export type { MemoryAmount, MemoryOptions } from './types/options.js';
export type { PrintedTruths } from './types/printed.js';
export type { ProcFiles, ZoneinfoZone } from './types/proc.js';
