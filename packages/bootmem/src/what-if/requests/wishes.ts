/**
 * What options ask of early memory: an amount, where it may lie, and when in the boot it is taken.
 */
import type { Memblock } from '@bootmem/memblock';
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import type { ByteSpan } from '../../explain-result.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';

/** When: once nodes are known, before descriptors (or with the command line), with the command line. */
export type WishStage = 'nodes' | 'gigantic' | 'command-line';

/** Where a wish finds memory. */
export interface WishContext {
  readonly memblock: Memblock;
  readonly plan: LayoutPlan;
  readonly line: number;
  /** Writes an operation down, as a log with `memblock=debug` has it. */
  readonly record: (operation: MemblockOperation) => void;
}

/** What came of a wish. */
export interface WishOutcome {
  /** Stable name: `crashkernel`, `cma`, `huge pages node 0`. */
  readonly id: string;
  readonly kind: 'crashkernel' | 'cma' | 'huge-pages' | 'reserve-mem';
  readonly label: string;
  readonly asked: number;
  readonly ranges: readonly ByteSpan[];
  /** Bytes of one, for pages. */
  readonly each?: number;
  /** Why less was got than asked. */
  readonly failed?: string;
}

/** Something that an option asks for. */
export interface Wish {
  readonly stage: WishStage;
  reserve(context: WishContext): readonly WishOutcome[];
}

/** Something that an option asks for, and whose outcome is not known. */
export interface NoModel {
  readonly id: string;
  readonly label: string;
  readonly why: string;
}

/** All of them, in the order in which a kernel takes them. */
export type Wishes = readonly Wish[];

/** A search within a wish. */
export interface WishRequest {
  readonly size: number;
  readonly align: number;
  readonly from?: number;
  readonly to?: number;
  readonly nid?: number;
  readonly caller: string;
}

/**
 * Finds room and takes it.
 * @returns where, or `undefined`
 */
export function takeFor(context: WishContext, request: WishRequest): ByteSpan | undefined {
  const { memblock, record, line } = context;
  const { size, align, from = 0, to = memblock.endOfDram, nid, caller } = request;
  const start = memblock.findInRange(size, {
    align,
    start: Math.max(from, context.plan.pageSize),
    end: Math.min(to, memblock.endOfDram),
    ...(nid === undefined ? {} : { nid }),
  });
  if (start === undefined) return undefined;
  const own = { caller, line };
  const node = nid === undefined ? {} : { nid };
  const kernelName = 'memblock_alloc_range_nid';
  record({ op: 'alloc', kernelName, size, align, from, maxAddr: to, ...own, ...node });
  const range = { start, end: start + size };
  memblock.reserve(start, size);
  record({ op: 'reserve', ...range, caller: kernelName, line });
  return range;
}

/** Gives a range back. */
export function giveBack({ memblock, record, line }: WishContext, range: ByteSpan): void {
  memblock.free(range.start, range.end - range.start);
  record({ op: 'free', ...range, caller: 'memblock_phys_free', line });
}
