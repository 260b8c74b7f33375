/**
 * How objects lie in a slab: pure arithmetic.
 *
 *     slab of 2^order pages   [obj][obj][obj] ... [obj][rest]
 *                              |- stride -|
 *
 * The smallest slab that holds a few objects and wastes at most an eighth; else the one that wastes least. Source: the
 * kernel's documentation of slab caches, for what a slab is.
 */

/** Words of a cache line. */
export const LINE_WORDS = 16;
/** No slab has more objects, so that they are one pageblock of numbers. */
const MOST_OBJECTS = 512;
/** Of objects that are not large a slab has so many, as each costs a visit of the pool. */
const FEW_OBJECTS = 8;
/** Pages of slabs of objects that are not large. */
const USUAL_ORDER = 3;

/** Shape of the slabs of one cache. */
export interface SlabShape {
  readonly size: number;
  readonly stride: number;
  readonly slabOrder: number;
  readonly perSlab: number;
  readonly idShift: number;
}

/**
 * @param size      bytes of an object
 * @param align     a power of two
 * @param pageSize  bytes of a page
 * @param maxOrder  log2 of the pages of the largest slab
 * @returns undefined when no slab holds an object
 */
export function slabShape(
  size: number,
  align: number,
  pageSize: number,
  maxOrder: number,
): SlabShape | undefined {
  const stride = Math.ceil(size / align) * align;
  let best: { order: number; objects: number; waste: number } | undefined;
  for (let order = 0; order <= maxOrder; order++) {
    const bytes = pageSize * 2 ** order;
    const objects = Math.min(MOST_OBJECTS, Math.floor(bytes / stride));
    if (objects === 0) continue;
    const waste = (bytes - objects * stride) / bytes;
    const good = waste <= 1 / 8 && (objects >= FEW_OBJECTS || order >= USUAL_ORDER);
    if (best === undefined || waste < best.waste || good) best = { order, objects, waste };
    if (good || (best.waste < waste && order >= USUAL_ORDER)) break;
  }
  if (best === undefined) return undefined;
  const { order: slabOrder, objects: perSlab } = best;
  return { size, stride, slabOrder, perSlab, idShift: Math.ceil(Math.log2(perSlab)) };
}
