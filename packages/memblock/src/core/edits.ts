/**
 * Edits that make sure of room in the array first.
 *
 * The kernel's arrays lie in the very memory they describe. With a `capacity` this is simulated: an
 * array that would overflow is doubled first, which finds room, and reserves it, in this same object.
 *
 * ```
 *   addRange ──▶ array full? ── no ──▶ ListEditor.fill
 *      ▲              │ yes
 *      │          growArray: findMirrorFirst, then reserveFound ─┐
 *      └─────────────────────────────────────────────────────────┘  may double `reserved`, too
 * ```
 *
 * Source: Documentation/core-api/boot-time-mm.rst.
 */
import { alignUp, cappedEnd } from '../base/arithmetic.js';
import { NO_NODE, REGION_ENTRY_SIZE } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { hexAddress, hexRange } from '../base/notation.js';
import { attrFlags, packAttr } from '../list/attributes.js';
import type { RegionList } from '../list/region-list.js';
import type { MemblockCore } from './core.js';
import { findMirrorFirst } from './find-room.js';

/** Reserves with its debug line; false when the array could not be doubled. */
export function reserveRange(
  core: MemblockCore,
  base: number,
  size: number,
  attr: number,
  nid: number,
): boolean {
  if (core.settings.debug) {
    if (core.settings.profile.reserveLine === 'plain') {
      core.debugRange('memblock_reserve', base, size);
    } else {
      const flags = attrFlags(attr).toString(16);
      core.debugLine(`__memblock_reserve: ${hexRange(base, size)} nid=${nid} flags=${flags}`);
    }
  }
  return addRange(core, core.reserved, base, size, attr);
}

/** Reserves for the allocator or for a grown array. */
export function reserveFound(core: MemblockCore, base: number, size: number, nid: number): boolean {
  const { profile, numa } = core.settings;
  const node = profile.allocationKeepsNode ? nid : core.plainReserveNode;
  return reserveRange(core, base, size, packAttr(profile.allocationFlags, numa ? node : 0), node);
}

/** Adds a range where nothing is; false when the array could not be doubled. */
export function addRange(
  core: MemblockCore,
  list: RegionList,
  base: number,
  size: number,
  attr: number,
): boolean {
  const end = cappedEnd(base, size);
  if (end === base) return true;
  if (list.count === 0) {
    if (list.total !== 0) {
      core.warn('total-mismatch', `${list.name} is empty and its total is not 0`);
    }
    list.insertAt(0, 0, base, end, attr);
    list.total = end - base;
    list.drift = 0;
    return true;
  }
  if (list.count * 2 + 1 > list.max) {
    const fresh = core.editor.countGaps(list, base, end);
    if (fresh === 0) return true;
    // Growing may change what is there before the gaps are filled.
    if (list.count + fresh > list.max) core.editor.countGaps(list, base, end, attr);
    while (list.count + fresh > list.max) {
      if (!growArray(core, list, base, end - base)) return false;
    }
  }
  core.editor.fill(list, base, end, attr);
  return true;
}

/** Makes sure that splitting a region at two ends cannot overflow the array. */
export function roomToSplit(
  core: MemblockCore,
  list: RegionList,
  base: number,
  size: number,
): boolean {
  while (list.count + 2 > list.max) {
    if (!growArray(core, list, base, size)) return false;
  }
  return true;
}

/** Deletes [base, base + size) from a list; false when the array could not be doubled. */
export function cutRange(
  core: MemblockCore,
  list: RegionList,
  base: number,
  size: number,
): boolean {
  const end = cappedEnd(base, size);
  if (end === base) return true;
  if (!roomToSplit(core, list, base, end - base)) return false;
  const before = list.count;
  core.editor.cut(list, base, end);
  core.payloads?.get(list)?.cut(base, end);
  if (before > 0) checkEmpty(core, list);
  return true;
}

/** A list that has just become empty should have no bytes left. */
export function checkEmpty(core: MemblockCore, list: RegionList): void {
  if (list.count === 0 && list.total !== 0) {
    core.warn('total-mismatch', `${list.name} became empty and its total is not 0`);
  }
}

/** What {@link rewriteRange} changes: the bits of `mask` become `bits`, and the node, where there is one, `nid`. */
interface AttributeChange {
  readonly mask: number;
  readonly bits: number;
  readonly nid?: number;
}

/** Changes flags or the node of the regions in a range; false when the array could not be doubled. */
export function rewriteRange(
  core: MemblockCore,
  list: RegionList,
  base: number,
  size: number,
  change: AttributeChange,
): boolean {
  const end = cappedEnd(base, size);
  if (end === base) return true;
  if (!roomToSplit(core, list, base, end - base)) return false;
  core.editor.rewrite(list, base, end, change);
  return true;
}

/**
 * Doubles a simulated array. Its new home is allocated like anything else; for `reserved` it must
 * not lie in the range that is about to be reserved.
 */
function growArray(
  core: MemblockCore,
  list: RegionList,
  avoidBase: number,
  avoidSize: number,
): boolean {
  return core.printingLater(() => doubleArray(core, list, avoidBase, avoidSize));
}

function doubleArray(
  core: MemblockCore,
  list: RegionList,
  avoidBase: number,
  avoidSize: number,
): boolean {
  const { profile, pageSize, accept } = core.settings;
  if (!core.resizable) {
    if (profile.earlyResize === 'fail') return false;
    const message = `memblock: cannot resize ${list.name} array`;
    core.print(`${message}\n`, 'error');
    throw new MemblockError('ERR_MEMBLOCK_RESIZE_FORBIDDEN', message, {
      type: list.name,
      max: list.max,
    });
  }
  const room = list.max * 2;
  const bytes = room * REGION_ENTRY_SIZE;
  const size = alignUp(bytes, pageSize);
  if (core.late !== undefined) {
    if (core.late.allocate(size, pageSize, NO_NODE) === undefined) {
      return failToGrow(core, list, room);
    }
    list.max = room;
    leaveOldArray(core, list, undefined);
    return true;
  }
  const avoids = list === core.reserved && avoidSize > 0;
  let found = findMirrorFirst(core, size, pageSize, avoids ? avoidBase + avoidSize : 0, core.limit);
  if (found === 0 && avoids) {
    found = findMirrorFirst(core, size, pageSize, 0, Math.min(avoidBase, core.limit));
  }
  if (found === 0) return failToGrow(core, list, room);
  if (profile.acceptsGrownArray) accept?.(found, size);
  if (core.settings.debug) {
    core.print(
      `memblock: ${list.name} is doubled to ${room} at [${hexAddress(found)}-${hexAddress(found + bytes - 1)}]`,
      'debug',
    );
  }
  list.max = room;
  leaveOldArray(core, list, { base: found, size });
  const nid = profile.allocationKeepsNode ? NO_NODE : core.plainReserveNode;
  if (!reserveFound(core, found, size, nid)) {
    core.fail(`the grown ${list.name} array at ${hexAddress(found)} could not be reserved`);
  }
  return true;
}

function failToGrow(core: MemblockCore, list: RegionList, room: number): false {
  core.print(
    `memblock: Failed to double ${list.name} array from ${list.max} to ${room} entries !\n`,
    'error',
  );
  return false;
}

/** Gives a grown array back; the first one is part of the kernel and stays. */
function leaveOldArray(core: MemblockCore, list: RegionList, next: RegionList['grownAt']): void {
  const old = list.grownAt;
  list.grownAt = next;
  if (old === undefined) return;
  core.debugRange('memblock_phys_free', old.base, old.size);
  cutRange(core, core.reserved, old.base, old.size);
}
