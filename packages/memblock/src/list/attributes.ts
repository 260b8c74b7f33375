/**
 * Flags and node of a region packed into one 32-bit word, so that "may merge" is one comparison:
 * the low 16 bits are the flags, the high 16 the node plus one (so that -1 is 0).
 */

/** Packs flags (0 .. 0xffff) and a node (-1 .. 32767). */
export function packAttr(flags: number, nid: number): number {
  return ((nid + 1) << 16) | flags;
}

/** Flags of a packed word. */
export function attrFlags(attr: number): number {
  return attr & 0xffff;
}

/** Node of a packed word. */
export function attrNid(attr: number): number {
  return (attr >>> 16) - 1;
}
