/** Many single pages at once: page by page through the cache, which is what a batch under the lock would be. */
import { checkInteger, refuse } from '../../base/check.js';
import { BuddyError } from '../../base/errors.js';
import type { AllocRequest } from '../pool-types.js';

/** What bulk requests are made of. */
interface SinglePages {
  readonly alloc: (order: number, request?: AllocRequest) => number | undefined;
  readonly free: (pfn: number, order: number) => void;
}

/** Allocates up to `count` pages into the first places of `out`. @throws what a callback throws; then all are free again */
export function allocBulk(
  pages: SinglePages,
  count: number,
  out: Int32Array | number[],
  request?: AllocRequest,
): number {
  let got = 0;
  try {
    for (; got < count; got++) {
      const pfn = pages.alloc(0, request);
      if (pfn === undefined) break;
      out[got] = pfn;
    }
  } catch (error) {
    freeBulk(pages, out, got);
    throw error;
  }
  return got;
}

/** Frees the first `count` pages of `list`. @throws for the first that is wrong, with its index */
export function freeBulk(pages: SinglePages, list: ArrayLike<number>, count?: number): void {
  if (typeof list !== 'object' || (list as unknown) === null) refuse('list', 'an array', list);
  const { length } = list;
  checkInteger(length, 'list.length', 0, 2 ** 31);
  if (count !== undefined) checkInteger(count, 'count', 0, length);
  const end = count ?? length;
  for (let index = 0; index < end; index++) {
    try {
      pages.free(list[index]!, 0);
    } catch (error) {
      if (!(error instanceof BuddyError)) throw error;
      const { code, message, details } = error;
      throw new BuddyError(code, message, { ...details, index }, { cause: error });
    }
  }
}
