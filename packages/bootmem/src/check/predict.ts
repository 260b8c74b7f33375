/**
 * Predicts where the kernel's search put an allocation, from the state before it.
 *
 * A request line is followed by the reservation that it led to. Our own search runs with the request's
 * size, alignment, bounds and node, first strictly, then as the kernel falls back: any node, unless the request
 * insists on its own, then both once more without the lower bound.
 */
import type { Memblock } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import { findRoom } from '../plan/search.js';

/** A prediction and whether the kernel agrees. */
export interface Prediction {
  readonly equal: boolean;
  readonly ours: number | undefined;
  readonly kernel: number;
}

const PAGE = 4096;

/**
 * @param memblock    the state before the request
 * @param machine     the machine, and from {@link accessibleEnd} where its directly mapped memory ends
 * @param operations  printed operations in order
 * @param index       which of them
 * @returns `undefined` when the operation is no request, or the log does not show where it went
 */
export function predictAllocation(
  memblock: Memblock,
  { description, end }: { readonly description: MachineDescription; readonly end: number },
  operations: readonly MemblockOperation[],
  index: number,
): Prediction | undefined {
  const request = operations[index];
  if (request?.op !== 'alloc') return undefined;
  const answer = operations[index + 1];
  if (answer?.op !== 'reserve' || !/memblock_alloc_(?:range_nid|hugetlb)/.test(answer.caller))
    return undefined;
  if (answer.end - answer.start !== request.size) return undefined;
  const { direction } = memblock;
  if (isBootProcessor(description, request)) memblock.direction = 'bottom-up';
  const ours = findRoom(memblock, request, end);
  memblock.direction = direction;
  return { equal: ours === answer.start, ours, kernel: answer.start };
}

/**
 * ppc64 searches upwards for what its boot processor needs, before it knows of nodes, so that it comes to lie on the first.
 * @kernel alloc_paca_data
 */
function isBootProcessor(
  { architecture }: MachineDescription,
  { caller, nid }: { readonly caller: string; readonly nid?: number },
): boolean {
  return architecture === 'ppc64' && nid === undefined && caller.startsWith('alloc_paca_data');
}

/** Where directly mapped memory ends: the end of memory, once the page tables are up. */
export function accessibleEnd(description: MachineDescription): number {
  const last = description.printed.lastPfns.reduce((end, line) => Math.max(end, line.pfn), 0);
  if (last > 0) return last * PAGE;
  const memory = description.memblock.dumps[0]?.memory ?? [];
  return memory.reduce((end, region) => Math.max(end, region.end), 0);
}
