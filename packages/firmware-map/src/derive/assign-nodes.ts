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
import type { ProblemList } from '../base/problem-list.js';
import type { ByteRange, MachineDescription } from '../types/all.js';
import { clip, subtract } from './intervals.js';

/** A block of addresses that belongs to a node. */
export interface NodeBlock extends ByteRange {
  readonly nid: number;
  readonly hotplug: boolean;
  /** Memory that the kernel knows but never maps (EFI runtime data on arm64): present, not usable. */
  readonly noMap?: true;
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
export function assignNodes(
  memory: readonly ByteRange[],
  map: NodeMap,
  soleNode: number,
  problems: ProblemList,
): NodeBlock[] {
  if (map.blocks.length === 0) {
    return memory.map(({ start, end }) => ({ start, end, nid: soleNode, hotplug: false }));
  }
  const parts: NodeBlock[] = [];
  let rest: ByteRange[] = [...memory];
  for (const block of map.blocks) {
    for (const { start, end } of clip(rest, block)) {
      parts.push({ start, end, nid: block.nid, hotplug: block.hotplug });
    }
    rest = subtract(rest, [block]);
  }
  if (rest.length > 0) {
    const first = rest[0]!.start.toString(16);
    const message = `${rest.length} ranges (the first at 0x${first}) are in no node's block; given to node ${soleNode}`;
    problems.warn('ASSUMED', 0, message);
    for (const { start, end } of rest) parts.push({ start, end, nid: soleNode, hotplug: false });
  }
  return joinNeighbours(parts);
}

function joinNeighbours(parts: readonly NodeBlock[]): NodeBlock[] {
  const result: { start: number; end: number; nid: number; hotplug: boolean }[] = [];
  for (const part of parts.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    const joins =
      last?.end === part.start && last.nid === part.nid && last.hotplug === part.hotplug;
    if (joins) last.end = part.end;
    else result.push({ ...part });
  }
  return result;
}
