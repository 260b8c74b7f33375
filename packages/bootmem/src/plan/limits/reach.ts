/**
 * How far any boot can reach, whatever its options: memory that could not get to its first allocation is refused before it is
 * planned, so that a line of a log costs no more than other lines do.
 */
import { BootmemError } from '../../errors.js';
import { MAX_ADDRESS_BITS } from '../../input/address-limits.js';

/** Descriptors that a machine can have at a time: their index has 31 bits. */
export const MAX_DESCRIPTORS = 2 ** 31;
/** A kernel's descriptors take a 64th of its memory, and lie in it: their pages are initialised before all others. */
const PAGES_PER_DESCRIPTOR_PAGE = 64;
/** Sections of a machine: what comes before a boot costs a step for each. */
const MAX_SECTIONS = 2 ** 22;

/**
 * Refuses memory that no boot can bring up to its first allocation, and that would take long to plan. O(ranges).
 * @param memory           page frames, ascending
 * @param pageSize         bytes of a page
 * @param pagesPerSection  of the machine
 * @throws BootmemError ERR_BOOTMEM_INPUT with what it would need
 */
export function checkReach(
  memory: readonly { readonly startPfn: number; readonly endPfn: number }[],
  pageSize: number,
  pagesPerSection: number,
): void {
  const pages = memory.reduce((sum, range) => sum + range.endPfn - range.startPfn, 0);
  const end = (memory.at(-1)?.endPfn ?? 0) * pageSize;
  const details = { pages, pageSize, pagesPerSection };
  if (end > 2 ** MAX_ADDRESS_BITS) {
    throw new BootmemError(
      'ERR_BOOTMEM_INPUT',
      `memory ends at 0x${end.toString(16)}, beyond the ${MAX_ADDRESS_BITS} bits of a physical address`,
      details,
    );
  }
  const early = Math.ceil(pages / PAGES_PER_DESCRIPTOR_PAGE);
  const sections = Math.ceil(pages / pagesPerSection);
  if (early <= MAX_DESCRIPTORS && sections <= MAX_SECTIONS) return;
  throw new BootmemError(
    'ERR_BOOTMEM_INPUT',
    `the machine has ${pages} pages of memory in ${sections} sections: to its first allocation the boot needs ${early} ` +
      `page descriptors or more, and ${MAX_DESCRIPTORS} can be numbered, of ${MAX_SECTIONS} sections`,
    details,
  );
}
