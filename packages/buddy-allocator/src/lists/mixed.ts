/** Blocks of several pageblocks that differ in type: none of the free lists is theirs. */
import type { FreeArea } from './free-area-types.js';

/** True when the pageblocks of a block differ in type. */
export function isMixed(
  area: Pick<FreeArea, 'typeOf'>,
  index: number,
  order: number,
  pageblockOrder: number,
): boolean {
  const step = 1 << pageblockOrder;
  const type = area.typeOf(index);
  for (let i = index + step; i < index + (1 << order); i += step) {
    if (area.typeOf(i) !== type) return true;
  }
  return false;
}
