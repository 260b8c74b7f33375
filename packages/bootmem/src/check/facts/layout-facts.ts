/**
 * Facts that follow from the firmware map, the node tables and the command line: early node ranges, node
 * extents, zone ranges, movable starts, spans of `memmap_init`, holes, the total of the `Memory:` line.
 */
import { isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { formatMemRange } from '../../format/numbers.js';
import { countsHoles } from '../../plan/memory-line.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { printedAfterBoot } from '../late-frees.js';
import type { FactList } from '../fact-list.js';
import { countedPages, NO_SUM } from '../lost/zone-evidence.js';

/** Why nothing follows from a line that may never have been. */
export const NO_LINE = 'the log has no such line: none was printed, or it is lost';

const NO_COMMAND_LINE = 'the command line is not in the log';

/** Why nothing above the end of lowmem follows on i386 without HighMem. */
export const NO_HIGHMEM =
  'the kernel was built without high memory; where lowmem ends depends on the build';

const range = (start: number, end: number): string => formatMemRange(start, end).slice(5, -1);

/** `Early memory node ranges`: one fact a printed line, one more for each that we have in excess. */
export function* earlyRangeFacts(plan: LayoutPlan, facts: FactList): Steps<void> {
  const printed = plan.description.printed.earlyRanges;
  if (printed.length === 0) return;
  const ours = plan.derived.memory;
  const text = (one: { nid: number; start: number; end: number }): string =>
    `node ${one.nid} ${range(one.start, one.end)}`;
  const unmatched = new Set<string>();
  for (const [at, one] of ours.entries()) {
    if (isStep(at)) yield;
    unmatched.add(text(one));
  }
  const left: { nid: number; start: number; end: number }[] = [];
  let index = 0;
  for (const line of withoutPluggable(plan, facts)) {
    if (isStep(index)) yield;
    index++;
    const mine = text(line);
    if (unmatched.delete(mine)) facts.compare('early node range', `#${index}`, mine, mine);
    else left.push(line);
  }
  for (const [at, line] of left.entries()) {
    if (isStep(at)) yield;
    const overlapping = [...overlappingBytes(ours, line)].filter((one) => unmatched.has(text(one)));
    for (const one of overlapping) unmatched.delete(text(one));
    const mine = overlapping.map(text).join(' + ');
    facts.compare(
      'early node range',
      `node ${line.nid}`,
      text(line),
      mine === '' ? 'no memory' : mine,
    );
  }
  yield;
  for (const one of unmatched) facts.compare('early node range', 'in excess', 'not printed', one);
}

/** Ranges, ascending and disjoint, that share a byte with another one. O(log n + found). */
function* overlappingBytes<Range extends { readonly start: number; readonly end: number }>(
  ranges: readonly Range[],
  { start, end }: { readonly start: number; readonly end: number },
): Generator<Range> {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.end <= start) low = middle + 1;
    else high = middle;
  }
  for (; low < ranges.length && ranges[low]!.start < end; low++) yield ranges[low]!;
}

/**
 * Ranges that only a mark keeps apart, as one: memory that can be unplugged, on ppc64. After the boot neither memblock nor
 * /proc/iomem knows that border any more.
 */
function withoutPluggable(
  { description, derived }: LayoutPlan,
  facts: FactList,
): readonly { nid: number; start: number; end: number }[] {
  const { earlyRanges } = description.printed;
  if (derived.source !== 'iomem' && derived.source !== 'memblock-dump') return earlyRanges;
  const borders = new Set(derived.memory.map((range) => range.start));
  const joined: { nid: number; start: number; end: number }[] = [];
  for (const { nid, start, end } of earlyRanges) {
    const last = joined.at(-1);
    if (last?.nid === nid && last.end === start && !borders.has(start)) {
      last.end = end;
      facts.open('early node range', `node ${nid}`, `border at 0x${start.toString(16)}`, NO_MARK);
    } else joined.push({ nid, start, end });
  }
  return joined;
}

const NO_MARK = 'where memory begins that can be unplugged is in no list that is kept';

/** `Initmem setup node`: first and last byte of each node, or that it has none. */
export function nodeSetupFacts(plan: LayoutPlan, facts: FactList): void {
  const { pageSize } = plan;
  const nodes = nodesById(plan);
  for (const setup of plan.description.printed.nodeSetups) {
    const node = nodes.get(setup.nid);
    const kernel =
      setup.range === undefined ? 'memoryless' : range(setup.range.start, setup.range.end);
    const ours =
      node === undefined || node.presentPages === 0
        ? 'memoryless'
        : range(nodeStart(plan, node) * pageSize, node.endPfn * pageSize);
    facts.compare('node extent', `node ${setup.nid}`, kernel, ours);
  }
}

function nodesById({
  layout,
}: LayoutPlan): ReadonlyMap<number, LayoutPlan['layout']['nodes'][number]> {
  return new Map(layout.nodes.map((node) => [node.nid, node]));
}

/** Older kernels printed the extent of the node's table entries, and the first of them begins at 0. */
function nodeStart(plan: LayoutPlan, node: { nid: number; startPfn: number }): number {
  const fromZero = plan.kernel.printed.nodeExtent === 'table' && plan.memory[0]?.nid === node.nid;
  return fromZero ? 0 : node.startPfn;
}

/** `Zone ranges:`: lowest and highest byte each zone can have on this machine. */
export function zoneRangeFacts(plan: LayoutPlan, facts: FactList): void {
  const { layout, limits, pageSize } = plan;
  const printed = plan.description.printed.zoneRanges;
  for (const line of printed) {
    const index = layout.limits.findIndex((limit) => limit.zone === line.zone);
    const low = index < 0 ? 0 : layout.lowestPfn[index]!;
    const high =
      index < 0 ? 0 : Math.max(layout.highestPfn[index]!, limits.whole.get(line.zone) ?? 0);
    const ours = high > low ? range(low * pageSize, high * pageSize) : 'empty';
    const kernel = line.range === undefined ? 'empty' : range(line.range.start, line.range.end);
    // An end that was copied from the log is no fact; what follows from it is.
    const why = line.range === undefined ? undefined : limits.copied.get(line.zone);
    if (lacksHighmem(plan) && line.range !== undefined && line.zone === 'Normal') {
      facts.open('zone range', line.zone, kernel, NO_HIGHMEM);
    } else if (why !== undefined) {
      facts.open('zone range', line.zone, kernel, why);
    } else {
      facts.compare('zone range', line.zone, kernel, ours);
    }
  }
}

/** `Movable zone start for each node`. */
export function movableFacts(plan: LayoutPlan, facts: FactList): void {
  const { printed } = plan.description;
  if (printed.zoneRanges.length === 0) return;
  const { pageSize } = plan;
  if (plan.description.commandLine === undefined) {
    for (const { nid, start } of printed.movableStarts) {
      facts.open('movable start', `node ${nid}`, `0x${start.toString(16)}`, NO_COMMAND_LINE);
    }
    return;
  }
  const ours = new Map(plan.layout.movableStart);
  for (const { nid, start } of printed.movableStarts) {
    const mine = ours.get(nid);
    ours.delete(nid);
    const text = mine === undefined ? 'none' : `0x${(mine * pageSize).toString(16)}`;
    facts.compare('movable start', `node ${nid}`, `0x${start.toString(16)}`, text);
  }
  for (const nid of ours.keys()) facts.open('movable start', `node ${nid}`, 'not printed', NO_LINE);
}

/** `mminit::memmap_init Initialising map node N zone Z pfns A -> B`. */
export function memmapInitFacts(plan: LayoutPlan, facts: FactList): void {
  const nodes = nodesById(plan);
  for (const line of plan.description.printed.memmapInit) {
    if (printedAfterBoot(plan, line.line)) continue;
    const zones = nodes.get(line.nid)?.zones ?? [];
    const zone = zones.find((candidate) => candidate.zoneIndex === line.zoneIndex);
    const subject = `node ${line.nid} zone ${line.zoneIndex}`;
    const span = `${line.startPfn} -> ${line.endPfn}`;
    const ours = zone === undefined ? 'no such zone' : `${zone.startPfn} -> ${zone.endPfn}`;
    // A zone of the build whose line is lost moves the numbers of those above it.
    const isMoved =
      ours !== span &&
      zones.some((one) => one.startPfn === line.startPfn && one.endPfn === line.endPfn);
    if (isMoved) facts.open('memmap_init span', subject, span, 'zones are numbered by the build');
    else facts.compare('memmap_init span', subject, span, ours);
  }
}

/** Pages of each node in old logs: `On node N totalpages: P`, and of its zones below. */
export function nodePagesFacts(plan: LayoutPlan, facts: FactList): void {
  const nodes = nodesById(plan);
  for (const line of plan.description.printed.nodePages) {
    const node = nodes.get(line.nid);
    facts.compare('node total pages', `node ${line.nid}`, line.totalPages, node?.presentPages ?? 0);
    const counted = countedPages(line);
    for (const zone of line.zones) {
      if (zone.pages === undefined) continue;
      const subject = `node ${line.nid} ${zone.zone}`;
      const mine = node?.zones.find((candidate) => candidate.zone === zone.zone);
      if (zone.zone === 'Movable' && plan.description.commandLine === undefined) {
        facts.open('zone pages', subject, zone.pages, NO_COMMAND_LINE);
      } else if (counted === undefined) {
        facts.open('zone pages', subject, zone.pages, NO_SUM);
      } else {
        const present = mine?.presentPages ?? 0;
        const ours = counted === 'all' ? present : zonePages(present, zone);
        facts.compare('zone pages', subject, zone.pages, ours);
      }
    }
  }
}

function zonePages(
  present: number,
  zone: { memmapPages?: number; reservedPages?: number },
): number {
  return present - (zone.memmapPages ?? 0) - (zone.reservedPages ?? 0);
}

/** The total in `Memory: A/T available`: present pages, or the last page in old logs. */
export function memoryLineFacts(plan: LayoutPlan, facts: FactList): void {
  const line = plan.description.printed.memory;
  if (line === undefined) return;
  if (lacksHighmem(plan)) {
    facts.open('Memory: total', 'machine', `${line.totalKb}K`, NO_HIGHMEM);
    return;
  }
  const kb = plan.pageSize / 1024;
  const present = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
  const absent = line.partsKb['absent'];
  if (absent !== undefined) {
    facts.compare('Memory: total', 'machine', `${line.totalKb}K`, `${plan.maxPfn * kb}K`);
    facts.compare('Memory: absent', 'machine', `${absent}K`, `${(plan.maxPfn - present) * kb}K`);
    return;
  }
  const pages = countsHoles(plan) ? plan.maxPfn : present;
  facts.compare('Memory: total', 'machine', `${line.totalKb}K`, `${pages * kb}K`);
}

/** An i386 kernel that cannot reach all of the memory it found. */
export function lacksHighmem(plan: LayoutPlan): boolean {
  const { architecture, printed } = plan.description;
  if (architecture !== 'i386' || printed.zoneRanges.some((line) => line.zone === 'HighMem'))
    return false;
  const normal = printed.zoneRanges.find((line) => line.zone === 'Normal')?.range;
  return normal !== undefined && normal.end < plan.maxPfn * plan.pageSize;
}
