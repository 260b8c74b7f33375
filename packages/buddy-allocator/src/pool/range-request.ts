/**
 * Checks a request by place.
 */
import { BuddyError } from '../base/errors.js';
import type { RunRequest } from '../zone/range-take.js';
import type { RangeRequest } from './pool-types.js';

const isPower = (n: number): boolean =>
  Number.isInteger(n) && n > 0 && Number.isInteger(Math.log2(n));

/**
 * The request with its defaults.
 * @param endPfn  end of the memory that can be online
 * @throws ERR_BUDDY_ARGUMENT for a size, limit, alignment or boundary that nothing can meet
 */
export function checkRun(request: RangeRequest, endPfn: number): RunRequest {
  const { pages, min = 0, max = endPfn, align = 1, boundary = 0, topDown = false } = request;
  const good =
    Number.isInteger(pages) &&
    pages > 0 &&
    Number.isInteger(min) &&
    Number.isInteger(max) &&
    min >= 0 &&
    isPower(align) &&
    (boundary === 0 || (isPower(boundary) && boundary >= pages));
  if (!good) {
    throw new BuddyError('ERR_BUDDY_ARGUMENT', 'pages > 0, align and boundary powers of two', {
      pages,
      min,
      max,
      align,
      boundary,
    });
  }
  return { pages, min, max: Math.min(max, endPfn), align, boundary, topDown };
}
