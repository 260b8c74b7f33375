/**
 * Trimming and limiting: what `mem=`, `memmap=` and page alignment do to the lists.
 *
 * The kernel's trimming shrinks regions without lowering the total it keeps, so that the printed
 * memory size stays too large from then on. That is observable and kept here; `verify()` knows by how much.
 *
 * Source: Documentation/admin-guide/kernel-parameters.txt (mem=, memmap=).
 */
import { attrFlags } from './attributes.js';
import { alignDown, alignUp, cappedEnd, wrappingSum } from './arithmetic.js';
import { MemFlags, PHYS_ADDR_MAX } from './constants.js';
import { EntryBuffer } from './entry-buffer.js';
import { MemblockError } from './errors.js';
import { MemblockAllocator } from './memblock-allocator.js';
import { checkAlignment, checkBytes } from './options.js';

/** Limits; the fourth layer of {@link Memblock}. */
export class MemblockLimits extends MemblockAllocator {
  /** Whether an edit has left touching, like regions apart. @internal */
  protected unmerged = false;

  /**
   * Rounds every region of RAM inward; regions that hold nothing aligned disappear. The total is
   * lowered for those only, as in the kernel.
   * @param align bytes, a power of two
   * @throws MemblockError ERR_MEMBLOCK_ALIGNMENT
   * @kernel memblock_trim_memory
   */
  trimMemory(align: number): void {
    checkAlignment(align, this.settings.maskAlignment);
    if (align === 0) {
      throw new MemblockError('ERR_MEMBLOCK_ALIGNMENT', 'align must not be 0', { align });
    }
    this.checkAlive();
    const list = this.memory;
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
    list.total -= gone;
    list.drift += drift;
    this.checkEmpty(list);
  }

  /**
   * Keeps the lowest `limit` bytes of RAM and removes what lies above, from both lists.
   * @param limit bytes; 0 or more than there is: nothing happens
   * @kernel memblock_enforce_memory_limit
   */
  enforceMemoryLimit(limit: number): void {
    checkBytes(limit, 'limit');
    this.checkAlive();
    if (limit === 0) return;
    const top = this.findMaxAddress(limit);
    if (top === PHYS_ADDR_MAX) return;
    this.cutRange(this.memory, top, PHYS_ADDR_MAX);
    this.cutRange(this.reserved, top, PHYS_ADDR_MAX);
  }

  /**
   * Keeps only one range of RAM; NOMAP regions stay wherever they are. What is reserved outside goes.
   * @param base first byte kept
   * @param size bytes; 0: nothing happens
   * @kernel memblock_cap_memory_range
   */
  capMemoryRange(base: number, size: number): void {
    this.checkEdit(base, size);
    if (size === 0) return;
    if (this.memory.total === 0) {
      this.print('memblock_cap_memory_range: No memory registered yet\n', 'warning');
      return;
    }
    const end = cappedEnd(base, size);
    if (!this.roomToSplit(this.memory, base, end - base)) return;
    this.keepWithin(base, end);
    this.cutRange(this.reserved, 0, base);
    // The kernel's sum wraps here.
    this.cutRange(this.reserved, wrappingSum(base, size), PHYS_ADDR_MAX);
  }

  /**
   * Keeps the lowest `limit` bytes of RAM and every NOMAP region.
   * @param limit bytes; 0 or more than there is: nothing happens
   * @kernel memblock_mem_limit_remove_map
   */
  memLimitRemoveMap(limit: number): void {
    checkBytes(limit, 'limit');
    this.checkAlive();
    if (limit === 0) return;
    const top = this.findMaxAddress(limit);
    if (top !== PHYS_ADDR_MAX) this.capMemoryRange(0, top);
  }

  /** Address below which `limit` bytes of RAM lie; PHYS_ADDR_MAX where there is less. */
  private findMaxAddress(limit: number): number {
    const list = this.memory;
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

  private keepWithin(base: number, end: number): void {
    const list = this.memory;
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
        if (kept.length - before > 1) this.unmerged = true;
      }
    }
    if (removed === 0 && kept.length === list.count) return;
    list.replaceAll(kept);
    list.total -= removed;
    this.checkEmpty(list);
  }
}
