/**
 * Requests for page descriptors: those of today are the pattern, the other boot's sections say how many there are.
 *
 * ```
 * tables of sections   one for each 256 (or 128) sections, on the node of the first of them
 * for each run of sections of a node
 *   usage maps         so many bytes a section
 *   a buffer           2 MiB a section, all at once     (kernels to 6.18)
 *   page tables        one for each 512 sections, and those above it once
 *   descriptors        2 MiB a section, one by one      (later kernels, and where the buffer did not fit)
 * ```
 * @kernel sparse_init
 */
import type { MemblockOperation } from '@bootmem/firmware-map/types';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import type { Request } from '../../plan/search.js';

/** What a log shows of how its kernel asks for descriptors. */
export interface SectionPattern {
  /** Operations `[first, end)` of the log. */
  readonly first: number;
  readonly end: number;
  readonly table: Request | undefined;
  /** Sections that a table holds. */
  readonly tableSections: number;
  readonly usage: Request;
  readonly usageBytes: number;
  /** Usage maps lie near their node's data. */
  readonly nearNodeData: boolean;
  readonly buffer: Request | undefined;
  readonly pageTable: Request | undefined;
  /** Page tables above the one that covers 512 sections. */
  readonly upperTables: number;
  readonly piece: Request | undefined;
}

/** Bytes of a section's entry in a table of sections, without and with what extends pages. */
const TABLE_ENTRIES = [32, 16] as const;
/** Sections whose descriptors one page table of the middle level maps: 1 GiB of 2 MiB each. */
const SECTIONS_A_TABLE = 512;

/** Of more sections, 1 TiB of them, all of a run are asked for at once: a line of a log claims any number. */
const MANY_SECTIONS = 2 ** 13;

const OWN = /sparse_|vmemmap_/;

const isRequest = (one: MemblockOperation | undefined): one is Request => one?.op === 'alloc';

/** Sections `[start, end)`. */
interface SectionRange {
  readonly start: number;
  readonly end: number;
}

/** A run of sections of one node: ranges, because there are as many sections as memory is large. */
interface Run {
  readonly nid: number;
  readonly ranges: readonly SectionRange[];
}

/** Sections with memory, ascending, in runs of one node; a section belongs to the node whose memory comes first in it. */
function sectionRuns({ memory, pagesPerSection }: LayoutPlan): Run[] {
  const runs: { nid: number; ranges: SectionRange[] }[] = [];
  let reached = 0;
  for (const { startPfn, endPfn, nid } of memory) {
    const start = Math.max(reached, Math.floor(startPfn / pagesPerSection));
    const end = Math.ceil(endPfn / pagesPerSection);
    if (start >= end) continue;
    reached = end;
    const last = runs.at(-1);
    if (last?.nid === nid) last.ranges.push({ start, end });
    else runs.push({ nid, ranges: [{ start, end }] });
  }
  return runs;
}

/** How many sections. */
const countOf = (ranges: readonly SectionRange[]): number =>
  ranges.reduce((sum, { start, end }) => sum + end - start, 0);

/** Aligned groups of so many sections that hold some of them, as ascending ranges. */
function groupsOf(ranges: readonly SectionRange[], size: number): SectionRange[] {
  const groups: SectionRange[] = [];
  let reached = 0;
  for (const range of ranges) {
    const start = Math.max(reached, Math.floor(range.start / size));
    const end = Math.ceil(range.end / size);
    if (start >= end) continue;
    reached = end;
    groups.push({ start, end });
  }
  return groups;
}

/**
 * The pattern of a log.
 * @param operations  of the log
 * @param plan        today's
 * @returns `undefined` where it shows no such requests
 */
export function sectionPattern(
  operations: readonly MemblockOperation[],
  plan: LayoutPlan,
): SectionPattern | undefined {
  const at = operations.findIndex(
    (one) => isRequest(one) && one.caller.includes('sparse_init_nid') && one.align === 0x40,
  );
  const usage = operations[at];
  if (!isRequest(usage)) return undefined;
  const run = sectionRuns(plan)[0];
  if (run === undefined) return undefined;
  let first = at;
  // Tables of sections come right before; newer kernels do not print who asks.
  for (let one = operations[first - 2]; isTable(one); one = operations[first - 2]) first -= 2;
  let end = at;
  for (; end < operations.length; end++) {
    const one = operations[end]!;
    const isAnswer = one.op === 'reserve' && isRequest(operations[end - 1]);
    if (!isAnswer && !('caller' in one && OWN.test(one.caller))) break;
  }
  const own = operations.slice(at + 1, end).filter(isRequest);
  const perRun = own.findIndex((one) => one.align === 0x40);
  const ofFirst = perRun < 0 ? own : own.slice(0, perRun);
  const tables = ofFirst.filter(({ size }) => size === plan.pageSize);
  const groups = countOf(groupsOf(run.ranges, SECTIONS_A_TABLE));
  const table = operations[first];
  return {
    first,
    end,
    table: first < at && isRequest(table) ? table : undefined,
    tableSections: tableSections(plan, (at - first) / 2),
    usage,
    usageBytes: usage.size / countOf(run.ranges),
    nearNodeData: usage.maxAddr > 1,
    buffer: own.find((one) => one.kernelName.includes('exact_nid')),
    pageTable: tables[0],
    upperTables: tables.length - groups,
    piece: own.find((one) => !one.kernelName.includes('exact_nid') && one.size > plan.pageSize),
  };

  function isTable(one: MemblockOperation | undefined): boolean {
    return (
      isRequest(one) && one.size === plan.pageSize && one.nid !== undefined && one.align === 0x40
    );
  }
}

/** How many sections a table holds: as many as give today's number of tables. */
function tableSections(plan: LayoutPlan, tables: number): number {
  const ranges = sectionRuns(plan).flatMap((run) => run.ranges);
  const sizes = TABLE_ENTRIES.map((bytes) => plan.pageSize / bytes);
  const fits = (size: number): boolean => countOf(groupsOf(ranges, size)) === tables;
  return sizes.find(fits) ?? sizes[0]!;
}

/** Does a request: finds room and takes it. */
export type Take = (request: Request) => boolean;

/**
 * Asks for the descriptors of another layout.
 * @param plan      the other boot's
 * @param pattern   from {@link sectionPattern}
 * @param nodeData  where each node's data lies
 * @param take      does a request
 * @returns false when one failed
 */
export function askForSections(
  plan: LayoutPlan,
  pattern: SectionPattern,
  nodeData: ReadonlyMap<number, number>,
  take: Take,
): boolean {
  const bytes = plan.pagesPerSection * plan.pageSize;
  const pieceBytes = plan.pagesPerSection * 64;
  const runs = sectionRuns(plan);
  const isMany = countOf(runs.flatMap(({ ranges }) => ranges)) > MANY_SECTIONS;
  // One request, or one of the size of all of them.
  const takeAll = (request: Request, count: number): boolean => {
    if (isMany) return count <= 0 || take({ ...request, size: request.size * count });
    let all = true;
    for (let done = 0; done < count; done++) all = take(request) && all;
    return all;
  };
  let good = askForTables(runs, pattern, takeAll);
  let lastGroup = -1;
  for (const { nid, ranges } of runs) {
    const count = countOf(ranges);
    const near = Math.floor((nodeData.get(nid) ?? 0) / bytes) * bytes;
    const size = pattern.usageBytes * count;
    const usage = { ...pattern.usage, nid, size };
    // A part of the request that fails is asked for without its bounds.
    if (!(pattern.nearNodeData && take({ ...usage, from: near, maxAddr: near + bytes }))) {
      good = take({ ...usage, from: 0, maxAddr: 0 }) && good;
    }
    const { buffer, pageTable, piece = pattern.buffer } = pattern;
    const isWhole = buffer !== undefined && take({ ...buffer, nid, size: pieceBytes * count });
    const kernelName = 'memblock_alloc_try_nid_raw';
    const parts = partsByGroup(ranges, lastGroup);
    let upper = lastGroup < 0 ? pattern.upperTables : 0;
    lastGroup = Math.floor((ranges.at(-1)!.end - 1) / SECTIONS_A_TABLE);
    for (const { tables, sections } of isMany ? [together(parts)] : parts) {
      if (pageTable !== undefined) good = takeAll({ ...pageTable, nid }, tables + upper) && good;
      upper = 0;
      if (isWhole || piece === undefined) continue;
      good = takeAll({ ...piece, kernelName, nid, size: pieceBytes }, sections) && good;
    }
  }
  return good;
}

/** Sections of a run that one page table maps, and tables that are new for them. */
interface Part {
  readonly tables: number;
  readonly sections: number;
}

/** Sections by the table that maps them. `lastGroup` has its table already. */
function partsByGroup(ranges: readonly SectionRange[], lastGroup: number): Part[] {
  const parts: Part[] = [];
  let known = lastGroup;
  for (const range of ranges) {
    for (let at = range.start; at < range.end;) {
      const group = Math.floor(at / SECTIONS_A_TABLE);
      const end = Math.min(range.end, (group + 1) * SECTIONS_A_TABLE);
      parts.push({ tables: group === known ? 0 : 1, sections: end - at });
      known = group;
      at = end;
    }
  }
  return parts;
}

const together = (parts: readonly Part[]): Part => ({
  tables: parts.reduce((sum, { tables }) => sum + tables, 0),
  sections: parts.reduce((sum, { sections }) => sum + sections, 0),
});

function askForTables(
  runs: readonly Run[],
  { table, tableSections: size }: SectionPattern,
  takeAll: (request: Request, count: number) => boolean,
): boolean {
  if (table === undefined) return true;
  let good = true;
  let reached = 0;
  for (const { nid, ranges } of runs) {
    for (const { start, end } of groupsOf(ranges, size)) {
      good = takeAll({ ...table, nid }, end - Math.max(start, reached)) && good;
      reached = Math.max(reached, end);
    }
  }
  return good;
}
