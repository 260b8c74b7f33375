/**
 * The map that counts in the end: the firmware's, after the user and the kernel have changed it, when memblock is
 * filled from it.
 *
 *   BIOS-e820 map ─▶ mem=, memmap= ─▶ user: map ─▶ first page, BIOS window ─▶ last_pfn
 *        ─▶ MTRR trim ─▶ modified: map ─▶ last_pfn ─▶ (below 4 GiB) last_pfn ─▶ memblock is filled ─▶ ESRT, EFI, …
 *
 * The last of the maps printed before memblock is filled stands, with the `update` and `remove` lines between it and
 * that moment applied in their order. When each kind of line acts is said in one place, {@link stepsOf}; what comes
 * after `last_pfn` was printed for the last time has no effect on memory, whatever it says.
 *
 * Where entries of one map overlap, the higher type number wins: the kernel's own rule when it sorts a map.
 *
 * Without a printed user map, options of the command line are applied here ({@link optionSteps}).
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import type { Steps } from '../base/steps.js';
import { kindOfType } from '../base/range-kinds.js';
import type { ProblemList } from '../base/problem-list.js';
import { profileForRelease, type MapProfile } from '../base/releases.js';
import type {
  ByteRange,
  MachineDescription,
  MapEdit,
  MapEntry,
  MemmapOption,
  RangeKind,
} from '../types/all.js';
import { subtract, totalLength } from './intervals.js';
import { rankOf, sweepMap, type MapState, type MapStep, type StateRange } from './map-sweep.js';

/** A stretch of the final map. */
export interface KindRange extends ByteRange {
  readonly kind: RangeKind;
}

/** Where the final map came from. */
interface FinalMap {
  readonly ranges: readonly KindRange[];
  readonly source: 'firmware-map' | 'user-map' | 'modified-map';
  /** Where page numbers end: usable memory, in some releases ACPI data too; bytes. */
  readonly top: number;
}

/**
 * The final map of a description that holds a firmware map.
 * @param problems  gets what was assumed
 * @param release   kernel release whose rules count
 * @returns `undefined` when it holds none
 */
export function* finalMap(
  description: MachineDescription,
  problems: ProblemList,
  release = description.kernel?.release,
): Steps<FinalMap | undefined> {
  const profile = profileForRelease(release);
  const filledAt = profile.fillsAfterLastPfn
    ? description.printed.lastPfns.at(-1)?.line
    : undefined;
  const base = lastPrintedMap(description, filledAt);
  if (base === undefined) return undefined;
  yield;
  const steps = stepsOf(description, { base, filledAt, profile }, problems);
  const entries = base.entries.filter(({ kind }) => kind !== 'gap');
  yield;
  let found = yield* sweepMap(entries, steps);
  yield;
  if (isX86(description) && profile.lowReserve > 0) {
    const left = withoutBios(found, profile.lowReserve);
    // A log usually says so; where it does not, that is worth a word.
    const isLog = description.source.format === 'boot-log';
    if (isLog && usableBytes(left) !== usableBytes(found)) {
      const message = `the first ${profile.lowReserve} bytes and 0xa0000-0xfffff are taken out, as x86 kernels do (this log does not hold their lines about it)`;
      problems.warn('ASSUMED', base.lastLine, message);
    }
    found = left;
  }
  yield;
  const ranges = found.map(({ start, end, state }) => ({ start, end, kind: kindOf(state) }));
  const counted = ranges.filter(
    ({ kind }) => kind === 'usable' || (kind === 'acpi-data' && profile.countsAcpiData),
  );
  const top = isX86(description) ? (counted.at(-1)?.end ?? 0) : 0;
  return { ranges, source: base.source, top };
}

function isX86({ architecture }: MachineDescription): boolean {
  return architecture === undefined || architecture === 'x86_64' || architecture === 'i386';
}

function kindOf(state: MapState): RangeKind {
  return state === 'kept' ? 'usable' : state === 'none' ? 'gap' : state;
}

// What x86 kernels never use: the first page, and the window of video memory and option ROMs. They say so at debug
// level, so many logs do not hold the lines.
function withoutBios(ranges: readonly StateRange[], lowReserve: number): StateRange[] {
  const windows = [
    { start: 0, end: lowReserve },
    { start: 0xa0000, end: 0x100000 },
  ];
  return ranges.flatMap((range) =>
    range.start < 0x100000 && kindOf(range.state) === 'usable'
      ? subtract([range], windows)
      : [range],
  );
}

function usableBytes(ranges: readonly StateRange[]): number {
  return totalLength(ranges.filter(({ state }) => kindOf(state) === 'usable'));
}

interface PrintedMap {
  readonly entries: readonly MapEntry[];
  readonly source: FinalMap['source'];
  /** Lines up to this one are part of the map already; 0 for a map that is not from the log. */
  readonly lastLine: number;
}

function lastPrintedMap(
  description: MachineDescription,
  filledAt: number | undefined,
): PrintedMap | undefined {
  const { firmware, proc } = description;
  const maps: PrintedMap[] = [];
  // The setup_data map only cuts the firmware's entries at the boot loader's data, without changing what is usable.
  for (const [entries, source] of [
    [firmware.map.length > 0 ? firmware.map : firmware.setupData, 'firmware-map'],
    [firmware.user, 'user-map'],
    [firmware.modified, 'modified-map'],
  ] as const) {
    const last = lastOf(entries.filter((entry) => !isLate(entry, filledAt)));
    if (last.length > 0) maps.push({ entries: last, source, lastLine: last.at(-1)!.line });
  }
  if (maps.length > 0)
    return maps.reduce((best, map) => (map.lastLine >= best.lastLine ? map : best));
  const entries = proc.firmwareMemmap ?? [];
  return entries.length === 0 ? undefined : { entries, source: 'firmware-map', lastLine: 0 };
}

/**
 * Whether a line was printed after memblock had been filled. `last_pfn` is worked out from the map right before that,
 * and again after each change of memory: once for all memory, once more after an MTRR trim, once more for memory below
 * 4 GiB where there is some above. Logs without these lines, and releases that took memory from the map later, are
 * judged by what comes later.
 */
function isLate(
  record: { readonly line: number; readonly late?: boolean },
  filledAt: number | undefined,
): boolean {
  return filledAt === undefined ? record.late === true : record.line > filledAt;
}

// A map may be printed twice under one name; then the second one stands.
function lastOf(entries: readonly MapEntry[]): readonly MapEntry[] {
  const sameProvider = entries.filter((entry) => entry.provider === entries[0]!.provider);
  const half = sameProvider.length / 2;
  const again = sameProvider.slice(half);
  // Two entries that cover the same and differ in kind are one map, whose firmware contradicts itself.
  const isRepeated =
    Number.isInteger(half) &&
    (half > 1 || again[0]?.kind === sameProvider[0]?.kind) &&
    again.every(
      ({ start, end }, index) =>
        start === sameProvider[index]!.start && end === sameProvider[index]!.end,
    );
  return isRepeated ? again : sameProvider;
}

/** Which map stands, and when it counts. */
interface MapTimes {
  readonly base: PrintedMap;
  /** Line after which memblock is filled; `undefined` where that is not known. */
  readonly filledAt: number | undefined;
  readonly profile: MapProfile;
}

/**
 * What was done to the printed map, in order.
 *
 * | line or option                         | acts                                                          |
 * |----------------------------------------|---------------------------------------------------------------|
 * | `mem=`, `memmap=`                      | before the `user:` map, which holds their effect              |
 * | `update`, `remove` before the map      | in the map already                                            |
 * | `update [..] A ==> B`                  | on what is A; without A on everything                         |
 * | `update [..] usable ==> usable`        | the loader's data: usable memory that no later line of usable memory touches, to 6.14 |
 * | `remove [..] A`, `remove [..]`         | on what is A; on everything                                   |
 * | `efi: Remove … MMIO`                   | on what is reserved                                           |
 * | any of them after the last `last_pfn`  | not at all: memblock has its memory                           |
 */
function stepsOf(
  description: MachineDescription,
  { base, filledAt, profile }: MapTimes,
  problems: ProblemList,
): MapStep[] {
  const { firmware, options } = description;
  const steps = firmware.edits
    .filter((edit) => edit.line > base.lastLine && !isLate(edit, filledAt))
    .map((edit) => editStep(edit, profile));
  if (firmware.user.length > 0 || areLimitsPrinted(firmware.edits)) return steps;
  const asked = optionSteps(options);
  if (asked.length > 0) {
    const message =
      'no "user:" map is printed: mem= and memmap= of the command line are applied to the firmware map';
    problems.warn('ASSUMED', description.commandLine?.line ?? 0, message);
  }
  // The command line is read before the kernel looks at the map itself.
  return [...asked, ...steps];
}

function editStep({ start, end, action, from, to }: MapEdit, profile: MapProfile): MapStep {
  const hit = (state: MapState): boolean =>
    state !== 'none' && (from === undefined || state === from);
  let next: MapState = action === 'remove' || to === undefined ? 'none' : to;
  if (from === 'usable' && next === 'usable' && profile.keepsSetupData) next = 'kept';
  return { start, end, change: (state) => (hit(state) ? next : state) };
}

function removal({ start, end }: ByteRange, kind: RangeKind): MapStep {
  return { start, end, change: (state) => (kindOf(state) === kind ? 'none' : state) };
}

// `mem=` prints "e820: remove [mem X-0xfffffffffffffffe] usable": then the log tells its effect already.
function areLimitsPrinted(edits: readonly MapEdit[]): boolean {
  return edits.some((edit) => edit.action === 'remove' && edit.end >= PHYS_ADDR_MAX);
}

/**
 * `mem=` and `memmap=` in the order of the command line.
 * @kernel parse_memmap_one, parse_memopt
 */
function optionSteps({ memmap, mem }: MachineDescription['options']): MapStep[] {
  const steps = memmap.map(memmapStep);
  if (mem !== undefined) steps.push(removal({ start: mem, end: PHYS_ADDR_MAX }, 'usable'));
  return steps;
}

const FORM_KINDS = {
  usable: 'usable',
  acpi: 'acpi-data',
  reserved: 'reserved',
  persistent: 'persistent',
} as const;

function memmapStep(option: MemmapOption): MapStep {
  const { form, size = 0, start = 0 } = option;
  if (form === 'exactmap') return { start: 0, end: PHYS_ADDR_MAX, change: () => 'none' };
  if (form === 'limit') return removal({ start: size, end: PHYS_ADDR_MAX }, 'usable');
  const end = start + size;
  if (form === 'change') {
    const from = option.oldType === undefined ? undefined : kindOfType(option.oldType);
    const to = option.newType === undefined ? 'none' : kindOfType(option.newType);
    // Without an old type the range is added, and the higher type stays.
    if (from === undefined && to !== 'none') {
      return { start, end, change: (state) => (rankOf(state) > rankOf(to) ? state : to) };
    }
    return { start, end, change: (state) => (from === undefined || state === from ? to : state) };
  }
  // The user's word replaces nothing: the kernel adds the range and sorts overlaps out by rank.
  const added = FORM_KINDS[form];
  return { start, end, change: (state) => (rankOf(state) > rankOf(added) ? state : added) };
}
