/**
 * Where the parts of the kernel's own image lie that are given back late, from /proc/iomem.
 *
 * ```
 * Kernel code |gap| Kernel rodata |gap| Kernel data | … initmem | alternatives | (nosave) | Kernel bss |
 *              text/rodata gap     rodata/data gap                                          └ decrypted
 * ```
 * Without addresses the image may lie anywhere, unless the command line forbids it: then only a machine with one
 * zone to lie in tells which.
 */
import type { PfnRange } from '@bootmem/memmap';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { KERNEL_BASE } from '../plan/reservations.js';

/** A stretch, and whether its place is known to the page or only that it lies somewhere in there. */
export interface ImagePart extends PfnRange {
  readonly exact: boolean;
  /** Pages behind it that belonged to it and were not given back. */
  readonly restPages?: number;
}

/** A line about the parts of the image that only the boot needs, as all kernels word it; gaps of the image are others. */
export const BOOT_ONLY_PARTS = /unused kernel(?! image \((?:text|rodata))|init memory|initmem/i;

/** Pages by which a part without borders of its own may be off: data that hibernation leaves alone. */
const SLACK = 2;

/**
 * Where a part of the image lies.
 * @param plan   a planned machine
 * @param what   the part as a line of `Freeing …` words it
 * @param pages  its pages
 * @returns `undefined` when it is no part of the image, or its place is not known
 */
export function imagePart(plan: LayoutPlan, what: string, pages: number): ImagePart | undefined {
  if (!/SMP alternatives|unused kernel|init memory|initmem|unused decrypted/i.test(what)) {
    return undefined;
  }
  return placed(plan, what, pages) ?? unplaced(plan);
}

function placed(plan: LayoutPlan, what: string, pages: number): ImagePart | undefined {
  const { pageSize } = plan;
  const entry = (name: string): { start: number; end: number } | undefined =>
    plan.description.proc.iomem?.find((one) => one.name === `Kernel ${name}` && one.start > 0);
  const between = (first: string, second: string): ImagePart | undefined => {
    const [from, to] = [entry(first), entry(second)];
    if (from === undefined || to === undefined) return undefined;
    const startPfn = Math.ceil(from.end / pageSize);
    const endPfn = Math.floor(to.start / pageSize);
    return endPfn - startPfn === pages ? { startPfn, endPfn, exact: true } : undefined;
  };
  if (/text\/rodata gap/i.test(what)) return between('code', 'rodata');
  if (/rodata\/data gap/i.test(what)) return between('rodata', 'data');
  const bss = entry('bss');
  if (bss === undefined) return undefined;
  if (/decrypted/i.test(what)) return somewhere(bss.start, bss.end, pageSize);
  const kb = plan.description.printed.freeing.find((one) => /SMP alternatives/i.test(one.what))?.kb;
  const locks = ((kb ?? 0) * 1024) / pageSize;
  const endPfn = Math.floor(bss.start / pageSize) - (/SMP/i.test(what) ? 0 : locks);
  return { startPfn: endPfn - pages - SLACK, endPfn, exact: false };
}

/** All places where an image can lie whose addresses are not known. */
function unplaced({ derived, description, pageSize }: LayoutPlan): ImagePart | undefined {
  if (/(?:^|\s)nokaslr(?:\s|$)/.test(description.commandLine?.text ?? '')) {
    return somewhere(KERNEL_BASE, KERNEL_BASE + 1, pageSize);
  }
  const end = derived.memory.at(-1)?.end ?? 0;
  return end > KERNEL_BASE ? somewhere(KERNEL_BASE, end, pageSize) : undefined;
}

function somewhere(start: number, end: number, pageSize: number): ImagePart {
  const [startPfn, endPfn] = [Math.floor(start / pageSize), Math.ceil(end / pageSize)];
  return { startPfn, endPfn, exact: false };
}
