/**
 * Why a free is wrong. Runs only after the one-byte check of the fast path failed; never changes anything.
 */
import { type Memmap, PageState } from '@bootmem/memmap';
import { type Columns } from '@bootmem/memmap/shared';

import { checkOrder, refuse } from '../base/check.js';
import { BuddyError } from '../base/errors.js';

/** What is needed to explain a bad free. */
interface DiagnosedZone {
  readonly memmap: Memmap;
  readonly columns: Columns;
  readonly maxOrder: number;
}

/** Throws the error that fits. */
export function diagnoseFree(zone: DiagnosedZone, index: number, order: number): never {
  const { memmap, maxOrder } = zone;
  checkOrder(order, maxOrder);
  if (typeof index !== 'number') refuse('pfn', 'a page number', index);
  const state = zone.columns.state[index];
  if (state === undefined || !Number.isInteger(index) || index < 0) {
    throw new BuddyError('ERR_BUDDY_OUT_OF_ZONE', 'the page has no descriptor', { index, order });
  }
  const pfn = memmap.pfnOf(index);
  if (state === PageState.UNINITIALISED) {
    throw new BuddyError('ERR_BUDDY_UNINITIALISED', `pfn ${pfn} is not initialised`, {
      pfn,
      order,
    });
  }
  const head = memmap.coveringHead(pfn);
  if (head === undefined) {
    const reserved = state !== PageState.BODY;
    throw new BuddyError(
      reserved ? 'ERR_BUDDY_RESERVED' : 'ERR_BUDDY_NOT_ALLOCATED',
      `pfn ${pfn} was never given to the allocator`,
      { pfn, order, state },
    );
  }
  if (head.state === PageState.SHARED) {
    throw new BuddyError(
      'ERR_BUDDY_SHARED',
      `pfn ${pfn} is in a block that is shared with the host`,
      {
        pfn,
        order,
        head: head.pfn,
        headOrder: head.order,
      },
    );
  }
  if (head.state === PageState.MOVING) {
    throw new BuddyError('ERR_BUDDY_NOT_ALLOCATED', `pfn ${pfn} is being filled by a move`, {
      pfn,
      order,
      head: head.pfn,
    });
  }
  if (head.state !== PageState.ALLOCATED) {
    throw new BuddyError('ERR_BUDDY_DOUBLE_FREE', `pfn ${pfn} is free already`, {
      pfn,
      order,
      head: head.pfn,
      headOrder: head.order,
    });
  }
  if (head.pfn === pfn && head.order === order) {
    // Allocated again by now: another thread freed it first.
    throw new BuddyError('ERR_BUDDY_DOUBLE_FREE', `pfn ${pfn} was freed by another thread`, {
      pfn,
      order,
    });
  }
  if (head.pfn !== pfn) {
    throw new BuddyError('ERR_BUDDY_NOT_HEAD', `pfn ${pfn} is inside a block`, {
      pfn,
      head: head.pfn,
      headOrder: head.order,
    });
  }
  throw new BuddyError('ERR_BUDDY_WRONG_ORDER', `pfn ${pfn} is a block of order ${head.order}`, {
    pfn,
    order,
    headOrder: head.order,
  });
}
