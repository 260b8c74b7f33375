/** Dumps and operation lines of `memblock=debug`. Units and conventions: description.ts. */
import type { Located, LocatedRange } from './common.js';

/** Which memblock list a dump line belongs to. */
export type MemblockList = 'memory' | 'reserved' | 'physmem';

/** One region of a dump. */
export interface MemblockRegionLine extends LocatedRange {
  /** Absent: no node. */
  readonly nid?: number;
  readonly flags: number;
}

/** `MEMBLOCK configuration:` and its lines. */
export interface MemblockDump extends Located {
  /** The `memory size =` header, bytes; not always the sum of the regions. */
  readonly memorySize?: number;
  readonly reservedSize?: number;
  readonly memory: readonly MemblockRegionLine[];
  readonly reserved: readonly MemblockRegionLine[];
  readonly physmem: readonly MemblockRegionLine[];
  /** Regions announced by `….cnt = `, per list. */
  readonly counts: Readonly<Partial<Record<MemblockList, number>>>;
  /** True when every announced region was read. */
  readonly complete: boolean;
}

/** A line of `memblock=debug`. */
export type MemblockOperation =
  | (LocatedRange & {
      /** `free-late`: pages given to the page allocator that is up by then; the lists do not change. */
      readonly op: 'add' | 'reserve' | 'remove' | 'free' | 'free-late' | 'physmem-add';
      /** `caller+0x1/0x2`, as printed. */
      readonly caller: string;
      readonly nid?: number;
      readonly flags?: number;
    })
  | (Located & {
      readonly op: 'alloc';
      /** The kernel function named, such as `memblock_alloc_try_nid`. */
      readonly kernelName: string;
      readonly size: number;
      readonly align: number;
      /** Absent: any node. */
      readonly nid?: number;
      readonly from: number;
      /** 0: no limit (or "accessible", by the function). */
      readonly maxAddr: number;
      readonly caller: string;
    })
  | (LocatedRange & {
      readonly op: 'grow';
      readonly list: MemblockList;
      readonly regions: number;
    });

/** The memblock part of a log. */
export interface MemblockLog {
  readonly dumps: readonly MemblockDump[];
  readonly operations: readonly MemblockOperation[];
}
