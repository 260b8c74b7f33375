/** Memory as the EFI map has it, for kernels that have no other: by type on x86, by attribute elsewhere. */
import { DEFAULT_PAGE_SIZE } from '../base/constants.js';
import type { ProblemList } from '../base/problem-list.js';
import type { ByteRange, EfiEntry, MachineDescription } from '../types/all.js';
import type { Found } from './found.js';
import { clip, normalise, outward, subtract } from './intervals.js';
import { isX86 } from './is-x86.js';

// Conventional memory, and what the loader and the boot services leave behind, is memory to the kernel.
const EFI_USABLE = new Set([1, 2, 3, 4, 7, 15]);
// Where there is no other map, ACPI tables and persistent memory are mapped like memory.
const EFI_MAPPED = new Set([...EFI_USABLE, 9, 14]);

/** Memory from the EFI map; a warning says so. */
export function fromEfi(description: MachineDescription, problems: ProblemList): Found | undefined {
  const { firmware } = description;
  const found = isX86(description) ? fromEfiByType(firmware.efi) : fromEfiByAttribute(description);
  if (found === undefined) return undefined;
  const line = firmware.efi[0]!.line;
  problems.warn('ASSUMED', line, 'no other map: memory is taken from the EFI memory map');
  return found;
}

function fromEfiByType(efi: readonly EfiEntry[]): Found | undefined {
  const usable = efi.filter(({ type }) => EFI_USABLE.has(type ?? -1));
  if (usable.length === 0) return undefined;
  const device = efi
    .filter(({ type }) => type === 14)
    .map(({ start, end }) => ({ start, end, kind: 'persistent' as const }));
  return { usable, device, source: 'efi-map' };
}

// Every descriptor that can be cached is memory, rounded outward to the kernel's pages; what firmware goes on using is
// never mapped, and wins where rounding makes the two meet.
function fromEfiByAttribute({
  firmware,
  pageSize,
  options,
}: MachineDescription): Found | undefined {
  const page = pageSize ?? DEFAULT_PAGE_SIZE;
  const cached = firmware.efi.filter(({ attributes }) =>
    attributes.some((name) => name === 'WB' || name === 'WT' || name === 'WC'),
  );
  if (cached.length === 0) return undefined;
  const own = cached.filter(({ type }) => !EFI_MAPPED.has(type ?? -1));
  const tree = (firmware.deviceTree ?? []).filter((range) => range.noMap);
  const mapped = outward(
    cached.filter(({ type }) => EFI_MAPPED.has(type ?? -1)),
    page,
  );
  const noMap = outward([...own, ...intersect(mapped, tree)], page);
  const usable = subtract(mapped, noMap);
  return {
    usable: options.mem === undefined ? usable : firstBytes(usable, options.mem),
    noMap,
    device: [],
    source: 'efi-map',
  };
}

function intersect(ranges: readonly ByteRange[], windows: readonly ByteRange[]): ByteRange[] {
  return windows.flatMap((window) => clip(ranges, window));
}

/** `mem=` outside x86: an amount of memory, from the lowest address on. @kernel memblock_mem_limit_remove_map */
function firstBytes(ranges: readonly ByteRange[], bytes: number): ByteRange[] {
  const result: ByteRange[] = [];
  let left = bytes;
  for (const { start, end } of normalise(ranges)) {
    if (left <= 0) break;
    result.push({ start, end: Math.min(end, start + left) });
    left -= end - start;
  }
  return result;
}
