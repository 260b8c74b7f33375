/**
 * Which node each stretch of memory belongs to.
 *
 *   SRAT blocks      |---- 0 ----|-- 1 --|--- 0 ---|
 *   usable memory     ■■■■  ■■■■■■■■■  ■■■■■■■■
 *   result            0000  0000|1111  11|00000        split at block borders
 *
 * Sources, best first: nodes that the kernel faked, the SRAT (unless the kernel threw it away), node blocks, early
 * node ranges, and one node for everything.
 */
import { DEFAULT_PAGE_SIZE } from '../base/constants.js';
import { sorted } from '../base/sort-steps.js';
import { isStep } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import type { ProblemList } from '../base/problem-list.js';
import type { ByteRange, MachineDescription } from '../types/all.js';
import { subtract } from './intervals.js';

/** A block of addresses that belongs to a node. */
export interface NodeBlock extends ByteRange {
  readonly nid: number;
  readonly hotplug: boolean;
  /** Memory that the kernel knows but never maps (EFI runtime data on arm64): present, not usable. */
  readonly noMap?: true;
  /** Memory that the firmware keeps twice. */
  readonly mirror?: true;
}

/** Where the node numbers came from. */
export type NodeSource =
  | 'srat'
  | 'faked'
  | 'numa-fake'
  | 'early-ranges'
  | 'blocks'
  | 'zoneinfo'
  | 'single'
  | 'memblock-dump';

/** Blocks of all nodes; no block means one node. */
export interface NodeMap {
  readonly blocks: readonly NodeBlock[];
  readonly source: NodeSource;
}

/** The node blocks of a description. */
export function nodeMap(description: MachineDescription): NodeMap {
  const { numa, printed, options } = description;
  if (numa.faked.length > 0) return { blocks: plain(numa.faked), source: 'faked' };
  const isOff =
    numa.rejected !== undefined ||
    numa.single !== undefined ||
    options.numa.some(({ mode }) => mode === 'off');
  if (isOff) return { blocks: [], source: 'single' };
  if (numa.srat.length > 0) {
    const merged = plain(numa.merges.map(({ nid, result }) => ({ nid, ...result })));
    // A merge covers the hole between two blocks of a node; the SRAT's own words come first.
    const blocks = [...numa.srat, ...subtract(merged, numa.srat)];
    return { blocks: blocks.map(pick), source: 'srat' };
  }
  if (numa.blocks.length > 0) return { blocks: plain(numa.blocks), source: 'blocks' };
  if (new Set(printed.earlyRanges.map(({ nid }) => nid)).size > 1) {
    return { blocks: plain(printed.earlyRanges), source: 'early-ranges' };
  }
  const zones = zoneBlocks(description);
  return zones.length > 0
    ? { blocks: zones, source: 'zoneinfo' }
    : { blocks: [], source: 'single' };
}

// Spans of the zones of a running machine; of use when it has more than one node.
function zoneBlocks({ proc, pageSize = DEFAULT_PAGE_SIZE }: MachineDescription): NodeBlock[] {
  const blocks: NodeBlock[] = [];
  for (const { nid, startPfn, spanned, present } of proc.zoneinfo ?? []) {
    if (startPfn === undefined || spanned === undefined || present === undefined) continue;
    const [start, end] = [startPfn * pageSize, (startPfn + spanned) * pageSize];
    const isKnown = present > 0 && Number.isSafeInteger(end);
    if (isKnown) blocks.push({ start, end, nid, hotplug: false });
  }
  return new Set(blocks.map(({ nid }) => nid)).size > 1 ? blocks : [];
}

function pick({ start, end, nid, hotplug }: NodeBlock): NodeBlock {
  return { start, end, nid, hotplug };
}

function plain(blocks: readonly (ByteRange & { readonly nid: number })[]): NodeBlock[] {
  return blocks.map(({ start, end, nid }) => ({ start, end, nid, hotplug: false }));
}

/**
 * Splits memory at the blocks' borders and names each part's node.
 * @param memory    sorted, disjoint ranges
 * @param soleNode  node for memory that no block covers
 * @returns sorted parts; neighbours of one node joined when they touch
 */
export function* assignNodes(
  memory: readonly ByteRange[],
  map: NodeMap,
  soleNode: number,
  problems: ProblemList,
): Steps<NodeBlock[]> {
  if (map.blocks.length === 0) {
    return memory.map(({ start, end }) => ({ start, end, nid: soleNode, hotplug: false }));
  }
  const parts: NodeBlock[] = [];
  const rest: ByteRange[] = [];
  const owned = yield* firstBlocks(map.blocks);
  yield;
  let at = 0;
  for (const [turn, { start, end }] of memory.entries()) {
    if (isStep(turn)) yield;
    let from = start;
    while (at < owned.length && owned[at]!.end <= start) at++;
    for (let index = at; index < owned.length && owned[index]!.start < end; index++) {
      const { block } = owned[index]!;
      const part = {
        start: Math.max(owned[index]!.start, start),
        end: Math.min(owned[index]!.end, end),
      };
      if (part.start > from) rest.push({ start: from, end: part.start });
      parts.push({ ...part, nid: block.nid, hotplug: block.hotplug });
      from = part.end;
    }
    if (from < end) rest.push({ start: from, end });
  }
  if (rest.length > 0) {
    const first = rest[0]!.start.toString(16);
    const message = `${rest.length} ranges (the first at 0x${first}) are in no node's block; given to node ${soleNode}`;
    problems.warn('ASSUMED', 0, message);
    for (const { start, end } of rest) parts.push({ start, end, nid: soleNode, hotplug: false });
  }
  yield;
  return joinNeighbours(yield* sorted(parts, (a, b) => a.start - b.start));
}

/** Disjoint stretches, ascending, each with the first of the blocks that hold it. */
function* firstBlocks(
  blocks: readonly NodeBlock[],
): Steps<(ByteRange & { readonly block: NodeBlock })[]> {
  const order = yield* sorted(
    blocks.map((block, index) => ({ ...block, index })),
    (a, b) => a.start - b.start,
  );
  const result: { start: number; end: number; block: NodeBlock }[] = [];
  // Blocks that have begun, the earliest of the list on top; those that have ended are dropped when they get there.
  const open = new IndexHeap();
  let next = 0;
  let from = 0;
  yield;
  for (let turn = 0; next < order.length || open.top() !== undefined; turn++) {
    if (isStep(turn)) yield;
    const top = open.top();
    const current = top === undefined ? undefined : blocks[top]!;
    if (current !== undefined && current.end <= from) {
      open.pop();
      continue;
    }
    const begins = order[next]?.start ?? Infinity;
    const to = Math.min(current?.end ?? Infinity, begins);
    if (current !== undefined && to > from) {
      const last = result.at(-1);
      if (last?.end === from && last.block === current) last.end = to;
      else result.push({ start: from, end: to, block: current });
    }
    from = Math.max(from, to);
    for (; next < order.length && order[next]!.start <= from; next++) open.push(order[next]!.index);
  }
  return result;
}

/** A binary heap of numbers, the smallest on top. */
class IndexHeap {
  private readonly items: number[] = [];

  top(): number | undefined {
    return this.items[0];
  }

  push(item: number): void {
    const { items } = this;
    let place = items.push(item) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (items[parent]! <= item) break;
      items[place] = items[parent]!;
      place = parent;
    }
    items[place] = item;
  }

  pop(): void {
    const { items } = this;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[place] = items[child]!;
      place = child;
    }
    items[place] = last;
  }
}

/** @param parts  ascending */
function joinNeighbours(parts: readonly NodeBlock[]): NodeBlock[] {
  const result: { start: number; end: number; nid: number; hotplug: boolean }[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    const joins =
      last?.end === part.start && last.nid === part.nid && last.hotplug === part.hotplug;
    if (joins) last.end = part.end;
    else result.push({ ...part });
  }
  return result;
}
