/**
 * The state byte of a page, and the names that go with it.
 *
 *     high nibble  low nibble
 *     0            0 uninitialised | 1 body | 2 reserved | 3 device | 4 offline | 5 hwpoison
 *                  6 device page whose references start at 0 | 7 tail of a compound device page
 *     1            order   head of a free block (on a free list)
 *     2            order   head of an allocated block
 *     3            order   head of a free block that lies in a worker's page cache
 *     4            order   head of a block of unaccepted memory
 *     5            order   head of a guard block (free, but never allocated)
 *     6            order   head of an allocated block of which the host may read a part (shared): it is neither freed
 *                          nor split nor moved until that part is private again
 *     7            order   head of a block that is being filled with what another block holds, or made ready for use
 *     bit 7 on top of a head: the block's memory may hold old data (it was handed out before)
 *
 * "Body" is every initialised page that heads nothing: the tail of the block that covers it or, before
 * it is handed to an allocator, a page owned by boot code (reference count 1). A block is allocated,
 * split and freed by writing only the bytes of heads, never of tails. 0 means that nobody may look at
 * the page yet. Fresh descriptors of a range are one byte value, so a range is initialised by a fill.
 */

/** State byte of a page; for the head states OR the order (0..15). */
export const PageState = {
  UNINITIALISED: 0x00,
  BODY: 0x01,
  RESERVED: 0x02,
  DEVICE: 0x03,
  OFFLINE: 0x04,
  HWPOISON: 0x05,
  DEVICE_IDLE: 0x06,
  DEVICE_TAIL: 0x07,
  FREE: 0x10,
  ALLOCATED: 0x20,
  CACHED: 0x30,
  UNACCEPTED: 0x40,
  GUARD: 0x50,
  SHARED: 0x60,
  MOVING: 0x70,
  /** Flag on the byte of a head: its memory may hold old data. */
  DIRTY: 0x80,
} as const;

/** States without an order, as {@link Memmap.setRange} takes them. */
export type PlainState =
  | typeof PageState.BODY
  | typeof PageState.RESERVED
  | typeof PageState.OFFLINE
  | typeof PageState.HWPOISON;

/** States of device pages. */
export type DeviceState =
  typeof PageState.DEVICE | typeof PageState.DEVICE_IDLE | typeof PageState.DEVICE_TAIL;

/** True for the three states of device pages. */
export function isDeviceState(state: number): boolean {
  return (
    state === PageState.DEVICE || state === PageState.DEVICE_IDLE || state === PageState.DEVICE_TAIL
  );
}

/** Mask of the kind of head in a state byte. */
export const HEAD_KIND_MASK = 0x70;
/** Mask of the order in the state byte of a head. */
export const HEAD_ORDER_MASK = 0x0f;

/** Bits of a section's flags word. */
export const SectionFlag = {
  PRESENT: 1,
  ONLINE: 2,
  EARLY: 4,
  DEVICE: 8,
  POPULATED: 16,
  FULL: 32,
} as const;

/** Order in the state byte of a head, or undefined for the other states. */
export function headOrder(state: number): number | undefined {
  return state >= PageState.FREE ? state & HEAD_ORDER_MASK : undefined;
}
