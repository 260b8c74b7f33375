/**
 * Walks: over the regions of a list, over ranges (one list minus another), over whole pages.
 */
import { pageDown, pageUp } from '../base/arithmetic.js';
import { checkFlags, checkWish } from '../base/checks.js';
import { MemFlags, NO_NODE } from '../base/constants.js';
import type { MemRange, MemRegion, NodePfnRange, RegionType, WalkOptions } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { attrFlags, attrNid } from '../list/attributes.js';
import { memoryFilter, NO_FILTER, RangeCursor } from '../list/range-cursor.js';

/** Visits every region of a list in address order, without allocating. */
export function forEachRegion(
  core: MemblockCore,
  type: RegionType,
  visit: (base: number, size: number, flags: number, nid: number) => void,
): void {
  const list = core.listOf(type);
  for (let d = 0; d < list.chunks; d++) {
    for (let i = 0; i < list.chunkCount(d); i++) {
      const p = list.slotIndex(d, i);
      const attr = list.attr[p]!;
      visit(list.base[p]!, list.end[p]! - list.base[p]!, attrFlags(attr), attrNid(attr));
    }
  }
}

/** A copy of a list, in address order. */
export function regions(core: MemblockCore, type: RegionType): MemRegion[] {
  const copy: MemRegion[] = [];
  forEachRegion(core, type, (base, size, flags, nid) => {
    copy.push({ base, size, flags, nid });
  });
  return copy;
}

/** A walk over one list minus another; filters apply to `memory` only. */
export function rangeCursor(
  core: MemblockCore,
  type: RegionType,
  without: RegionType | undefined,
  options: WalkOptions,
): RangeCursor {
  const { nid = NO_NODE, flags = 0, reverse = false } = options;
  checkWish(nid);
  checkFlags(flags);
  core.checkAlive();
  const { maxNodes, movableNode, numa } = core.settings;
  const filter =
    type === 'memory'
      ? memoryFilter(numa ? nid : NO_NODE, flags, maxNodes, movableNode)
      : NO_FILTER;
  return new RangeCursor(
    core.listOf(type),
    without === undefined ? undefined : core.listOf(without),
    filter,
    reverse,
  );
}

/** RAM minus what is taken, by callback, without allocation. */
export function forEachFreeRange(
  core: MemblockCore,
  visit: (start: number, end: number, nid: number) => void,
  options: WalkOptions,
): void {
  const cursor = rangeCursor(core, 'memory', 'reserved', options);
  while (cursor.next()) visit(cursor.start, cursor.end, cursor.nid);
}

/** One list minus another, one object a range. */
export function* ranges(
  core: MemblockCore,
  type: RegionType,
  without: RegionType | undefined,
  options: WalkOptions,
): Generator<MemRange, void, undefined> {
  const cursor = rangeCursor(core, type, without, options);
  while (cursor.next()) yield { start: cursor.start, end: cursor.end, nid: cursor.nid };
}

/** What a walk over mapped RAM asks for: everything but NOMAP. */
export const MAPPED = MemFlags.HOTPLUG | MemFlags.DRIVER_MANAGED;

/** Whole pages of RAM, region by region; regions without a whole page are left out. */
export function* pfnRanges(
  core: MemblockCore,
  nid: number,
): Generator<NodePfnRange, void, undefined> {
  checkWish(nid);
  const { maxNodes, pageSize } = core.settings;
  const all = nid < 0 || nid >= maxNodes;
  for (const region of regions(core, 'memory')) {
    if (!all && region.nid !== nid) continue;
    const startPfn = pageUp(region.base, pageSize);
    const endPfn = pageDown(region.base + region.size, pageSize);
    if (startPfn < endPfn) yield { startPfn, endPfn, nid: region.nid };
  }
}

/** Pages of every region of a list: for RAM the whole ones only, for others every page touched. */
export function regionPfns(core: MemblockCore, type: RegionType): NodePfnRange[] {
  const { pageSize } = core.settings;
  const inward = type === 'memory';
  return regions(core, type).map(({ base, size, nid }) => ({
    startPfn: inward ? pageUp(base, pageSize) : pageDown(base, pageSize),
    endPfn: inward ? pageDown(base + size, pageSize) : pageUp(base + size, pageSize),
    nid,
  }));
}
