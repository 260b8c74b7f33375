/**
 * The map that memblock gets: the firmware's, changed in the order in which the log tells it.
 *
 *   BIOS-e820 map ─▶ setup_data map ─▶ user map ─▶ modified map      each printed in full: the last one stands
 *                 └▶ update / remove lines after it are applied to it
 *
 * A later range beats an earlier one where they overlap, as far as kinds go: the kernel's own rule when it sorts out
 * an overlapping map is "the higher type number wins", and reserved beats usable in it.
 *
 * Without a printed user map, options of the command line are applied here ({@link applyOptions}).
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import { kindOfType } from '../base/range-kinds.js';
import type { ProblemList } from '../base/problem-list.js';
import { profileForRelease } from './releases.js';
import type {
  ByteRange,
  MachineDescription,
  MapEdit,
  MapEntry,
  MemmapOption,
  RangeKind,
} from '../types/all.js';
import { subtract, totalLength } from './intervals.js';

/** A stretch of the final map. */
export interface KindRange extends ByteRange {
  readonly kind: RangeKind;
}

/** Where the final map came from. */
interface FinalMap {
  readonly ranges: readonly KindRange[];
  readonly source: 'firmware-map' | 'user-map' | 'modified-map';
}

// Higher wins where entries of one map overlap.
const RANK: Readonly<Record<RangeKind, number>> = {
  gap: 0,
  usable: 1,
  unaccepted: 2,
  reserved: 3,
  'acpi-data': 4,
  'acpi-nvs': 5,
  unusable: 6,
  persistent: 7,
  other: 8,
  'soft-reserved': 9,
};

/**
 * The final map of a description that holds a firmware map.
 * @param problems  gets what was assumed
 * @param release   kernel release whose rules count
 * @returns `undefined` when it holds none
 */
export function finalMap(
  description: MachineDescription,
  problems: ProblemList,
  release = description.kernel?.release,
): FinalMap | undefined {
  const { firmware, options } = description;
  const base = lastPrintedMap(description);
  if (base === undefined) return undefined;
  const edits = firmware.edits.filter((edit) => edit.line > base.lastLine && edit.late !== true);
  let ranges = flatten(base.entries);
  for (const edit of edits) ranges = applyEdit(ranges, edit);
  const wasUserMapPrinted = firmware.user.length > 0;
  if (!wasUserMapPrinted && !areLimitsPrinted(firmware.edits)) {
    ranges = applyOptions(ranges, options, problems, description.commandLine?.line ?? 0);
  }
  if (isX86(description)) {
    const { lowReserve } = profileForRelease(release);
    const left = withoutBios(ranges, lowReserve);
    // A log usually says so; where it does not, that is worth a word.
    const isLog = description.source.format === 'boot-log';
    if (isLog && usableBytes(left) !== usableBytes(ranges)) {
      const message = `the first ${lowReserve} bytes and 0xa0000-0xfffff are taken out, as x86 kernels do (this log does not hold their lines about it)`;
      problems.warn('ASSUMED', base.lastLine, message);
    }
    ranges = left;
  }
  return { ranges: ranges.sort((a, b) => a.start - b.start), source: base.source };
}

function isX86({ architecture }: MachineDescription): boolean {
  return architecture === undefined || architecture === 'x86_64' || architecture === 'i386';
}

// What x86 kernels never use: the first page, and the window of video memory and option ROMs. They say so at debug
// level, so many logs do not hold the lines.
function withoutBios(ranges: readonly KindRange[], lowReserve: number): KindRange[] {
  const windows = [
    { start: 0, end: lowReserve },
    { start: 0xa0000, end: 0x100000 },
  ];
  let result = [...ranges];
  for (const window of lowReserve === 0 ? [] : windows) {
    result = removeKind(result, window, 'usable');
  }
  return result;
}

function usableBytes(ranges: readonly KindRange[]): number {
  return totalLength(ranges.filter(({ kind }) => kind === 'usable'));
}

interface PrintedMap {
  readonly entries: readonly MapEntry[];
  readonly source: FinalMap['source'];
  readonly lastLine: number;
}

function lastPrintedMap(description: MachineDescription): PrintedMap | undefined {
  const { firmware, proc } = description;
  const own = firmware.map.length > 0 ? firmware.map : (proc.firmwareMemmap ?? []);
  const maps: PrintedMap[] = [];
  // The setup_data map only cuts the firmware's entries at the boot loader's data, without changing what is usable.
  const first = own.length > 0 ? own : firmware.setupData;
  for (const [entries, source] of [
    [first, 'firmware-map'],
    [firmware.user, 'user-map'],
    [firmware.modified, 'modified-map'],
  ] as const) {
    const last = lastOf(entries.filter(({ late }) => late !== true));
    if (last.length > 0) maps.push({ entries: last, source, lastLine: last.at(-1)!.line });
  }
  return maps.length === 0
    ? undefined
    : maps.reduce((best, map) => (map.lastLine >= best.lastLine ? map : best));
}

// A map may be printed twice under one name; then the second one stands.
function lastOf(entries: readonly MapEntry[]): readonly MapEntry[] {
  const sameProvider = entries.filter((entry) => entry.provider === entries[0]!.provider);
  const half = sameProvider.length / 2;
  const again = sameProvider.slice(half);
  const isRepeated =
    Number.isInteger(half) &&
    again.every(
      ({ start, end }, index) =>
        start === sameProvider[index]!.start && end === sameProvider[index]!.end,
    );
  return isRepeated ? again : sameProvider;
}

/** Sorted, disjoint stretches; where entries overlap the higher rank wins. */
function flatten(entries: readonly MapEntry[]): KindRange[] {
  const byRank = entries
    .filter((entry) => entry.kind !== 'gap')
    .toSorted((a, b) => RANK[b.kind] - RANK[a.kind]);
  let result: KindRange[] = [];
  for (const { start, end, kind } of byRank) {
    result = [...result, ...subtract([{ start, end, kind }], result)];
  }
  return result.sort((a, b) => a.start - b.start);
}

function applyEdit(ranges: readonly KindRange[], edit: MapEdit): KindRange[] {
  const hit = (range: KindRange): boolean => edit.from === undefined || range.kind === edit.from;
  const window = [{ start: edit.start, end: edit.end }];
  const kept = ranges.flatMap((range) => (hit(range) ? subtract([range], window) : [range]));
  if (edit.action === 'remove' || edit.to === undefined) return kept;
  const changed: KindRange[] = [];
  for (const range of ranges) {
    const start = Math.max(range.start, edit.start);
    const end = Math.min(range.end, edit.end);
    if (hit(range) && start < end) changed.push({ start, end, kind: edit.to });
  }
  return [...kept, ...changed].sort((a, b) => a.start - b.start);
}

// `mem=` prints "e820: remove [mem X-0xfffffffffffffffe] usable": then the log tells its effect already.
function areLimitsPrinted(edits: readonly MapEdit[]): boolean {
  return edits.some((edit) => edit.action === 'remove' && edit.end >= PHYS_ADDR_MAX);
}

/**
 * Applies `mem=` and `memmap=` to a map, in the order of the command line.
 * @kernel parse_memmap_one, parse_memopt
 */
function applyOptions(
  ranges: readonly KindRange[],
  options: MachineDescription['options'],
  problems: ProblemList,
  line: number,
): KindRange[] {
  let result = [...ranges];
  for (const option of options.memmap) result = applyMemmap(result, option);
  if (options.mem !== undefined) {
    result = removeKind(result, { start: options.mem, end: PHYS_ADDR_MAX }, 'usable');
  }
  if (options.memmap.length > 0 || options.mem !== undefined) {
    const message =
      'no "user:" map is printed: mem= and memmap= of the command line are applied to the firmware map';
    problems.warn('ASSUMED', line, message);
  }
  return result.sort((a, b) => a.start - b.start);
}

const FORM_KINDS = {
  usable: 'usable',
  acpi: 'acpi-data',
  reserved: 'reserved',
  persistent: 'persistent',
} as const;

function applyMemmap(ranges: readonly KindRange[], option: MemmapOption): KindRange[] {
  const { form, size = 0, start = 0 } = option;
  if (form === 'exactmap') return [];
  if (form === 'limit') return removeKind(ranges, { start: size, end: PHYS_ADDR_MAX }, 'usable');
  const window = { start, end: start + size };
  if (form === 'change') {
    const from = option.oldType === undefined ? undefined : kindOfType(option.oldType);
    if (option.newType === undefined) {
      return from === undefined ? subtract(ranges, [window]) : removeKind(ranges, window, from);
    }
    const edit = { ...window, line: 0, by: 'e820' as const, to: kindOfType(option.newType) };
    if (from === undefined) return [...subtract(ranges, [window]), { ...window, kind: edit.to }];
    return applyEdit(ranges, { ...edit, action: 'update', from });
  }
  // The user's word replaces nothing: the kernel adds the range and sorts overlaps out by rank.
  const added = { ...window, kind: FORM_KINDS[form] };
  const above = ranges.filter((range) => RANK[range.kind] > RANK[added.kind]);
  const below = ranges.filter((range) => RANK[range.kind] <= RANK[added.kind]);
  return [...above, ...subtract(below, [window]), ...subtract([added], above)];
}

function removeKind(ranges: readonly KindRange[], window: ByteRange, kind: RangeKind): KindRange[] {
  return ranges.flatMap((range) => (range.kind === kind ? subtract([range], [window]) : [range]));
}
