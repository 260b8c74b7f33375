/**
 * Units: page frame numbers, byte addresses, block orders, node numbers.
 *
 * The brands only keep the units apart from each other: a plain number is accepted everywhere, a `Pfn`
 * where a `PhysAddr` is wanted is a compile error. Each has three makers: `x(n)` throws, `tryX(n)` gives
 * undefined, `xUnchecked(n)` casts and is meant for inner loops.
 *
 *     address  0x0000_0001_2345_6789      pfn = address / 2**pageShift
 *              |------ pfn ------|-offset-|
 *
 * Source: Documentation/mm/physical_memory.rst.
 */
import { MemmapError } from './errors.js';

declare const unit: unique symbol;

/** Page frame number: physical address divided by the page size; 0 .. 2**40. */
export type Pfn = number & { readonly [unit]?: 'pfn' };
/** Physical address in bytes; a safe integer. */
export type PhysAddr = number & { readonly [unit]?: 'address' };
/** Block order: the block has `2 ** order` pages. */
export type Order = number & { readonly [unit]?: 'order' };
/** Node number (NUMA domain), 0 .. 1023. */
export type Nid = number & { readonly [unit]?: 'nid' };

/** Highest page frame number: 52 address bits of 4 KiB pages. */
export const MAX_PFN = 2 ** 40;
/** Number of nodes that can be named. */
export const MAX_NODES = 1024;
/** Largest order that a descriptor can record. */
export const MAX_RECORDABLE_ORDER = 15;

const isCount = (value: number, end: number): boolean =>
  Number.isSafeInteger(value) && value >= 0 && value <= end;

/**
 * A checked page frame number.
 * @throws ERR_MEMMAP_ARGUMENT unless `value` is an integer in 0 .. MAX_PFN
 */
export function pfn(value: number): Pfn {
  if (isCount(value, MAX_PFN)) return value;
  throw new MemmapError('ERR_MEMMAP_ARGUMENT', `pfn is an integer in 0..2^40, got ${value}`, {
    value,
  });
}

/** A page frame number, or undefined when `value` is none. */
export function tryPfn(value: number): Pfn | undefined {
  return isCount(value, MAX_PFN) ? value : undefined;
}

/** The number as it is, for inner loops whose input was checked at the border. */
export function pfnUnchecked(value: number): Pfn {
  return value;
}

/**
 * A checked block order.
 * @throws ERR_MEMMAP_ARGUMENT unless `value` is an integer in 0 .. 15
 */
export function order(value: number): Order {
  if (isCount(value, MAX_RECORDABLE_ORDER)) return value;
  throw new MemmapError('ERR_MEMMAP_ARGUMENT', `order is an integer in 0..15, got ${value}`, {
    value,
  });
}

/** First byte of a page. @param pageShift log2 of the page size */
export function pfnToAddress(frame: Pfn, pageShift: number): PhysAddr {
  return (frame as number) * 2 ** pageShift;
}

/** Page that holds the byte at `address`. @param pageShift log2 of the page size */
export function addressToPfn(address: PhysAddr, pageShift: number): Pfn {
  return Math.floor((address as number) / 2 ** pageShift);
}

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
