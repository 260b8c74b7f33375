/**
 * Trimming and limiting: what `mem=`, `memmap=` and page alignment do to the lists.
 *
 * The kernel's trimming shrinks regions without lowering the total it keeps, so that the printed
 * memory size stays too large from then on. That is observable and kept here; `verify()` knows by how much.
 *
 * Source: Documentation/admin-guide/kernel-parameters.txt (mem=, memmap=).
 */
import { alignDown, alignUp, cappedEnd, wrappingSum } from '../base/arithmetic.js';
import { checkAlignment, checkBytes } from '../base/checks.js';
import { MemFlags, PHYS_ADDR_MAX } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import type { MemblockCore } from '../core/core.js';
import { checkEmpty, cutRange, roomToSplit } from '../core/edits.js';
import { attrFlags } from '../list/attributes.js';
import { EntryBuffer } from '../list/entry-buffer.js';

/** Rounds every region of RAM inward; the total is lowered for those only that disappear. */
export function trimMemory(core: MemblockCore, align: number): void {
  checkAlignment(align, core.settings.maskAlignment);
  if (align === 0) {
    throw new MemblockError('ERR_MEMBLOCK_ALIGNMENT', 'align must not be 0', { align });
  }
  core.checkAlive();
  const list = core.memory;
  const kept = new EntryBuffer();
  let gone = 0;
  let drift = 0;
  for (let d = 0; d < list.chunks; d++) {
    for (let i = 0; i < list.chunkCount(d); i++) {
      const p = list.slotIndex(d, i);
      const start = alignUp(list.base[p]!, align);
      const end = alignDown(list.end[p]!, align);
      // Rounding up past the top of the space leaves nothing.
      if (start < end && start >= list.base[p]!) {
        kept.push(start, end, list.attr[p]!);
        drift += list.end[p]! - list.base[p]! - (end - start);
      } else {
        gone += list.end[p]! - list.base[p]!;
      }
    }
  }
  const changed = gone > 0 || drift > 0;
  if (!changed) return;
  list.replaceAll(kept);
  core.payloads?.get(list)?.cutOutside();
  list.total -= gone;
  list.drift += drift;
  checkEmpty(core, list);
}

/** Keeps the lowest `limit` bytes of RAM and removes what lies above, from both lists. */
export function enforceMemoryLimit(core: MemblockCore, limit: number): void {
  checkBytes(limit, 'limit');
  core.checkAlive();
  if (limit === 0) return;
  const top = findMaxAddress(core, limit);
  if (top === PHYS_ADDR_MAX) return;
  cutRange(core, core.memory, top, PHYS_ADDR_MAX);
  cutRange(core, core.reserved, top, PHYS_ADDR_MAX);
}

/** Keeps only one range of RAM, and NOMAP regions wherever they are. */
export function capMemoryRange(core: MemblockCore, base: number, size: number): void {
  core.checkEdit(base, size);
  if (size === 0) return;
  if (core.memory.total === 0) {
    core.print('memblock_cap_memory_range: No memory registered yet\n', 'warning');
    return;
  }
  const end = cappedEnd(base, size);
  if (!roomToSplit(core, core.memory, base, end - base)) return;
  keepWithin(core, base, end);
  cutRange(core, core.reserved, 0, base);
  // The kernel's sum wraps here.
  cutRange(core, core.reserved, wrappingSum(base, size), PHYS_ADDR_MAX);
}

/** Keeps the lowest `limit` bytes of RAM and every NOMAP region. */
export function memLimitRemoveMap(core: MemblockCore, limit: number): void {
  checkBytes(limit, 'limit');
  core.checkAlive();
  if (limit === 0) return;
  const top = findMaxAddress(core, limit);
  if (top !== PHYS_ADDR_MAX) capMemoryRange(core, 0, top);
}

/** Address below which `limit` bytes of RAM lie; PHYS_ADDR_MAX where there is less. */
function findMaxAddress(core: MemblockCore, limit: number): number {
  const list = core.memory;
  let left = limit;
  for (let d = 0; d < list.chunks; d++) {
    for (let i = 0; i < list.chunkCount(d); i++) {
      const p = list.slotIndex(d, i);
      const size = list.end[p]! - list.base[p]!;
      if (left <= size) return list.base[p]! + left;
      left -= size;
    }
  }
  return PHYS_ADDR_MAX;
}

function keepWithin(core: MemblockCore, base: number, end: number): void {
  const list = core.memory;
  const kept = new EntryBuffer();
  let removed = 0;
  const keep = (from: number, to: number, attr: number, inside: boolean): void => {
    if (from >= to) return;
    if (inside || (attrFlags(attr) & MemFlags.NOMAP) !== 0) kept.push(from, to, attr);
    else removed += to - from;
  };
  for (let d = 0; d < list.chunks; d++) {
    for (let i = 0; i < list.chunkCount(d); i++) {
      const p = list.slotIndex(d, i);
      const from = list.base[p]!;
      const to = list.end[p]!;
      const attr = list.attr[p]!;
      const before = kept.length;
      keep(from, Math.min(to, base), attr, false);
      keep(Math.max(from, base), Math.min(to, end), attr, true);
      keep(Math.max(from, end), to, attr, false);
      // A NOMAP region that lies across a border is split and stays so.
      if (kept.length - before > 1) core.unmerged = true;
    }
  }
  if (removed === 0 && kept.length === list.count) return;
  list.replaceAll(kept);
  core.payloads?.get(list)?.cutOutside();
  list.total -= removed;
  checkEmpty(core, list);
}
