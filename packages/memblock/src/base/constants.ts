/**
 * Limits, special addresses, flag bits and result words of the early allocator.
 *
 * An address is a safe integer in bytes. The kernel's address space ends at 2^64 - 1; ours ends at
 * 2^53 - 1 and caps there in the same way: the byte at the very top can never be part of a region.
 *
 * Source: Documentation/core-api/boot-time-mm.rst.
 */

/** Last address of the space, in bytes. A range that would go beyond is cut to end here. @kernel PHYS_ADDR_MAX */
export const PHYS_ADDR_MAX = Number.MAX_SAFE_INTEGER;

/** Number of addresses, 2^53: sums wrap around at this value. */
export const ADDRESS_SPACE_SIZE = 2 ** 53;

/** As an upper limit: no limit at all, not even the current one (range family only). @kernel MEMBLOCK_ALLOC_ANYWHERE */
export const ALLOC_ANYWHERE = PHYS_ADDR_MAX;

/** As an upper limit: the current limit. @kernel MEMBLOCK_ALLOC_ACCESSIBLE */
export const ALLOC_ACCESSIBLE = 0;

/** As an upper limit: the current limit, and the leak tracker is not told. @kernel MEMBLOCK_ALLOC_NOLEAKTRACE */
export const ALLOC_NOLEAKTRACE = 1;

/** Highest end of what {@link Memblock.allocLow} returns. @kernel ARCH_LOW_ADDRESS_LIMIT */
export const LOW_ADDRESS_LIMIT = 0xffffffff;

/** "No node": any node as a wish, none as a property. @kernel NUMA_NO_NODE */
export const NO_NODE = -1;

/** Bytes of one entry of the kernel's region arrays on a 64-bit machine. */
export const REGION_ENTRY_SIZE = 24;

/** Entries the kernel's arrays have room for at the start. @kernel INIT_MEMBLOCK_REGIONS */
export const INITIAL_REGIONS = 128;

/** Entries of the `physmem` array. @kernel INIT_PHYSMEM_REGIONS */
export const INITIAL_PHYSMEM_REGIONS = 4;

/** Largest order of a block handed to the page allocator. @kernel MAX_PAGE_ORDER */
export const MAX_PAGE_ORDER = 10;

/** Named reservations that can exist; slots of released ones are not used again. @kernel RESERVE_MEM_MAX_ENTRIES */
export const MAX_NAMED_RESERVATIONS = 8;

/** Room for a reservation's name, the terminating zero included. @kernel RESERVE_MEM_NAME_SIZE */
export const RESERVATION_NAME_SIZE = 16;

/**
 * What a region is, as bits. HOTPLUG, MIRROR, NOMAP, DRIVER_MANAGED and KHO_SCRATCH live on `memory`,
 * RSRV_NOINIT and RSRV_KERN on `reserved`.
 *
 * Bits 0 to 15 may be used; the ones not listed are kept and compared, and mean nothing.
 * @kernel enum memblock_flags
 */
export const MemFlags = {
  /** Plain. */
  NONE: 0x0,
  /** The firmware says the memory can be removed. */
  HOTPLUG: 0x1,
  /** More reliable memory, preferred once any exists. */
  MIRROR: 0x2,
  /** Not in the direct map: never allocated, never handed over. */
  NOMAP: 0x4,
  /** Added by a driver; walks skip it unless asked. */
  DRIVER_MANAGED: 0x8,
  /** Its page descriptors are not initialised as reserved at hand-over. */
  RSRV_NOINIT: 0x10,
  /** Reserved by the kernel for itself (kernels after 6.14). */
  RSRV_KERN: 0x20,
  /** Kexec hand-over scratch memory (kernels after 6.14). */
  KHO_SCRATCH: 0x40,
} as const;

/** All bits that a region's flags may have. */
export const FLAGS_MASK = 0xffff;
