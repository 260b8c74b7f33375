/**
 * Other memory, whose sums and spans follow by adding and taking away: a border between nodes moved by whole sections,
 * memory ending earlier or later, a hole where nothing was reserved.
 */
import type { CheckReport } from 'bootmem/check';
import type { Random } from '../../../kit/random.mjs';
import { GEOMETRY, readPrinted, reprinted } from '../printed.js';
import type { NodeRange, Printed } from '../printed.js';
import type { Recording } from '../recording.js';
import { hex } from '../text.js';
import { keepsFacts } from '../variant.js';
import type { Rule, Variant } from '../variant.js';

/** A multiple of every x86-64 kernel's sections, and of arm64's, riscv64's and ppc64's with pages of 4 KiB. */
const SECTION = 2 ** 27;
/** Nothing below is touched: the image and what firmware left. */
const LOW = 2 ** 28;

const USABLE = /(BIOS-e820|user): \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\] +(?:usable|System RAM)\s*$/;
const OTHER = /BIOS-e820: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/;
const SRAT = /SRAT: Node (\d+) PXM \d+ \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/;

const byte = (text: string): number => Number(`0x${text}`);

/**
 * Geometry is as the sums say: nothing differs, and what was compared before is compared still. A kind of fact that followed
 * nowhere on the recording itself is not expected to follow now: kernels that print unavailable pages and count them otherwise
 * than by holes say of another hole only that there are more lines of that kind.
 */
function asSummed(before: CheckReport, after: CheckReport): string | undefined {
  return keepsFacts(before, after, GEOMETRY, true);
}

function variant(what: string, base: Recording, printed: Printed, next: Recording): Variant {
  return { what, base: reprinted(base, printed), recording: next, judge: asSummed };
}

/** A line with another address in the place of one of its own. */
function withAddress(line: string, old: string, address: number): string {
  return line.replace(`0x${old}`, hex(address, old.length));
}

/** x86 recordings with one map, whose sections are known. */
function readable(recording: Recording): Printed | undefined {
  const { lines } = recording;
  if (
    !lines.some((line) => USABLE.test(line)) ||
    lines.some((line) => /user: \[|modified: \[|Xen:/.test(line))
  )
    return undefined;
  // HighMem's border moves with what lies below it.
  if (lines.some((line) => /HighMem +\[mem/.test(line)) || recording.besides.steps !== undefined)
    return undefined;
  return readPrinted(recording);
}

/** A border between two nodes in one stretch of memory, moved. */
function moveBorder(recording: Recording, random: Random): Variant | undefined {
  const printed = readable(recording);
  if (printed === undefined) return undefined;
  const { ranges } = printed;
  const borders = ranges.flatMap((left, index) => {
    const right = ranges[index + 1];
    return right?.start === left.end &&
      right.nid !== left.nid &&
      left.end % SECTION === 0 &&
      left.end > LOW
      ? [{ left, right, index }]
      : [];
  });
  if (borders.length === 0) return undefined;
  const { left, right, index } = random.pick(borders);
  const down = Math.floor((left.end - Math.max(left.start, LOW)) / SECTION) - 1;
  const up = Math.floor((right.end - right.start) / SECTION) - 1;
  const steps =
    -Math.min(down, 8) +
    random.below(Math.max(0, Math.min(down, 8)) + Math.max(0, Math.min(up, 8)) + 1);
  if (steps === 0 || down < 1 || up < 1 || -steps > down || steps > up) return undefined;
  const border = left.end + steps * SECTION;
  let changed = 0;
  const lines = recording.lines.map((line) => {
    const srat = SRAT.exec(line);
    if (srat === null) return line;
    const [, nid, start, end] = srat;
    if (byte(end!) + 1 === left.end && Number(nid) === left.nid) {
      changed++;
      return withAddress(line, end!, border - 1);
    }
    if (byte(start!) === left.end && Number(nid) === right.nid) {
      changed++;
      return withAddress(line, start!, border);
    }
    return line;
  });
  if (changed !== 2) return undefined;
  const next: NodeRange[] = [...ranges];
  next[index] = { ...left, end: border };
  next[index + 1] = { ...right, start: border };
  // A border on a zone's limit may leave a zone of one of the nodes without memory: then lists change.
  if (
    printed.zones.some(
      ({ end }) =>
        Math.min(end, border) >= left.start &&
        (end === border ||
          end === left.end ||
          (end > Math.min(border, left.end) && end < Math.max(border, left.end))),
    )
  )
    return undefined;
  return variant(
    `border of nodes ${left.nid} and ${right.nid} from ${hex(left.end)} to ${hex(border)}`,
    recording,
    printed,
    reprinted({ ...recording, lines }, { ...printed, ranges: next }),
  );
}

/** Memory that ends some sections later, or earlier. */
function moveEnd(recording: Recording, random: Random): Variant | undefined {
  const printed = readable(recording);
  const last = printed?.ranges.at(-1);
  const zone = printed?.zones.at(-1);
  if (printed === undefined || last === undefined || zone?.end !== last.end) return undefined;
  const down = Math.min(
    8,
    Math.floor((last.end - Math.max(last.start, zone.start, LOW)) / SECTION) - 2,
  );
  const steps = random.below(2) === 0 || down < 1 ? 1 + random.below(16) : -1 - random.below(down);
  const end = last.end + steps * SECTION;
  const { lines } = recording;
  // What lies above must stay above.
  const above = lines.flatMap((line) => {
    const match = OTHER.exec(line);
    return match !== null && byte(match[1]!) >= last.end ? [byte(match[1]!)] : [];
  });
  if (above.some((start) => start < end) || (zone.zone === 'DMA32' && end > 2 ** 32))
    return undefined;
  if (lines.some((line) => line.includes('ACPI data'))) return undefined;
  let changed = 0;
  const moved = lines.map((line) => {
    const map = USABLE.exec(line);
    if (map !== null && byte(map[3]!) + 1 === last.end) {
      changed++;
      return withAddress(line, map[3]!, end - 1);
    }
    const srat = SRAT.exec(line);
    if (srat !== null && byte(srat[3]!) + 1 === last.end)
      return withAddress(line, srat[3]!, end - 1);
    const pfn = (last.end / 4096).toString(16);
    return line.replace(`last_pfn = 0x${pfn} `, `last_pfn = 0x${(end / 4096).toString(16)} `);
  });
  if (changed !== 1) return undefined;
  // What is new belongs to the last node only where that node's own block covers it.
  const hasBlocks = moved.some((line) => SRAT.test(line));
  const isCovered = moved.some((line) => {
    const srat = SRAT.exec(line);
    return srat !== null && byte(srat[2]!) < last.end && byte(srat[3]!) + 1 >= end;
  });
  if (hasBlocks && !isCovered) return undefined;
  const next = {
    ...printed,
    ranges: printed.ranges.with(-1, { ...last, end }),
    zones: printed.zones.with(-1, { ...zone, end }),
  };
  return variant(
    `memory ends at ${hex(end)}, not ${hex(last.end)}`,
    recording,
    printed,
    reprinted({ ...recording, lines: moved }, next),
  );
}

/** Whether a line names something in use inside a stretch. */
function isInUse(lines: readonly string[], hole: { start: number; end: number }): boolean {
  return lines.some((line) => {
    const match =
      /(?:RAMDISK|NODE_DATA|memblock_reserve|crashkernel reserved|ACPI: Reserving).*?0x([0-9a-f]+) ?- ?0x([0-9a-f]+)/.exec(
        line,
      );
    return match !== null && byte(match[1]!) < hole.end && byte(match[2]!) + 1 > hole.start;
  });
}

/** A hole in memory, of whole sections or of some pages of one. */
function hole(recording: Recording, random: Random, whole: boolean): Variant | undefined {
  const printed = readable(recording);
  if (printed === undefined) return undefined;
  const { lines } = recording;
  if (!whole && !lines.some((line) => /On node \d+, zone \w+: \d+ pages in unavailable/.test(line)))
    return undefined;
  for (let attempt = 0; attempt < 24; attempt++) {
    const index = random.below(printed.ranges.length);
    const range = printed.ranges[index]!;
    const first = Math.ceil(Math.max(range.start, LOW) / SECTION) + 1;
    const last = Math.floor(range.end / SECTION) - 1;
    if (last - first < 1) continue;
    const section = first + random.below(last - first);
    const sections = whole ? 1 + random.below(Math.min(4, last - section)) : 1;
    const inner = whole ? 0 : (1 + random.below(SECTION / 4096 - 600)) * 4096;
    const length = whole ? sections * SECTION : (1 + random.below(512)) * 4096;
    const start = section * SECTION + inner;
    const gap = { start, end: start + length };
    const zone = printed.zones.find((one) => one.start < gap.start && gap.end < one.end);
    if (zone === undefined || isInUse(lines, gap)) continue;
    // The wider the hole, the less is left of a section beside it: both sides keep a whole one.
    const at = lines.findIndex((line) => {
      const map = USABLE.exec(line);
      return map !== null && byte(map[2]!) < gap.start && byte(map[3]!) + 1 > gap.end;
    });
    if (at < 0) continue;
    const map = USABLE.exec(lines[at]!)!;
    const changed = lines.toSpliced(
      at,
      1,
      withAddress(lines[at]!, map[3]!, gap.start - 1),
      withAddress(lines[at]!, map[2]!, gap.end),
    );
    const ranges = printed.ranges.toSpliced(
      index,
      1,
      { ...range, end: gap.start },
      { ...range, start: gap.end },
    );
    const lost = whole
      ? []
      : [{ nid: range.nid, zone: zone.zone, pages: length / printed.pageSize }];
    return variant(
      `a hole at ${hex(gap.start)}-${hex(gap.end)}`,
      recording,
      printed,
      reprinted({ ...recording, lines: changed }, { ...printed, ranges }, lost),
    );
  }
  return undefined;
}

/** Other memory, and what that adds up to. */
export const CONSERVATION_RULES: readonly Rule[] = [
  {
    class: 'conservation',
    name: 'a border of nodes moved',
    reason: 'what one node loses the other gains; everything else stays',
    vary: moveBorder,
  },
  {
    class: 'conservation',
    name: 'the end of memory moved',
    reason: 'the last zone of the last node grows or shrinks by just that',
    vary: moveEnd,
  },
  {
    class: 'conservation',
    name: 'a hole of whole sections',
    reason:
      'pages present shrink by the hole, spans stay, and sections without memory have no descriptors',
    vary: (recording, random) => hole(recording, random, true),
  },
  {
    class: 'conservation',
    name: 'a hole inside a section',
    reason:
      'pages present shrink by the hole, spans stay, and its descriptors are of unavailable pages',
    vary: (recording, random) => hole(recording, random, false),
  },
];
