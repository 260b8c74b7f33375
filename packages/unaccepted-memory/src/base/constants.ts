/**
 * Sizes and limits. Everything is in bytes unless the name says otherwise.
 *
 * Source: UEFI specification 2.10 §7.2 (memory type 15); the table that Linux' EFI stub leaves for the kernel.
 */

/** Bytes of a page: the only platforms with unaccepted memory are x86. @kernel PAGE_SIZE */
export const PAGE_SIZE = 4096;
/** Bytes that one bit of the table stands for unless the creator says otherwise. @kernel EFI_UNACCEPTED_UNIT_SIZE */
export const DEFAULT_UNIT_SIZE = 2 * 1024 * 1024;
/** The only table version there is. */
export const TABLE_VERSION = 1;
/** Bytes before the bitmap in the table: version, unit size, base, bitmap bytes. */
export const TABLE_HEADER_BYTES = 24;
/** The longest stretch of addresses that one table covers: 4 PiB, 256 MiB of bitmap at 2 MiB a bit. */
export const MAX_SPAN = 2 ** 52;
/** The most pieces a unit can be prepared in; they fit one 32-bit word. */
export const MAX_CELLS_PER_UNIT = 32;
/** Threads that may accept at the same time unless the creator says otherwise. */
export const DEFAULT_PARTICIPANTS = 64;
/** The most threads that may accept at the same time: as many as the registry of threads can name. */
export const MAX_PARTICIPANTS = 32_000;
/** How long a caller waits for another one's unit before it gives up. */
export const DEFAULT_WAIT_LIMIT_MS = 60_000;
/** Pages of a parked block: 1024. @kernel MAX_ORDER_NR_PAGES */
export const BLOCK_PAGES = 1024;
