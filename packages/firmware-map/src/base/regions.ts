/**
 * What lists of memblock are, whoever prints them: regions one after the other, marks of 16 bits, alignments that are powers of two.
 * Who rebuilds a state from a description may rely on it.
 */
import type { ByteRange } from '../types/all.js';

/** All marks that a region can have. */
export const MAX_FLAGS = 0xffff;

/** Whether regions are ascending and do not overlap, as in every list of memblock. */
export function areRegions(list: readonly ByteRange[]): boolean {
  return list.every(
    ({ start, end }, index) => start < end && (index === 0 || list[index - 1]!.end <= start),
  );
}

/** Whether a request may ask for it: nothing, or a power of two. */
export function isAlignment(align: number): boolean {
  return align === 0 || 2 ** Math.round(Math.log2(align)) === align;
}
