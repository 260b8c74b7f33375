/**
 * Checks a request by place.
 */
import { checkFlag, checkInteger, checkPfn, refuse } from '../../base/check.js';
import type { RunRequest } from '../../zone/range-take.js';
import type { RangeRequest } from '../pool-types.js';

const isPower = (n: unknown): boolean =>
  typeof n === 'number' && Number.isInteger(n) && n > 0 && Number.isInteger(Math.log2(n));

/**
 * The request with its defaults.
 * @param endPfn  end of the memory that can be online
 * @throws ERR_BUDDY_ARGUMENT for a size, limit, alignment or boundary that nothing can meet
 */
export function checkRun(request: RangeRequest, endPfn: number): RunRequest {
  const { pages, min = 0, max = endPfn, align = 1, boundary = 0, topDown = false } = request;
  checkInteger(pages, 'pages', 1, Number.MAX_SAFE_INTEGER);
  checkPfn(min, 'min');
  checkPfn(max, 'max');
  checkFlag(topDown, 'topDown');
  if (!isPower(align)) refuse('align', 'a power of two', align);
  if (boundary !== 0 && !(isPower(boundary) && boundary >= pages)) {
    refuse('boundary', 'a power of two of at least `pages`, or 0', boundary);
  }
  return { pages, min, max: Math.min(max, endPfn), align, boundary, topDown };
}
