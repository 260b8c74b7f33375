/**
 * The largest block of the page allocator: what `kernelcore=` and `movablecore=` are rounded to. It is a choice of the build
 * (`CONFIG_ARCH_FORCE_MAX_ORDER`), which shows in how many columns /proc/buddyinfo and /proc/pagetypeinfo have.
 *
 * ```
 * Node 0, zone   Normal   1 0 0 1 …        as many numbers as there are orders
 * ```
 * @kernel MAX_ORDER_NR_PAGES
 */
import type { MachineDescription } from '@bootmem/firmware-map';

/** Largest order of the usual build, by bytes of a page. */
const ARM64_ORDERS: Readonly<Record<number, number>> = { 4096: 10, 16384: 11, 65536: 13 };
const PPC64_ORDERS: Readonly<Record<number, number>> = { 4096: 12, 65536: 8 };
const USUAL_ORDER = 10;

/** No build has more orders than this. */
const MAX_COLUMNS = 20;

function usualOrder({ architecture }: MachineDescription, pageSize: number): number {
  switch (architecture) {
    case 'arm64':
      return ARM64_ORDERS[pageSize] ?? USUAL_ORDER;
    case 'ppc64':
      return PPC64_ORDERS[pageSize] ?? USUAL_ORDER;
    case 's390x':
      return 8;
    default:
      return USUAL_ORDER;
  }
}

/**
 * Pages of the largest block.
 * @param description  the machine
 * @param pageSize     bytes of a page
 */
export function largestBlockPages(description: MachineDescription, pageSize: number): number {
  const { buddyinfo = [], pagetypeinfo } = description.proc;
  const columns = [...buddyinfo, ...(pagetypeinfo?.free ?? [])].reduce(
    (most, { counts }) => Math.max(most, counts.length),
    0,
  );
  const isKnown = columns > 0 && columns <= MAX_COLUMNS;
  return 2 ** (isKnown ? columns - 1 : usualOrder(description, pageSize));
}
