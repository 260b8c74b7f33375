/**
 * Allocation: find room, reserve it, give its address. What is wished for is dropped in this order:
 *
 * ```
 *   mirrored + node  ->  mirrored + any node  ->  node  ->  any node        (then, if there is one:)
 *   the lower bound  ->  all of the above again from address 0
 * ```
 *
 * Mirror beats locality. The lower bound and the node are wishes, the upper bound, the alignment and
 * an exact node are not. Page 0 is never handed out.
 *
 * Two families, as in the kernel. The range family takes limits as they are. The bounded family
 * (`alloc*` with `min`/`max`) never goes above the current limit.
 *
 * Source: Documentation/core-api/boot-time-mm.rst.
 */
import { checkAlignment, checkBytes, checkFlags, checkWish } from '../base/checks.js';
import { ALLOC_ACCESSIBLE, MemFlags, NO_NODE } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { decimal, hexAddress, hexNumber } from '../base/notation.js';
import type { BoundOptions, FindOptions, RangeNodeOptions, RangeOptions } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { reserveFound } from '../core/edits.js';
import { allocationWish, findMirrorFirst, findRoom, warnUnmirrored } from '../core/find-room.js';

/** Where `size` bytes would fit, in the current direction. */
export function findInRange(
  core: MemblockCore,
  size: number,
  options: FindOptions,
): number | undefined {
  const { align = 1, start = 0, end = ALLOC_ACCESSIBLE, nid = NO_NODE, flags = 0 } = options;
  checkRequest(core, size, align, start, end, nid);
  checkFlags(flags);
  return orUndefined(findRoom(core, size, align === 0 ? 1 : align, start, end, nid, flags));
}

/** Where `size` bytes would fit, mirrored memory first once there is any. */
export function findPreferMirror(
  core: MemblockCore,
  size: number,
  options: RangeOptions,
): number | undefined {
  const { align = 1, start = 0, end = ALLOC_ACCESSIBLE } = options;
  checkRequest(core, size, align, start, end, NO_NODE);
  return orUndefined(findMirrorFirst(core, size, align === 0 ? 1 : align, start, end));
}

/** A call of the bounded family; its name stands in the debug line. */
type BoundedCall =
  'memblock_alloc_try_nid' | 'memblock_alloc_try_nid_raw' | 'memblock_alloc_exact_nid_raw';

/** Allocates in the bounded family: a wished lower bound, and an upper one that the current limit caps. */
export function allocBounded(
  core: MemblockCore,
  call: BoundedCall,
  size: number,
  options: BoundOptions,
): number | undefined {
  const { min = 0, max = ALLOC_ACCESSIBLE, nid = NO_NODE } = options;
  const align = options.align ?? core.settings.cacheLineSize;
  const exact = call === 'memblock_alloc_exact_nid_raw';
  checkRequest(core, size, align, min, max, nid);
  if (core.settings.debug) {
    core.debugLine(
      `${call}: ${decimal(size)} bytes align=${hexNumber(align)} nid=${nid} from=${hexAddress(min)} max_addr=${hexAddress(max)}`,
    );
  }
  const end = Math.min(max, core.limit);
  const found = allocChecked(core, size, align, min, end, nid, exact);
  if (found !== 0 || min === 0) return orUndefined(found);
  return orUndefined(allocChecked(core, size, align, 0, end, nid, exact));
}

/** Allocates below the current limit, or throws. */
export function allocOrThrow(core: MemblockCore, size: number, options: BoundOptions): number {
  const found = allocBounded(core, 'memblock_alloc_try_nid', size, options);
  if (found !== undefined) return found;
  const message = `${core.settings.caller()}: Failed to allocate ${hexAddress(size)} bytes`;
  core.print(`${message}\n`, 'error');
  throw new MemblockError('ERR_MEMBLOCK_OUT_OF_MEMORY', message, { size });
}

/** Allocates within hard limits. */
export function allocRange(
  core: MemblockCore,
  size: number,
  options: RangeOptions,
): number | undefined {
  const { start = 0, end = ALLOC_ACCESSIBLE } = options;
  const align = options.align ?? core.settings.cacheLineSize;
  checkRequest(core, size, align, start, end, NO_NODE);
  if (core.settings.debug) debugRequest(core, size, align, start, end);
  return orUndefined(allocChecked(core, size, align, start, end, NO_NODE, false));
}

/** Allocates within hard limits with a wished or exact node. */
export function allocRangeNid(
  core: MemblockCore,
  size: number,
  options: RangeNodeOptions,
): number | undefined {
  const { start = 0, end = ALLOC_ACCESSIBLE, nid = NO_NODE, exact = false } = options;
  const align = options.align ?? core.settings.cacheLineSize;
  checkRequest(core, size, align, start, end, nid);
  return orUndefined(allocChecked(core, size, align, start, end, nid, exact));
}

/** The line of a request of the range family. */
export function debugRequest(
  core: MemblockCore,
  size: number,
  align: number,
  start: number,
  end: number,
): void {
  core.debugLine(
    `memblock_phys_alloc_range: ${decimal(size)} bytes align=${hexNumber(align)} from=${hexAddress(start)} max_addr=${hexAddress(end)}`,
  );
}

/** Finds and reserves what was checked before; 0 when nothing fits. */
export function allocChecked(
  core: MemblockCore,
  size: number,
  align: number,
  start: number,
  end: number,
  nid: number,
  exact: boolean,
): number {
  if (core.late !== undefined) {
    core.warn('late-allocation', 'memblock allocates although the slab allocator is up');
    return core.late.allocate(size, align, nid) ?? 0;
  }
  let step = align;
  if (step === 0) {
    core.warn('no-alignment', 'an allocation without alignment gets the cache line');
    step = core.settings.cacheLineSize;
  }
  const valid = nid >= 0 && nid < core.settings.maxNodes;
  for (let flags = allocationWish(core); ; flags &= ~MemFlags.MIRROR) {
    let found = findRoom(core, size, step, start, end, nid, flags);
    if (found !== 0 && reserveFound(core, found, size, nid)) return handOut(core, found, size);
    if (valid && !exact) {
      found = findRoom(core, size, step, start, end, NO_NODE, flags);
      if (found !== 0 && reserveFound(core, found, size, NO_NODE)) {
        return handOut(core, found, size);
      }
    }
    if ((flags & MemFlags.MIRROR) === 0) return 0;
    warnUnmirrored(core, size);
  }
}

/** Tells that a range is to be used; what cannot be is not taken. */
function handOut(core: MemblockCore, found: number, size: number): number {
  try {
    core.settings.accept?.(found, size);
  } catch (error) {
    if (size > 0) core.editor.cut(core.reserved, found, found + size);
    throw error;
  }
  return found;
}

function checkRequest(
  core: MemblockCore,
  size: number,
  align: number,
  start: number,
  end: number,
  nid: number,
): void {
  checkBytes(size, 'size');
  checkAlignment(align, core.settings.maskAlignment);
  checkBytes(start, 'start');
  checkBytes(end, 'end');
  checkWish(nid);
  core.checkAlive();
}

function orUndefined(found: number): number | undefined {
  return found === 0 ? undefined : found;
}
