/**
 * Lines of the memory map that are missing, told by the ranges that the kernel made of it.
 *
 * - Memory that no line of the map calls memory: such a line is lost. No kernel adds memory to its map in silence.
 * - Memory of the map that the kernel does not have, though no line and no option takes anything away there: the line that
 *   took it away is lost, or the line of the range itself.
 * - Page numbers that end (`last_pfn`) above every line that may end them: the line of that end is lost. Since 6.11 ACPI data
 *   counts there too, and with it the ranges of zones, though none of it is memory.
 */
import { intersect, isStep, normalise, subtract, totalLength } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { ByteRange } from '@bootmem/firmware-map/types';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { formatMemRange } from '../../format/numbers.js';

/** Bytes of a page where firmware gives a map of this kind: x86. */
const PAGE = 4096;

/** What is missing from the map, in words. */
export function* mapEvidence(plan: LayoutPlan): Steps<string | undefined> {
  return (yield* rangeEvidence(plan)) ?? endEvidence(plan);
}

/** Memory that the kernel has, against the lines of its map. */
function* rangeEvidence(plan: LayoutPlan): Steps<string | undefined> {
  const { description, derived, pageSize } = plan;
  const printed = description.printed.earlyRanges;
  if (
    description.kernel?.release.includes('xen') === true &&
    description.firmware.map.length === 0
  ) {
    return 'the log lacks the map that Xen gave the kernel';
  }
  if (printed.length === 0) return undefined;
  if (derived.source === 'early-ranges') return sumEvidence(plan);
  const mapped = mappedRanges(plan);
  yield;
  const [more] = mapped === undefined ? [] : subtract(normalise(printed), mapped);
  yield;
  if (more !== undefined && totalLength([more]) >= pageSize) {
    return `the log lacks lines of its map: memory at ${formatMemRange(more.start, more.end)} is in none of them`;
  }
  const unprinted = subtract(normalise(derived.memory), printed);
  yield;
  const less = subtract(unprinted, explained(plan));
  yield;
  if (totalLength(less) < pageSize || !(yield* looksLost(plan, less))) return undefined;
  const at = formatMemRange(less[0]!.start, less[0]!.end);
  return `the log lacks lines: memory at ${at} is in its map and not in the kernel's ranges, and no line takes it away`;
}

/**
 * Memory too much in the map is no lost line where the printed total counts it, unless it is a whole range: then that
 * range's own line is lost.
 */
function* looksLost(plan: LayoutPlan, less: readonly ByteRange[]): Steps<boolean> {
  const { memory, nodeSource } = plan.derived;
  // Nodes that are known from these very lines: a line less is a node less.
  if (nodeSource === 'early-ranges' || totalBytes(plan) !== totalLength(memory)) return true;
  const early = normalise(plan.description.printed.earlyRanges);
  yield;
  const untouched: ByteRange[] = [];
  for (const [index, range] of memory.entries()) {
    if (isStep(index)) yield;
    if (intersect([range], early).length === 0) untouched.push(range);
  }
  const whole = normalise(untouched);
  yield;
  return totalLength(intersect(less, whole)) === totalLength(less);
}

/** Kinds of entries of which some release lets page numbers end. */
const ENDS_PAGES: ReadonlySet<string> = new Set([
  'usable',
  'unaccepted',
  'persistent',
  'soft-reserved',
  'acpi-data',
]);

/** What the kernel said of the end of page numbers after its map, against the lines of that map. */
function endEvidence({ description, derived }: LayoutPlan): string | undefined {
  const { firmware, options, printed } = description;
  const source = derived.source as string;
  // Options that change a map which is not printed again may end it anywhere.
  if (source === 'firmware-map' && options.memmap.length > 0) return undefined;
  const map = {
    'firmware-map': firmware.map,
    'user-map': firmware.user,
    'modified-map': firmware.modified,
  }[source];
  const since = map?.at(-1)?.line;
  if (map === undefined || since === undefined) return undefined;
  const counted = map.filter(({ kind }) => ENDS_PAGES.has(kind));
  const end = counted.reduce((most, entry) => Math.max(most, entry.end), 0);
  const told = printed.lastPfns.find(({ pfn, line }) => line > since && pfn * PAGE > end);
  if (told === undefined) return undefined;
  return `the log lacks lines of its map: page numbers end at 0x${told.pfn.toString(
    16,
  )}, above all of them`;
}

/** All that the lines of the map in force call memory, before edits. */
function mappedRanges({ description, derived }: LayoutPlan): readonly ByteRange[] | undefined {
  const { firmware, options } = description;
  switch (derived.source) {
    case 'firmware-map':
      return memoryIn(firmware.map.length > 0 ? firmware.map : firmware.setupData);
    case 'user-map':
      return firmware.user.length > 0 ? memoryIn(firmware.user) : askedFor(options);
    case 'modified-map':
      return memoryIn(firmware.modified);
    case 'efi-map':
      return firmware.efi;
    case 'banks':
      return memoryIn(firmware.banks ?? []);
    default:
      return undefined;
  }
}

/** Memory that `mem=SIZE@START` names, where no range of it is printed. */
function askedFor({ memAt = [] }: LayoutPlan['description']['options']): ByteRange[] | undefined {
  if (memAt.length === 0) return undefined;
  return memAt.map(({ start, size }) => ({ start, end: start + size }));
}

function memoryIn(entries: readonly (ByteRange & { readonly kind: string })[]): ByteRange[] {
  return entries.filter(({ kind }) => kind === 'usable' || kind === 'unaccepted');
}

/** Where a line or an option changes the map. */
function explained({ description, derived }: LayoutPlan): ByteRange[] {
  const { firmware, options } = description;
  // What came before a map that was printed again is in it.
  const again = { 'user-map': firmware.user, 'modified-map': firmware.modified }[
    derived.source as string
  ];
  const since = again?.at(-1)?.line;
  if (since !== undefined) return firmware.edits.filter(({ line }) => line > since);
  const asked = options.memmap.map(({ form, start = 0, size = 0 }) =>
    form === 'exactmap' || form === 'limit'
      ? { start: 0, end: Infinity }
      : { start, end: start + size },
  );
  // Elsewhere than where firmware gives such a map the limit is an amount, and what remains of memory is known by itself.
  const isAddress = derived.source === 'firmware-map' && options.mem !== undefined;
  const limit = isAddress ? [{ start: options.mem, end: Infinity }] : [];
  return [...firmware.edits, ...asked, ...limit];
}

/** Where the ranges are all the log says of memory, they must add up to the printed total. */
function sumEvidence(plan: LayoutPlan): string | undefined {
  const bytes = totalBytes(plan);
  const sum = totalLength(plan.derived.memory);
  if (bytes === undefined || bytes === sum) return undefined;
  const end = Math.max(...plan.description.printed.zoneRanges.map(({ range }) => range?.end ?? 0));
  if (end > 0 && totalLength(intersect(plan.derived.memory, [{ start: 0, end }])) === bytes) {
    return 'memory above the end of the last zone is in none of them';
  }
  return `the log lacks lines: its early ranges add up to ${sum / 1024} KiB, its totals to ${
    bytes / 1024
  } KiB`;
}

/**
 * Early ranges that are missing: those printed are less than the total that the kernel made of them. In a log whose nodes
 * stand in them alone, nodes are missing with them. On x86 the map tells which whole range it is that is missing.
 */
export function earlyRangeEvidence(plan: LayoutPlan): string | undefined {
  const { architecture } = plan.description;
  if (architecture === 'x86_64' || architecture === 'i386') return undefined;
  const printed = totalLength(normalise(plan.description.printed.earlyRanges));
  const bytes = totalBytes(plan) ?? 0;
  return printed > 0 && printed < bytes
    ? `the log lacks lines: its early ranges add up to ${printed / 1024} KiB, its totals to ${bytes / 1024} KiB`
    : undefined;
}

/** Memory present as the kernel counted it. */
function totalBytes({ description, derived }: LayoutPlan): number | undefined {
  const { memory, nodePages } = description.printed;
  if (nodePages.length > 0) {
    return nodePages.reduce((sum, { totalPages }) => sum + totalPages, 0) * derived.pageSize;
  }
  return memory && (memory.totalKb - (memory.partsKb['absent'] ?? 0)) * 1024;
}
