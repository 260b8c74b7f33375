/**
 * Whose memory it is, for conversion, from a page allocator's books: bytes on the side of units, pages on its side.
 */
import { AcceptError, hex } from '../base/errors.js';
import type { ByteRange } from '../table/table.js';
import type { UnitHolder } from '../memory/conversion.js';
import type { AcceptPort } from './zone-port.js';
import { checkFunction, checkInteger } from '../base/check.js';

/** Bytes of a page and of a unit. */
export interface BlockSizes {
  readonly page: number;
  readonly unit: number;
}

/**
 * The holder of allocated blocks.
 * @param port   the allocator
 * @param sizes  bytes of its pages, and of units
 * @param range  what is to be converted, in bytes
 * @param holds  whether the caller holds a block, by its own books
 * @throws ERR_ACCEPT_ARGUMENT when the allocator does not tell what is allocated, the range is not in whole pages, or
 *   `holds` is no function
 */
export function blockHolder(
  port: AcceptPort,
  sizes: BlockSizes,
  range: ByteRange,
  holds?: (pfn: number, order: number) => boolean,
): UnitHolder {
  const { page } = sizes;
  checkInteger('start', range.start, 0);
  checkInteger('end', range.end, range.start + 1);
  checkFunction('holds', holds, true);
  if (port.markShared === undefined || port.unmarkShared === undefined) {
    throw new AcceptError('ERR_ACCEPT_ARGUMENT', 'the allocator does not tell what is allocated');
  }
  if (range.start % page !== 0 || range.end % page !== 0) {
    throw new AcceptError(
      'ERR_ACCEPT_ARGUMENT',
      `expected whole pages of ${page} bytes, got [${hex(range.start)}, ${hex(range.end)})`,
      { start: range.start, end: range.end },
    );
  }
  // A page of several units is one allocated block's at least.
  const unitPages = Math.max(1, sizes.unit / page);
  return {
    hold(start, end) {
      const pfn = port.markShared!(start / page, end / page, unitPages, holds);
      return pfn === undefined ? undefined : pfn * page;
    },
    settle(start, end, isShared) {
      port.unmarkShared!(start / page, end / page, (first, last) =>
        isShared(first * page, last * page),
      );
    },
  };
}
