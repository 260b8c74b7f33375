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
import { ALLOC_ACCESSIBLE, LOW_ADDRESS_LIMIT, MemFlags, NO_NODE } from './constants.js';
import { MemblockError } from './errors.js';
import { MemblockQueries } from './memblock-queries.js';
import { checkAlignment, checkBytes, checkFlags, checkWish } from './options.js';
import type { LateAllocator } from './types.js';
import { decimal, hexAddress, hexNumber } from './text-format.js';

/** Alignment of an allocation. */
export interface AlignOptions {
  /** Bytes, a power of two; absent: the cache line; 0 means the same and warns. */
  readonly align?: number;
}

/** Hard limits of an allocation, `[start, end)` in bytes. */
export interface RangeOptions extends AlignOptions {
  /** Default 0. */
  readonly start?: number;
  /** Default ALLOC_ACCESSIBLE: the current limit. ALLOC_ANYWHERE: none. */
  readonly end?: number;
}

/** Range, node, and whether the node may be given up. */
export interface RangeNodeOptions extends RangeOptions {
  /** Node wished for; default NO_NODE: any. */
  readonly nid?: number;
  /** Whether only that node will do; default false. */
  readonly exact?: boolean;
}

/** A wished lower and a hard upper bound in bytes, and a node. */
export interface BoundOptions extends AlignOptions {
  /** Wished, dropped when nothing fits above it; default 0. */
  readonly min?: number;
  /** Hard, and never above the current limit; default ALLOC_ACCESSIBLE. */
  readonly max?: number;
  /** Default NO_NODE: any. */
  readonly nid?: number;
}

/** What to look for, without taking it. */
export interface FindOptions extends RangeOptions {
  /** Default NO_NODE: any. */
  readonly nid?: number;
  /** MIRROR and KHO_SCRATCH are required, HOTPLUG, NOMAP and DRIVER_MANAGED permitted; default 0. */
  readonly flags?: number;
}

/** Allocation; the third layer of {@link Memblock}. Every call gives an address in bytes, or undefined when nothing fits. */
export class MemblockAllocator extends MemblockQueries {
  /**
   * Where `size` bytes would fit, in the current direction; takes nothing.
   * @param size bytes
   * @returns an address, or undefined
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT, ERR_MEMBLOCK_ALIGNMENT
   * @remarks O(log n) and up to the first hole that fits; whole chunks of reservations are stepped over
   * @kernel memblock_find_in_range_node
   */
  findInRange(size: number, options: FindOptions = {}): number | undefined {
    const { align = 1, start = 0, end = ALLOC_ACCESSIBLE, nid = NO_NODE, flags = 0 } = options;
    this.checkRequest(size, align, start, end, nid);
    checkFlags(flags);
    return orUndefined(this.findWith(size, align === 0 ? 1 : align, start, end, nid, flags));
  }

  /** Where `size` bytes would fit, mirrored memory first once there is any. @kernel memblock_find_in_range */
  findPreferMirror(size: number, options: RangeOptions = {}): number | undefined {
    const { align = 1, start = 0, end = ALLOC_ACCESSIBLE } = options;
    this.checkRequest(size, align, start, end, NO_NODE);
    return orUndefined(this.findMirrorFirst(start, end, size, align === 0 ? 1 : align));
  }

  /**
   * Allocates anywhere below the current limit.
   * @param size bytes; 0 finds an address and takes nothing
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT, ERR_MEMBLOCK_ALIGNMENT; ERR_MEMBLOCK_RESIZE_FORBIDDEN
   * @kernel memblock_alloc
   */
  alloc(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, options);
  }

  /** Like {@link alloc}; the debug line says that nobody zeroes it. @kernel memblock_alloc_raw */
  allocRaw(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNidRaw(size, options);
  }

  /** Allocates at or above `min`, below it when nothing fits there. @kernel memblock_alloc_from */
  allocFrom(size: number, min: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, { ...options, min });
  }

  /** Allocates below 4 GiB. @kernel memblock_alloc_low */
  allocLow(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, { ...options, max: LOW_ADDRESS_LIMIT });
  }

  /** Allocates on a node, on any other when that is full. @kernel memblock_alloc_node */
  allocNode(size: number, nid: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, { ...options, nid });
  }

  /** Allocates with a wished node and bounds. @kernel memblock_alloc_try_nid */
  allocPreferNid(size: number, options: BoundOptions = {}): number | undefined {
    return this.allocBounded('memblock_alloc_try_nid', size, options, false);
  }

  /** Like {@link allocPreferNid}; the debug line says that nobody zeroes it. @kernel memblock_alloc_try_nid_raw */
  allocPreferNidRaw(size: number, options: BoundOptions = {}): number | undefined {
    return this.allocBounded('memblock_alloc_try_nid_raw', size, options, false);
  }

  /** Allocates on this node only; the lower bound is still a wish. @kernel memblock_alloc_exact_nid_raw */
  allocExactNid(size: number, options: BoundOptions = {}): number | undefined {
    return this.allocBounded('memblock_alloc_exact_nid_raw', size, options, true);
  }

  /**
   * Like {@link alloc}, but throws when nothing fits; the kernel panics.
   * @throws MemblockError ERR_MEMBLOCK_OUT_OF_MEMORY
   * @kernel memblock_alloc_or_panic
   */
  allocOrThrow(size: number, options: AlignOptions = {}): number {
    const found = this.alloc(size, options);
    if (found !== undefined) return found;
    const message = `${this.settings.caller()}: Failed to allocate ${hexAddress(size)} bytes`;
    this.print(`${message}\n`, 'error');
    throw new MemblockError('ERR_MEMBLOCK_OUT_OF_MEMORY', message, { size });
  }

  /** Allocates in the range family, from 0 to the current limit. @kernel memblock_phys_alloc */
  physAlloc(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocRange(size, options);
  }

  /** Allocates within hard limits. @kernel memblock_phys_alloc_range */
  allocRange(size: number, options: RangeOptions = {}): number | undefined {
    const { start = 0, end = ALLOC_ACCESSIBLE } = options;
    const align = options.align ?? this.settings.cacheLineSize;
    this.checkRequest(size, align, start, end, NO_NODE);
    if (this.settings.debug) {
      this.debugLine(
        `memblock_phys_alloc_range: ${decimal(size)} bytes align=${hexNumber(align)} from=${hexAddress(start)} max_addr=${hexAddress(end)}`,
      );
    }
    return orUndefined(this.allocChecked(size, align, start, end, NO_NODE, false));
  }

  /** Allocates in the range family, from 0 to the current limit, with a wished node. @kernel memblock_phys_alloc_try_nid */
  physAllocPreferNid(size: number, nid: number, options: AlignOptions = {}): number | undefined {
    return this.allocRangeNid(size, { ...options, nid });
  }

  /** Allocates within hard limits with a wished or exact node; prints no request line. @kernel memblock_alloc_range_nid */
  allocRangeNid(size: number, options: RangeNodeOptions = {}): number | undefined {
    const { start = 0, end = ALLOC_ACCESSIBLE, nid = NO_NODE, exact = false } = options;
    const align = options.align ?? this.settings.cacheLineSize;
    this.checkRequest(size, align, start, end, nid);
    return orUndefined(this.allocChecked(size, align, start, end, nid, exact));
  }

  /** From now on only kexec hand-over scratch memory is allocated from. @kernel memblock_set_kho_scratch_only */
  setScratchOnly(on: boolean): void {
    this.scratchOnly = on;
  }

  /**
   * The slab allocator is up: from now on it serves allocations (each warns, since nobody should still
   * come here), grown arrays come from it, and freeing gives pages to it where the release does so.
   * @param allocator who serves from now on; undefined: memblock again
   * @kernel slab_is_available
   */
  setLateAllocator(allocator: LateAllocator | undefined): void {
    this.late = allocator;
  }

  private allocBounded(
    name: string,
    size: number,
    options: BoundOptions,
    exact: boolean,
  ): number | undefined {
    const { min = 0, max = ALLOC_ACCESSIBLE, nid = NO_NODE } = options;
    const align = options.align ?? this.settings.cacheLineSize;
    this.checkRequest(size, align, min, max, nid);
    if (this.settings.debug) {
      this.debugLine(
        `${name}: ${decimal(size)} bytes align=${hexNumber(align)} nid=${nid} from=${hexAddress(min)} max_addr=${hexAddress(max)}`,
      );
    }
    const end = Math.min(max, this.currentLimit);
    const found = this.allocChecked(size, align, min, end, nid, exact);
    if (found !== 0 || min === 0) return orUndefined(found);
    return orUndefined(this.allocChecked(size, align, 0, end, nid, exact));
  }

  /** Finds and reserves; 0 when nothing fits. @internal */
  protected allocChecked(
    size: number,
    align: number,
    start: number,
    end: number,
    nid: number,
    exact: boolean,
  ): number {
    if (this.late !== undefined) {
      this.warning('late-allocation', 'memblock allocates although the slab allocator is up');
      return this.late.allocate(size, align, nid) ?? 0;
    }
    let step = align;
    if (step === 0) {
      this.warning('no-alignment', 'an allocation without alignment gets the cache line');
      step = this.settings.cacheLineSize;
    }
    const valid = nid >= 0 && nid < this.settings.maxNodes;
    for (let flags = this.allocationWish(); ; flags &= ~MemFlags.MIRROR) {
      let found = this.findWith(size, step, start, end, nid, flags);
      if (found !== 0 && this.reserveFound(found, size, nid)) return this.handOut(found, size);
      if (valid && !exact) {
        found = this.findWith(size, step, start, end, NO_NODE, flags);
        if (found !== 0 && this.reserveFound(found, size, NO_NODE))
          return this.handOut(found, size);
      }
      if ((flags & MemFlags.MIRROR) === 0) return 0;
      this.warnUnmirrored(size);
    }
  }

  private handOut(found: number, size: number): number {
    this.settings.accept?.(found, size);
    return found;
  }

  private checkRequest(size: number, align: number, start: number, end: number, nid: number): void {
    checkBytes(size, 'size');
    checkAlignment(align, this.settings.maskAlignment);
    checkBytes(start, 'start');
    checkBytes(end, 'end');
    checkWish(nid);
    this.checkAlive();
  }
}

function orUndefined(found: number): number | undefined {
  return found === 0 ? undefined : found;
}
