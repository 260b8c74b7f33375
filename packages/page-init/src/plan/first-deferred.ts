/**
 * How much of each node is initialised early, and from where on the rest waits.
 *
 *     node's highest zone:  |--- more than one section of memory ---|S----------- deferred -----------|
 *                                                                   first deferred pfn, section aligned
 *
 * The early pass walks memory in address order and counts pages of the current zone; at the first
 * section-aligned page of the node's last zone whose count exceeds one section, it stops there. Holes are
 * not counted, lower zones are never deferred. The count starts again whenever the pass comes to a zone
 * with another end than before, so nodes that interleave restart each other's count.
 *
 * Source: behaviour of `defer_init` as described in reference and seen in recorded boots.
 */
import type { PfnRange } from '@bootmem/memmap';
import type { ZonePfnRange } from '../base/types.js';

/** A piece of memory inside one zone, in the order of the early pass. */
export interface ZonePiece extends PfnRange {
  readonly nid: number;
  readonly zoneIndex: number;
}

/** Key of a zone. */
export function zoneKey(zone: { readonly nid: number; readonly zoneIndex: number }): string {
  return `${zone.nid}/${zone.zoneIndex}`;
}

/**
 * First deferred pfn of each node that has one.
 * @param pieces  memory by zone, address order
 * @param zones   zones that have memory
 * @param sectionPages  pages per section
 * @returns nid -> pfn; O(pieces)
 * @kernel defer_init
 */
export function firstDeferredPfns(
  pieces: readonly ZonePiece[],
  zones: readonly ZonePfnRange[],
  sectionPages: number,
): Map<number, number> {
  const zoneEnd = new Map(zones.map((zone) => [zoneKey(zone), zone.endPfn]));
  const nodeEnd = new Map<number, number>();
  for (const zone of zones) {
    nodeEnd.set(zone.nid, Math.max(nodeEnd.get(zone.nid) ?? 0, zone.endPfn));
  }
  const first = new Map<number, number>();
  let previousEnd: number | undefined;
  let counted = 0;
  for (const piece of pieces) {
    const end = zoneEnd.get(zoneKey(piece))!;
    if (end !== previousEnd) {
      previousEnd = end;
      counted = 0;
    }
    if (end < nodeEnd.get(piece.nid)! || first.has(piece.nid)) continue;
    // The candidate itself is counted before the test, hence "+ 1" and ">".
    const earliest = Math.max(piece.startPfn, piece.startPfn + sectionPages - counted);
    const candidate = Math.ceil(earliest / sectionPages) * sectionPages;
    if (candidate < piece.endPfn) first.set(piece.nid, candidate);
    else counted += piece.endPfn - piece.startPfn;
  }
  return first;
}
