/**
 * Memory that the firmware keeps twice ("mirrored", more reliable): the kernel marks it when it reads the EFI map, and a
 * range ends where the mark does.
 *
 * ```
 * EFI map         |  WB  |  WB MR  |      WB      |
 * memory           ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
 * parts            ······|mirrored |··············
 * ```
 * @kernel efi_find_mirror
 */
import { profileForRelease } from '../base/releases.js';
import type { ByteRange, MachineDescription } from '../types/all.js';
import type { NodeBlock } from './assign-nodes.js';
import { clip, normalise, subtract } from './intervals.js';

/** Mark of memblock's regions. */
const MIRROR = 0x2;

/**
 * What a machine's kernel marks.
 * @param release  whose rules count; default: the description's
 * @returns sorted, disjoint; none where neither the EFI map nor a dump of memblock's lists is in the log
 */
export function mirroredRanges(description: MachineDescription, release?: string): ByteRange[] {
  const { architecture, kernel, options, firmware, memblock } = description;
  const { marksMirrored } = profileForRelease(release ?? kernel?.release);
  const { kernelcore } = options;
  const isAsked = kernelcore !== undefined && 'mirror' in kernelcore;
  const isX86 = architecture === 'x86_64' || architecture === 'i386';
  const isMarking =
    marksMirrored === 'when-asked'
      ? isAsked && (isX86 || architecture === 'arm64')
      : marksMirrored === 'always' && isX86;
  if (!isMarking) return [];
  const told = firmware.efi.filter(({ attributes }) => attributes.includes('MR'));
  if (firmware.efi.length > 0) return normalise(told);
  const last = memblock.dumps.findLast(({ memory }) => memory.length > 0);
  return normalise((last?.memory ?? []).filter(({ flags }) => (flags & MIRROR) !== 0));
}

/**
 * Splits memory at the borders of what is mirrored.
 * @param parts     sorted, disjoint
 * @param mirrored  sorted, disjoint
 */
export function markMirrored(
  parts: readonly NodeBlock[],
  mirrored: readonly ByteRange[],
): NodeBlock[] {
  if (mirrored.length === 0) return [...parts];
  const marked = mirrored.flatMap((range) =>
    clip(parts, range).map((part) => ({ ...part, mirror: true as const })),
  );
  return [...subtract(parts, mirrored), ...marked].sort((a, b) => a.start - b.start);
}
