/**
 * Finding room with the object's settings: its direction, its current limit, what nodes and flags mean.
 * The search itself is in list/find-space.ts.
 */
import { MemFlags, NO_NODE } from '../base/constants.js';
import { hexAddress } from '../base/notation.js';
import { findBottomUp, findTopDown } from '../list/find-space.js';
import { memoryFilter } from '../list/range-cursor.js';
import type { MemblockCore } from './core.js';

/** Finds room; 0 when there is none. `end` 0 or 1 stands for the current limit. */
export function findRoom(
  core: MemblockCore,
  size: number,
  align: number,
  start: number,
  end: number,
  nid: number,
  flags: number,
): number {
  const { maxNodes, movableNode, pageSize, numa } = core.settings;
  const limit = end <= 1 ? core.limit : end;
  // Page 0 is never handed out.
  const from = start > pageSize ? start : pageSize;
  const query = {
    size,
    align,
    start: from,
    end: limit > from ? limit : from,
    filter: memoryFilter(numa ? nid : NO_NODE, flags, maxNodes, movableNode),
  };
  return core.bottomUp
    ? findBottomUp(core.memory, core.reserved, query)
    : findTopDown(core.memory, core.reserved, query);
}

/** Room on any node, in mirrored memory first once there is any; 0 when there is none. */
export function findMirrorFirst(
  core: MemblockCore,
  size: number,
  align: number,
  start: number,
  end: number,
): number {
  const flags = allocationWish(core);
  const found = findRoom(core, size, align, start, end, NO_NODE, flags);
  if (found !== 0 || (flags & MemFlags.MIRROR) === 0) return found;
  warnUnmirrored(core, size);
  return findRoom(core, size, align, start, end, NO_NODE, flags & ~MemFlags.MIRROR);
}

/** Flags that allocations ask for first. */
export function allocationWish(core: MemblockCore): number {
  if (core.scratchOnly) return MemFlags.KHO_SCRATCH;
  return core.mirrorKnown ? MemFlags.MIRROR : MemFlags.NONE;
}

/** Says that an allocation goes on without mirrored memory. */
export function warnUnmirrored(core: MemblockCore, size: number): void {
  core.print(`Could not allocate ${hexAddress(size)} bytes of mirrored memory\n`, 'warning');
}
