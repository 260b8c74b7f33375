/**
 * Zones of every node from the machine's memory.
 *
 *      limits     |-DMA-|------DMA32------|-----------Normal-----------|
 *      node 0       [====   ==========]                                     = memory
 *      node 1                          [==========   ====== | =====]        | Movable start
 *      node 1's zones                  [DMA32-----][Normal-][Movable]
 *
 * A zone of a node is the node's span clamped to the zone's limits, so holes, and other nodes' memory in
 * between, count as spanned. Present is the memory of the node itself inside. A Movable start cuts the
 * zone it lies in, except for mirrored memory, where Normal and Movable share one span and each counts
 * the other's memory as absent.
 *
 * Source: reference of the buddy allocator, section 2; Documentation/mm/physical_memory.rst
 * @kernel free_area_init
 */
import { BuddyError, checkPages } from '../base/errors.js';
import { checkRanges } from './limits.js';
import { movableStarts } from './movable-start.js';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type {
  MovablePolicy,
  NodeLayout,
  ZoneLayout,
  ZoneLimits,
  ZoneSpan,
} from './layout-types.js';

/** Options of `zoneLayout`. */
export interface ZoneLayoutOptions {
  /** Whole pages of memory with their nodes: ascending, disjoint. */
  readonly memory: readonly MemoryPfnRange[];
  readonly limits: ZoneLimits;
  /** Default: no Movable zone. */
  readonly movable?: MovablePolicy;
  /** Nodes that are online without memory. */
  readonly memorylessNids?: readonly number[];
  /** Pfn of the first byte of memory, rounded down; default: start of the first range. */
  readonly firstPfn?: number;
  /** Pages of a block of the largest order. Default 1024. */
  readonly maxOrderPages?: number;
  /** log2 of the page size. Default 12. */
  readonly pageShift?: number;
}

interface Context {
  /** Memory of each node that has some, ascending. */
  readonly memoryOf: ReadonlyMap<number, readonly MemoryPfnRange[]>;
  readonly limits: ZoneLimits;
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  readonly movableStart: ReadonlyMap<number, number>;
  readonly mirrored: boolean;
  /** One past the highest pfn of the zone that Movable is cut from. */
  readonly movableEnd: number;
}

const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** Limits of each zone index: zones follow each other, Movable has no limits of its own. */
function possiblePfns(
  limits: ZoneLimits,
  firstPfn: number,
): { lowest: number[]; highest: number[] } {
  const lowest: number[] = [];
  const highest: number[] = [];
  let start = firstPfn;
  for (const { zone, endPfn } of limits) {
    checkPages(endPfn, `limit of ${zone}`);
    const end = zone === 'Movable' ? 0 : Math.max(endPfn, start);
    lowest.push(zone === 'Movable' ? 0 : start);
    highest.push(end);
    if (zone !== 'Movable') start = end;
  }
  return { lowest, highest };
}

/** Memory of each node, in the order of `memory`. */
function byNode(memory: readonly MemoryPfnRange[]): Map<number, MemoryPfnRange[]> {
  const memoryOf = new Map<number, MemoryPfnRange[]>();
  for (const range of memory) {
    const own = memoryOf.get(range.nid);
    if (own === undefined) memoryOf.set(range.nid, [range]);
    else own.push(range);
  }
  return memoryOf;
}

/** Memory of `nid` in `[start, end)`, of those ranges that `counts` accepts. */
function presentIn(
  context: Context,
  nid: number,
  span: { readonly start: number; readonly end: number },
  counts: (range: MemoryPfnRange) => boolean,
): number {
  let pages = 0;
  for (const range of context.memoryOf.get(nid) ?? []) {
    if (!counts(range)) continue;
    pages += Math.max(0, Math.min(range.endPfn, span.end) - Math.max(range.startPfn, span.start));
  }
  return pages;
}

function zoneSpan(
  context: Context,
  node: { readonly nid: number; readonly startPfn: number; readonly endPfn: number },
  zoneIndex: number,
): ZoneSpan {
  const { nid, startPfn: nodeStart, endPfn: nodeEnd } = node;
  const { zone } = context.limits[zoneIndex]!;
  const low = context.lowest[zoneIndex]!;
  const high = context.highest[zoneIndex]!;
  let start = clamp(nodeStart, low, high);
  let end = clamp(nodeEnd, low, high);
  const movable = context.movableStart.get(nid);
  if (zone === 'Movable') {
    start = movable ?? 0;
    end = movable === undefined ? 0 : Math.min(nodeEnd, context.movableEnd);
  } else if (movable !== undefined && end > movable) {
    if (start >= movable) start = end;
    else if (!context.mirrored) end = movable;
  }
  start = Math.max(start, nodeStart);
  end = Math.min(end, nodeEnd);
  const spannedPages = Math.max(0, end - start);
  const shares = context.mirrored && movable !== undefined;
  const presentPages = presentIn(context, nid, { start, end }, (range) => {
    if (!shares) return true;
    if (zone === 'Movable') return range.mirror !== true;
    return zone !== 'Normal' || range.mirror === true;
  });
  return {
    nid,
    zone,
    zoneIndex,
    startPfn: spannedPages > 0 ? start : 0,
    endPfn: spannedPages > 0 ? end : 0,
    spannedPages,
    presentPages,
    absentPages: spannedPages - presentPages,
  };
}

function nodeLayout(context: Context, nid: number): NodeLayout {
  const own = context.memoryOf.get(nid) ?? [];
  const startPfn = own[0]?.startPfn ?? 0;
  const endPfn = own.at(-1)?.endPfn ?? 0;
  const zones = context.limits.map((_, index) =>
    zoneSpan(context, { nid, startPfn, endPfn }, index),
  );
  return {
    nid,
    startPfn,
    endPfn,
    spannedPages: zones.reduce((sum, zone) => sum + zone.spannedPages, 0),
    presentPages: zones.reduce((sum, zone) => sum + zone.presentPages, 0),
    zones,
  };
}

/**
 * Zones of every node.
 * @throws ERR_ZONE_RANGES when `memory` is empty, not ascending or overlapping
 * @throws ERR_ZONE_LIMITS when a zone is named twice
 * @remarks O(zones × ranges); allocates the result only.
 */
export function zoneLayout(options: ZoneLayoutOptions): ZoneLayout {
  const { memory, limits, movable = { kind: 'none' }, memorylessNids = [] } = options;
  const { maxOrderPages = 1024, pageShift = 12 } = options;
  checkRanges(memory);
  if (memory.length === 0) throw new BuddyError('ERR_ZONE_RANGES', 'there is no memory');
  if (new Set(limits.map((limit) => limit.zone)).size !== limits.length) {
    throw new BuddyError('ERR_ZONE_LIMITS', 'a zone is named twice', { limits });
  }
  const { lowest, highest } = possiblePfns(limits, options.firstPfn ?? memory[0]!.startPfn);
  const highestZone = limits.findLastIndex(
    ({ zone }, index) => zone !== 'Movable' && highest[index]! > lowest[index]!,
  );
  if (highestZone < 0) {
    throw new BuddyError('ERR_ZONE_LIMITS', 'no zone reaches up to the memory', { limits });
  }
  const memoryOf = byNode(memory);
  const { starts, warnings } = movableStarts({
    memory,
    memoryOf,
    policy: movable,
    usableStartPfn: lowest[highestZone]!,
    maxOrderPages,
    pfn4G: 2 ** (32 - pageShift),
  });
  const context: Context = {
    memoryOf,
    limits,
    lowest,
    highest,
    movableStart: starts,
    mirrored: movable.kind === 'mirror',
    movableEnd: highest[highestZone]!,
  };
  const nids = [...new Set([...memoryOf.keys(), ...memorylessNids])];
  return {
    limits,
    lowestPfn: lowest,
    highestPfn: highest,
    movableStart: starts,
    warnings,
    nodes: nids.sort((a, b) => a - b).map((nid) => nodeLayout(context, nid)),
  };
}
