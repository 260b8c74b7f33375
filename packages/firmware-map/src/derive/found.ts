/** What one source says of a machine's memory. */
import type { ByteRange } from '../types/all.js';
import type { NodeMap } from './assign-nodes.js';
import type { KindRange } from './final-map.js';

/** Where the ranges came from. */
export type MemorySource =
  | 'firmware-map'
  | 'user-map'
  | 'modified-map'
  | 'early-ranges'
  | 'memblock-dump'
  | 'efi-map'
  | 'banks'
  | 'iomem'
  | 'synthetic';

/** The ranges that were found. Addresses in bytes. */
export interface Found {
  readonly usable: readonly ByteRange[];
  readonly device: readonly KindRange[];
  readonly source: MemorySource;
  /** Memory that is present and never mapped. */
  readonly noMap?: readonly ByteRange[];
  readonly nodes?: NodeMap;
  /** The kernel's copy of the map. */
  readonly map?: readonly KindRange[];
  /** Where page numbers end, if that is beyond memory; bytes. */
  readonly top?: number;
}
