/**
 * Where the kernel's search puts a request, from a state: strictly first, then on any node, then both once
 * more without the lower bound.
 * @kernel memblock_alloc_range_nid, memblock_alloc_internal
 */
import type { Memblock } from '@bootmem/memblock';
import type { MemblockOperation } from '@bootmem/firmware-map/types';

/** A request of the log. */
export type Request = Extract<MemblockOperation, { op: 'alloc' }>;

const PAGE = 4096;

/**
 * Finds room.
 * @param memblock    the state
 * @param request     as the log words it
 * @param accessible  where memory ends that can be used so far
 * @returns an address, or `undefined` when nothing fits
 */
export function findRoom(
  memblock: Memblock,
  request: Request,
  accessible: number,
): number | undefined {
  // 1 is "accessible" too, for memory that the leak tracker is not told of.
  const end = request.maxAddr > 1 ? request.maxAddr : accessible;
  const exact = request.kernelName.includes('exact_nid');
  const isRange = request.kernelName.includes('phys_alloc_range');
  const find = (start: number, nid: number | undefined): number | undefined =>
    memblock.findInRange(request.size, {
      align: Math.max(request.align, 1),
      start: Math.max(start, PAGE),
      end,
      ...(nid === undefined ? {} : { nid }),
    });
  const findFrom = (start: number): number | undefined =>
    find(start, request.nid) ??
    (request.nid === undefined || exact ? undefined : find(start, undefined));
  const found = findFrom(request.from);
  return found === undefined && request.from > 0 && !isRange ? findFrom(0) : found;
}
