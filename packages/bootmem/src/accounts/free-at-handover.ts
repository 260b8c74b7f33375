/** How much memory a boot hands to its page allocator. */
import { MemFlags } from '@bootmem/memblock';
import type { LoadedMachine } from '../input/types.js';
import { toPageFrames } from '../plan/page-frames.js';
import { planLayout } from '../plan/layout-plan.js';
import { handover } from './handover.js';

/**
 * Bytes in whole pages that `bootMemory` makes free.
 * @param input  a loaded machine
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 */
export function freeAtHandover({ description }: LoadedMachine): number {
  const plan = planLayout(description);
  const free = [...handover(plan).memblock.freeRanges({ flags: MemFlags.NONE })];
  const pages = toPageFrames(free, plan.pageSize, 'inward').reduce(
    (sum, { startPfn, endPfn }) => sum + endPfn - startPfn,
    0,
  );
  return pages * plan.pageSize;
}
