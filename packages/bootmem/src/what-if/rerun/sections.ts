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

const OWN = /sparse_|vmemmap_/;

const isRequest = (one: MemblockOperation | undefined): one is Request => one?.op === 'alloc';

/** A run of sections of one node. */
interface Run {
  readonly nid: number;
  readonly sections: readonly number[];
}

/** Sections with memory, ascending, in runs of one node; a section belongs to the node whose memory comes first in it. */
function sectionRuns({ memory, pagesPerSection }: LayoutPlan): Run[] {
  const owner = new Map<number, number>();
  for (const { startPfn, endPfn, nid } of memory) {
    const end = Math.ceil(endPfn / pagesPerSection);
    for (let at = Math.floor(startPfn / pagesPerSection); at < end; at++) {
      if (!owner.has(at)) owner.set(at, nid);
    }
  }
  const runs: { nid: number; sections: number[] }[] = [];
  for (const [section, nid] of [...owner].sort(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last?.nid === nid) last.sections.push(section);
    else runs.push({ nid, sections: [section] });
  }
  return runs;
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
  const run = sectionRuns(plan)[0];
  if (!isRequest(usage) || run === undefined) return undefined;
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
  const groups = new Set(run.sections.map((one) => Math.floor(one / SECTIONS_A_TABLE))).size;
  const table = operations[first];
  return {
    first,
    end,
    table: first < at && isRequest(table) ? table : undefined,
    tableSections: tableSections(plan, (at - first) / 2),
    usage,
    usageBytes: usage.size / run.sections.length,
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
  const sections = sectionRuns(plan).flatMap((run) => run.sections);
  const sizes = TABLE_ENTRIES.map((bytes) => plan.pageSize / bytes);
  const fits = (size: number): boolean =>
    new Set(sections.map((section) => Math.floor(section / size))).size === tables;
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
  let good = askForTables(runs, pattern, take);
  const groups = new Set<number>();
  for (const { nid, sections } of runs) {
    const near = Math.floor((nodeData.get(nid) ?? 0) / bytes) * bytes;
    const size = pattern.usageBytes * sections.length;
    const usage = { ...pattern.usage, nid, size };
    // A part of the request that fails is asked for without its bounds.
    if (!(pattern.nearNodeData && take({ ...usage, from: near, maxAddr: near + bytes }))) {
      good = take({ ...usage, from: 0, maxAddr: 0 }) && good;
    }
    const { buffer, pageTable, piece = pattern.buffer } = pattern;
    const isWhole =
      buffer !== undefined && take({ ...buffer, nid, size: pieceBytes * sections.length });
    for (const section of sections) {
      const group = Math.floor(section / SECTIONS_A_TABLE);
      const wanted = groups.has(group) ? 0 : groups.size === 0 ? pattern.upperTables + 1 : 1;
      groups.add(group);
      for (let count = 0; count < wanted && pageTable !== undefined; count++) {
        good = take({ ...pageTable, nid }) && good;
      }
      if (isWhole || piece === undefined) continue;
      good =
        take({ ...piece, kernelName: 'memblock_alloc_try_nid_raw', nid, size: pieceBytes }) && good;
    }
  }
  return good;
}

function askForTables(
  runs: readonly Run[],
  { table, tableSections: size }: SectionPattern,
  take: Take,
): boolean {
  if (table === undefined) return true;
  let good = true;
  const known = new Set<number>();
  for (const { nid, sections } of runs) {
    for (const section of sections) {
      const index = Math.floor(section / size);
      if (known.has(index)) continue;
      known.add(index);
      good = take({ ...table, nid }) && good;
    }
  }
  return good;
}
