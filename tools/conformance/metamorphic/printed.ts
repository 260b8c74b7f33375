/**
 * What a kernel printed about its memory, and the same lines for a machine with other memory, by sums and spans alone:
 *
 *   early ranges  the machine's memory, node by node          Memory: total     their sum
 *   node extent   first and last byte of a node's ranges      spanned, start    zone and extent, cut with each other
 *   present       a node's ranges within a zone, summed up
 *
 * Whether the sums are right is seen on the recording itself: where they do not give what it says, nothing is said about it.
 */
import type { Recording } from './recording.js';
import { hex } from './text.js';

/** A stretch of a node's memory, bytes. */
export interface NodeRange {
  readonly nid: number;
  readonly start: number;
  readonly end: number;
}

/** A zone's limits, bytes. */
export interface ZoneLimit {
  readonly zone: string;
  readonly start: number;
  readonly end: number;
}

/** Memory as it was printed. */
export interface Printed {
  readonly ranges: readonly NodeRange[];
  readonly zones: readonly ZoneLimit[];
  readonly pageSize: number;
}

const EARLY = /\bnode +(\d+): \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]\s*$/;
const ZONE = /\b(DMA|DMA32|Normal|HighMem) +\[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]\s*$/;
const EXTENT = /Initmem setup node (\d+) \[mem 0x[0-9a-f]+-0x[0-9a-f]+\]/;
const TOTAL = /(\bMemory: \d+[kK]\/)(\d+)([kK] available)/;
const ZONEINFO_HEAD = /^Node (\d+), zone +(\w+)/;

const byte = (text: string): number => Number(`0x${text}`);

/** Reads it; `undefined` where something is printed that the sums do not cover. */
export function readPrinted(recording: Recording): Printed | undefined {
  const { lines } = recording;
  const ranges = lines.flatMap((line) => {
    const match = EARLY.exec(line);
    if (match === null) return [];
    return [{ nid: Number(match[1]), start: byte(match[2]!), end: byte(match[3]!) + 1 }];
  });
  const zones = lines.flatMap((line) => {
    const match = ZONE.exec(line);
    return match === null
      ? []
      : [{ zone: match[1]!, start: byte(match[2]!), end: byte(match[3]!) + 1 }];
  });
  const pageSize = pageSizeOf(recording);
  if (ranges.length === 0 || zones.length === 0 || lines.some((line) => NOT_COVERED.test(line)))
    return undefined;
  const printed = { ranges, zones, pageSize };
  return isRight(recording, printed) ? printed : undefined;
}

/** Memory that is not simply there, or zones that sums do not tell. */
const NOT_COVERED =
  /ommand line:.*(?:mem=|memmap=|numa=fake|kernelcore=|movablecore=|movable_node)|Faking node|Movable .*\[mem|\bNode \d+: 0x[0-9a-f]{16}$/;

function pageSizeOf({ files }: Recording): number {
  const first = /MemTotal: +(\d+) kB/.exec(files.get('nodes.txt') ?? '');
  const managed = /managed +(\d+)/.exec(files.get('zoneinfo.txt') ?? '');
  if (first === null || managed === null) return 4096;
  const pages = [...(files.get('zoneinfo.txt') ?? '').matchAll(/managed +(\d+)/g)].reduce(
    (sum, [, one]) => sum + Number(one),
    0,
  );
  const total = [...(files.get('nodes.txt') ?? '').matchAll(/MemTotal: +(\d+) kB/g)].reduce(
    (sum, [, one]) => sum + Number(one),
    0,
  );
  return (
    [4096, 16384, 65536].find((size) => Math.abs((total * 1024) / pages / size - 1) < 0.1) ?? 4096
  );
}

const overlap = (a: { start: number; end: number }, b: { start: number; end: number }): number =>
  Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));

function extentOf(ranges: readonly NodeRange[], nid: number): { start: number; end: number } {
  const own = ranges.filter((range) => range.nid === nid);
  return {
    start: Math.min(...own.map(({ start }) => start)),
    end: Math.max(...own.map(({ end }) => end)),
  };
}

interface ZonePages {
  readonly spanned: number;
  readonly present: number;
  readonly startPfn: number;
}

function zonePages(
  { ranges, zones, pageSize }: Printed,
  nid: number,
  zone: string,
): ZonePages | undefined {
  const limit = zones.find((one) => one.zone === zone);
  const own = ranges.filter((range) => range.nid === nid);
  if (limit === undefined || own.length === 0) return undefined;
  const extent = extentOf(ranges, nid);
  const start = Math.max(extent.start, limit.start);
  const end = Math.min(extent.end, limit.end);
  const present = own.reduce((sum, range) => sum + overlap(range, limit), 0);
  if (end <= start || present === 0) return undefined;
  return {
    spanned: (end - start) / pageSize,
    present: present / pageSize,
    startPfn: start / pageSize,
  };
}

/** Each zone's part of zoneinfo.txt. */
function zoneinfoParts(text: string): string[] {
  return text.split(/^(?=Node \d+, zone )/m);
}

function isRight({ lines, files }: Recording, printed: Printed): boolean {
  const total = TOTAL.exec(lines.find((line) => TOTAL.test(line)) ?? '');
  const sum = printed.ranges.reduce((bytes, { start, end }) => bytes + end - start, 0);
  if (total === null || Number(total[2]) * 1024 !== sum) return false;
  return zoneinfoParts(files.get('zoneinfo.txt') ?? '').every((part) => {
    const head = ZONEINFO_HEAD.exec(part);
    if (head === null) return true;
    const number = (field: string): number =>
      Number(new RegExp(`${field}:? +(\\d+)`).exec(part)?.[1] ?? 0);
    const mine = zonePages(printed, Number(head[1]), head[2]!);
    if (mine === undefined) return number('present') === 0;
    return number('present') === mine.present && number('spanned') === mine.spanned;
  });
}

/** Lines that depend on what was allocated, or on sums that are not ours. */
const LEFT_OUT =
  /memblock_\w+: |MEMBLOCK configuration|memory size = 0x|(?:memory|reserved|physmem)(?:\.cnt|\[0x)|memblock: \w+ is doubled|mminit::memmap_init|Built \d+ zonelists|deferred pages initialised|node \d+ initialised|NUMA: Node \d+ \[|Freeing |On node \d+ totalpages|zone: \d+ pages/;

/**
 * The recording with what the kernel would have printed about other memory, and without what only a kernel can know.
 * @param recording  with its inputs changed already
 * @param next       memory and zones now
 * @param holes      pages that sections with memory have lost, by node and zone
 */
export function reprinted(
  recording: Recording,
  next: Printed,
  holes: readonly { readonly nid: number; readonly zone: string; readonly pages: number }[] = [],
): Recording {
  const kept = recording.lines.filter((line) => !LEFT_OUT.test(line));
  const firstEarly = kept.findIndex((line) => EARLY.test(line));
  const head = (line: string, words: RegExp): string => line.slice(0, line.search(words));
  const early = next.ranges.map(
    ({ nid, start, end }) =>
      `${head(kept[firstEarly]!, /\bnode +\d+:/)}node ${String(nid).padStart(3)}: [mem ${hex(start)}-${hex(end - 1)}]`,
  );
  const sum = next.ranges.reduce((bytes, { start, end }) => bytes + end - start, 0);
  const lastHole = kept.findLastIndex((line) => line.includes('pages in unavailable ranges'));
  const lines = kept.flatMap((line, index) => {
    if (EARLY.test(line)) return index === firstEarly ? early : [];
    const zone = ZONE.exec(line);
    if (zone !== null) {
      const limit = next.zones.find((one) => one.zone === zone[1])!;
      return [line.replace(/\[mem .*\]/, `[mem ${hex(limit.start)}-${hex(limit.end - 1)}]`)];
    }
    const extent = EXTENT.exec(line);
    if (extent !== null) {
      const { start, end } = extentOf(next.ranges, Number(extent[1]));
      return [line.replace(/\[mem .*\]/, `[mem ${hex(start)}-${hex(end - 1)}]`)];
    }
    if (index === lastHole) {
      const words = head(line, /On node \d/);
      return [
        line,
        ...holes.map(
          ({ nid, zone: name, pages }) =>
            `${words}On node ${nid}, zone ${name}: ${pages} pages in unavailable ranges`,
        ),
      ];
    }
    return [
      line.replace(
        TOTAL,
        (_, before: string, _old: string, after: string) => `${before}${sum / 1024}${after}`,
      ),
    ];
  });
  const files = new Map(recording.files);
  for (const name of [
    'pagetypeinfo.txt',
    'buddyinfo.txt',
    'debugfs_memblock.txt',
    'firmware_memmap.txt',
  ])
    files.delete(name);
  const zoneinfo = files.get('zoneinfo.txt');
  if (zoneinfo !== undefined)
    files.set(
      'zoneinfo.txt',
      zoneinfoParts(zoneinfo)
        .map((part) => zoneinfoPart(part, next))
        .join(''),
    );
  return { ...recording, lines, files, besides: {} };
}

function zoneinfoPart(part: string, next: Printed): string {
  const match = ZONEINFO_HEAD.exec(part);
  const mine = match === null ? undefined : zonePages(next, Number(match[1]), match[2]!);
  if (mine === undefined) return part;
  return part
    .replace(/(\bspanned +)\d+/, `$1${mine.spanned}`)
    .replace(/(\bpresent +)\d+/, `$1${mine.present}`)
    .replace(/(\bstart_pfn:? +)\d+/, `$1${mine.startPfn}`);
}

/** Kinds of facts that follow from where memory is. */
export const GEOMETRY: ReadonlySet<string> = new Set([
  'early node range',
  'node extent',
  'zone range',
  'unavailable pages',
  'Memory: total',
  'spanned pages',
  'present pages',
  'zone start',
  'fallback order',
  'policy zone',
]);
