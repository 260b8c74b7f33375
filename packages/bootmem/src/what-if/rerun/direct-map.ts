/**
 * Page tables of x86-64's direct map: which of them come from memblock, in which bounds.
 *
 * ```
 * memory     [1 MiB ······················ 3 GiB)      [4 GiB ········· 65 GiB)
 * mapped       ◀───────── third: the rest ─────────────────── second ◀ 512 MiB ◀ first 2 MiB
 * ```
 * The kernel maps memory from the top in growing steps: each step's tables lie in what the steps before it mapped. The
 * first tables come from a buffer inside the image, as long as what is mapped does not hold that buffer itself. A table
 * of the middle level is needed for each GiB that is not mapped by one entry, one of the lowest level for each 2 MiB
 * that is mapped in part.
 *
 * With `movable_node` nothing may lie in a node that shall stay free, and nodes are not known yet: the kernel maps upwards
 * from its own end, then what is below.
 * @kernel init_mem_mapping, memory_map_top_down, memory_map_bottom_up, alloc_low_pages
 */
import type { ByteSpan } from '../../explain-result.js';

/** What the log does not print about a build and its processor. */
export interface DirectMapTraits {
  /** Tables in the image's buffer. */
  readonly bufferPages: number;
  /** The processor maps a GiB by one entry. */
  readonly gibPages: boolean;
}

/** A table from memblock: a page between two addresses. */
export interface TableRequest {
  readonly from: number;
  readonly to: number;
}

/** What is mapped. */
export interface DirectMapInput {
  /** Memory as memblock has it, ascending. */
  readonly memory: readonly ByteSpan[];
  /** Where the highest free 2 MiB lie, their end: mapping begins there; or the end of the image, to map upwards from. */
  readonly top: number;
  readonly isUpwards?: boolean;
  /** Where the buffer lies: anywhere in the image. */
  readonly buffer: number;
  readonly traits: DirectMapTraits;
}

const PAGE = 4096;
const MIB = 2 ** 20;
const ENTRY = 2 * MIB;
const GIB = 2 ** 30;
const TOP_TABLE = 2 ** 39;
/** Each step is larger than the one before by this much. */
const STEP_SHIFT = 8;

/** The tables that come from memblock, in order. */
export function directMapTables(input: DirectMapInput): TableRequest[] {
  const tables = new Tables(input);
  tables.map(0, MIB);
  if (input.isUpwards === true) mapUpwards(tables, input);
  else mapDownwards(tables, input);
  return tables.requests;
}

class Tables {
  readonly requests: TableRequest[] = [];
  readonly #input: DirectMapInput;
  readonly #known = new Set<string>();
  #left: number;
  /** Where tables may lie: what is mapped already. */
  bounds: TableRequest = { from: 0, to: 0 };

  constructor(input: DirectMapInput) {
    this.#input = input;
    this.#left = input.traits.bufferPages;
  }

  map(start: number, end: number): void {
    const { buffer, traits } = this.#input;
    const mayUseBuffer = end <= buffer || start > buffer;
    for (const table of tablesOf(start, end, traits.gibPages)) {
      if (this.#known.has(table)) continue;
      this.#known.add(table);
      if (mayUseBuffer && this.#left > 0) this.#left--;
      else this.requests.push(this.bounds);
    }
  }

  /** Maps what is memory between two addresses. @returns how many bytes that are */
  mapMemory(start: number, end: number): number {
    let bytes = 0;
    for (const range of this.#input.memory) {
      const from = Math.max(range.start, start);
      const to = Math.min(range.end, end);
      if (from >= to) continue;
      this.map(from, to);
      bytes += to - from;
    }
    return bytes;
  }
}

function mapDownwards(tables: Tables, { memory, top }: DirectMapInput): void {
  const end = memory.at(-1)?.end ?? 0;
  let step = ENTRY;
  let mapped = 0;
  let last = top;
  let highest = 0;
  while (last > MIB) {
    const start = last > step ? Math.max(MIB, Math.floor((last - 1) / step) * step) : MIB;
    mapped += tables.mapMemory(start, last);
    if (mapped > 0) highest = Math.max(highest, last);
    last = start;
    tables.bounds = { from: last, to: highest };
    if (mapped >= step) step *= 2 ** STEP_SHIFT;
  }
  if (top < end) tables.mapMemory(top, end);
}

function mapUpwards(tables: Tables, { memory, top }: DirectMapInput): void {
  const end = memory.at(-1)?.end ?? 0;
  let highest = 0;
  for (const [first, last] of [
    [top, end],
    [MIB, top],
  ] as const) {
    let step = ENTRY;
    let mapped = 0;
    for (let start = first; start < last;) {
      const next = last - start > step ? Math.ceil((start + 1) / step) * step : last;
      // An entry that is there in part maps the rest of it too, where that is memory.
      mapped += tables.mapMemory(
        Math.floor(start / ENTRY) * ENTRY,
        Math.ceil(next / ENTRY) * ENTRY,
      );
      if (mapped > 0) highest = Math.max(highest, next);
      tables.bounds = { from: first, to: highest };
      start = next;
      if (mapped >= step) step *= 2 ** STEP_SHIFT;
    }
  }
}

/** Tables that a stretch needs, from the top level down. */
function* tablesOf(start: number, end: number, gibPages: boolean): Generator<string> {
  const from = Math.floor(start / PAGE) * PAGE;
  const to = Math.ceil(end / PAGE) * PAGE;
  for (let at = from; at < to;) {
    yield `512G ${Math.floor(at / TOP_TABLE)}`;
    const gib = Math.floor(at / GIB);
    const next = Math.min(to, (gib + 1) * GIB);
    if (gibPages && at === gib * GIB && next - at === GIB) {
      at = next;
      continue;
    }
    yield `1G ${gib}`;
    // Only the ends of a stretch can be parts of an entry.
    const head = Math.ceil(at / ENTRY) * ENTRY;
    const tail = Math.floor(next / ENTRY) * ENTRY;
    if (head !== at) yield `2M ${Math.floor(at / ENTRY)}`;
    if (tail !== next && (tail >= head || head === at)) yield `2M ${Math.floor(next / ENTRY)}`;
    at = next;
  }
}
