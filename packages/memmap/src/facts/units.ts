/**
 * Units: page frame numbers and the arithmetic of powers of two.
 *
 *     address  0x0000_0001_2345_6789      pfn = address / 2**pageShift
 *              |------ pfn ------|-offset-|
 *
 * Source: Documentation/mm/physical_memory.rst.
 */

/** Range of page frames `[startPfn, endPfn)`. */
export interface PfnRange {
  readonly startPfn: number;
  readonly endPfn: number;
}

/** A run of whole pages of memory that belongs to one node. */
export interface MemoryPfnRange extends PfnRange {
  readonly nid: number;
  /** The firmware says this memory can be taken out (only `movable_node` looks at it). */
  readonly hotplug?: boolean;
  /** Mirrored (reliable) memory: of the lower zone where Movable overlaps it (`kernelcore=mirror`). */
  readonly mirror?: boolean;
}

/** Highest page frame number: 52 address bits of 4 KiB pages. */
export const MAX_PFN = 2 ** 40;
/** Number of nodes that can be named. */
export const MAX_NODES = 1024;
/** Largest order that a descriptor can record. */
export const MAX_RECORDABLE_ORDER = 15;

/** `value` rounded down to a multiple of `2 ** bits`; exact up to 2**53. */
export function alignDown(value: number, bits: number): number {
  const unitSize = 2 ** bits;
  return Math.floor(value / unitSize) * unitSize;
}

/** `value` rounded up to a multiple of `2 ** bits`; exact up to 2**53. */
export function alignUp(value: number, bits: number): number {
  const unitSize = 2 ** bits;
  return Math.ceil(value / unitSize) * unitSize;
}
