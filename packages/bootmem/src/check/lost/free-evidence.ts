/**
 * Lines about memory given back late that are missing. Which lines a kernel prints follows from what else it printed:
 *
 * | line about                     | printed by                                                     |
 * |--------------------------------|----------------------------------------------------------------|
 * | SMP alternatives               | x86 to 7.2                                                     |
 * | initrd                         | all, where one was found; elsewhere than on x86 nothing tells  |
 * | initmem                        | all                                                            |
 * | blocks of the service processor | s390x to 7.1                                                  |
 * | decrypted, gaps of the image   | x86-64; a gap where code, or read-only data, ends inside 2 MiB |
 * | areas of the contiguous allocator | all: they add up to `cma-reserved`                          |
 * | doubled arrays of memblock     | those that give memblock up: one free for each list            |
 * | tables of message interrupts   | GICv3: one of the machine and one of each processor            |
 */
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { BOOT_ONLY_PARTS } from '../image-frees.js';

/** Code and read-only data are mapped in pages of this size, KiB. */
const LARGE_PAGE_KB = 2048;

/** What is missing, in words. */
export function freeEvidence(plan: LayoutPlan): string | undefined {
  const said = plan.description.printed.freeing.map(({ what }) => what);
  const missing = expected(plan).find(([, words]) => !said.some((what) => words.test(what)));
  if (missing !== undefined) return `the log has no line about giving back ${missing[0]}`;
  return areaEvidence(plan) ?? arrayEvidence(plan) ?? tableEvidence(plan);
}

function tableEvidence({ description: { cpus, printed } }: LayoutPlan): string | undefined {
  const tables = printed.uses?.filter(({ what }) => what === 'interrupt-table').length ?? 0;
  const processors = cpus.online ?? cpus.present ?? cpus.possible ?? Infinity;
  return tables > 0 && tables < 1 + processors
    ? 'the log has no line about a table of message interrupts'
    : undefined;
}

function expected(plan: LayoutPlan): [string, RegExp][] {
  const { description, kernel } = plan;
  const { architecture, printed } = description;
  const isX86 = architecture === 'x86_64' || architecture === 'i386';
  const lines: [string, RegExp][] = [
    ['the parts of the image that only the boot needs', BOOT_ONLY_PARTS],
  ];
  // Elsewhere than on x86 nothing is printed that tells a machine without one.
  const hasInitrd = printed.ramdisk !== undefined || !isX86;
  if (hasInitrd) lines.push(['the initrd', /initrd/i]);
  if (isX86 && kernel.printed.freesAlternatives) {
    lines.push(['what only several processors need', /SMP alternatives/i]);
  }
  if (architecture === 's390x' && kernel.printed.freesServiceBlocks) {
    lines.push(['blocks of the service processor', /sccb/i]);
  }
  const { operations } = description.memblock;
  const keepsServices = operations.some(
    (one) => one.op === 'reserve' && one.caller.includes('efi_reserve_boot_services'),
  );
  if (keepsServices && !operations.some(({ op }) => op === 'free-late')) {
    lines.push(['EFI boot services', /boot services/i]);
  }
  if (architecture !== 'x86_64' || !kernel.printed.freesImageGaps) return lines;
  const parts = printed.memory?.partsKb ?? {};
  const endsInside = (kb = 1): boolean => kb % LARGE_PAGE_KB >= 4;
  lines.push(['decrypted memory', /decrypted/i]);
  if (endsInside(parts['kernel code']))
    lines.push(['the gap behind the code', /text\/rodata gap/i]);
  if (endsInside(parts['rodata']))
    lines.push(['the gap behind read-only data', /rodata\/data gap/i]);
  return lines;
}

function areaEvidence({ description }: LayoutPlan): string | undefined {
  const { memory, cma = [], hugetlb } = description.printed;
  const total = memory?.partsKb['cma-reserved'];
  const named = cma.reduce((kb, { bytes }) => kb + bytes / 1024, 0);
  if (total !== undefined && total !== named) {
    return `the log names contiguous areas of ${named} KiB, its total is ${total} KiB`;
  }
  const gigantic = hugetlb.some(
    ({ pageBytes, preallocated }) => pageBytes >= 2 ** 30 && preallocated > 0,
  );
  const requests = description.memblock.operations.filter(
    (one) => one.op === 'alloc' && one.align === one.size && one.size >= 2 ** 29,
  );
  return gigantic && description.memblock.dumps.length > 0 && requests.length === 0
    ? 'the log has no requests for its huge pages'
    : undefined;
}

function arrayEvidence({ description }: LayoutPlan): string | undefined {
  const { operations } = description.memblock;
  const lists = new Set(operations.flatMap((one) => (one.op === 'grow' ? [one.list] : [])));
  const freed = operations.filter(
    (one) => one.op === 'free-late' && one.caller.startsWith('memblock_discard'),
  );
  // Architectures that keep memblock free nothing.
  if (description.proc.memblock !== undefined || freed.length >= lists.size) return undefined;
  return 'the log has no line about giving back an array of memblock';
}
