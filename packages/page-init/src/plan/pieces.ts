/**
 * Memory cut by zone, and the holes between the pieces.
 *
 *     section    |.................|.................|.................|
 *     memory        [===A===]   [==B==]                   [=C=]
 *     holes      [a]         [b]      [b']   (absent)  [ c ]   [ tail ]
 *
 * A hole belongs to the piece after it, the tail of the last section to the piece before it. Only holes
 * inside sections that hold memory have descriptors.
 */
import { type PfnRange, ZoneIndex, type MemoryPfnRange } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';
import type { ZonePfnRange } from '../base/types.js';
import { firstEndingAfter } from './cut.js';
import type { ZonePiece } from './first-deferred.js';

/**
 * Cuts memory at zone borders, in the order of the early pass (address, then zone).
 * @throws ERR_PAGE_INIT_ARGUMENT when ranges overlap, are empty, or no zone covers a page
 */
export function zonePieces(
  memory: readonly MemoryPfnRange[],
  zones: readonly ZonePfnRange[],
): ZonePiece[] {
  const sorted = memory.toSorted((a, b) => a.startPfn - b.startPfn);
  const byNode = zonesByNode(zones);
  const pieces: ZonePiece[] = [];
  let previousEnd = 0;
  for (const range of sorted) {
    checkSpan(range);
    if (range.startPfn < previousEnd) {
      throw new PageInitError('ERR_PAGE_INIT_ARGUMENT', 'memory ranges overlap', { ...range });
    }
    previousEnd = range.endPfn;
    let covered = 0;
    for (const piece of piecesOf(range, byNode.get(range.nid) ?? [])) {
      covered += piece.endPfn - piece.startPfn;
      pieces.push(piece);
    }
    if (covered !== range.endPfn - range.startPfn) {
      throw new PageInitError('ERR_PAGE_INIT_ARGUMENT', 'every page belongs to one zone', {
        ...range,
        covered,
      });
    }
  }
  return pieces;
}

/** Zones of each node, from the lowest up. O(zones log zones). */
export function zonesByNode(
  zones: readonly ZonePfnRange[],
): ReadonlyMap<number, readonly ZonePfnRange[]> {
  const byNode = new Map<number, ZonePfnRange[]>();
  const sorted = zones.toSorted((a, b) => a.zoneIndex - b.zoneIndex || a.startPfn - b.startPfn);
  for (const zone of sorted) {
    const own = byNode.get(zone.nid);
    if (own === undefined) byNode.set(zone.nid, [zone]);
    else own.push(zone);
  }
  return byNode;
}

/** Pieces of a range; `own` are the zones of its node, from the lowest up. */
function* piecesOf(range: MemoryPfnRange, own: readonly ZonePfnRange[]): Generator<ZonePiece> {
  const movable = own.find((zone) => zone.zoneIndex === ZoneIndex.MOVABLE);
  for (const zone of own) {
    let startPfn = Math.max(range.startPfn, zone.startPfn);
    let endPfn = Math.min(range.endPfn, zone.endPfn);
    if (movable !== undefined && startPfn < endPfn) {
      const inMovable = startPfn < movable.endPfn && endPfn > movable.startPfn;
      if (zone === movable && range.mirror === true) {
        // Mirrored memory stays in the zone below, where one spans it.
        if (
          own.some((low) => low !== movable && low.startPfn <= startPfn && low.endPfn >= endPfn)
        ) {
          continue;
        }
      } else if (zone !== movable && inMovable && range.mirror !== true) {
        if (startPfn >= movable.startPfn) continue;
        endPfn = Math.min(endPfn, movable.startPfn);
        startPfn = Math.min(startPfn, endPfn);
      }
    }
    if (startPfn < endPfn) yield { startPfn, endPfn, nid: zone.nid, zoneIndex: zone.zoneIndex };
  }
}

function checkSpan(range: PfnRange): void {
  const sane =
    Number.isSafeInteger(range.startPfn) &&
    Number.isSafeInteger(range.endPfn) &&
    range.startPfn >= 0 &&
    range.startPfn < range.endPfn;
  if (!sane) {
    throw new PageInitError('ERR_PAGE_INIT_ARGUMENT', 'a range is [startPfn, endPfn), not empty', {
      ...range,
    });
  }
}

/** A part of a hole that has descriptors. */
export interface HolePiece extends ZonePiece {
  /** Number of the gap between two pieces; a gap over absent sections has several parts. */
  readonly gap: number;
}

/**
 * Holes with descriptors, each with the zone that it is linked to, in address order.
 * @param sectionPages pages per section
 * @kernel init_unavailable_range
 */
export function unavailableHoles(pieces: readonly ZonePiece[], sectionPages: number): HolePiece[] {
  const present = presentSections(pieces, sectionPages);
  const holes: HolePiece[] = [];
  let gap = 0;
  let near = 0;
  const add = (from: number, to: number, zone: ZonePiece): void => {
    gap++;
    near = firstEndingAfter(present, from, near);
    for (let i = near; i < present.length; i++) {
      const section = present[i]!;
      if (section.startPfn >= to) break;
      const startPfn = Math.max(from, section.startPfn);
      const endPfn = Math.min(to, section.endPfn);
      if (startPfn < endPfn) {
        holes.push({ startPfn, endPfn, nid: zone.nid, zoneIndex: zone.zoneIndex, gap });
      }
    }
  };
  let at = 0;
  for (const piece of pieces) {
    if (at < piece.startPfn) add(at, piece.startPfn, piece);
    at = Math.max(at, piece.endPfn);
  }
  const last = pieces.at(-1);
  if (last !== undefined) add(at, Math.ceil(at / sectionPages) * sectionPages, last);
  return holes;
}

/** Maximal runs of sections that hold memory, in address order. */
export function presentSections(memory: readonly PfnRange[], sectionPages: number): PfnRange[] {
  const runs: { startPfn: number; endPfn: number }[] = [];
  for (const { startPfn, endPfn } of memory.toSorted((a, b) => a.startPfn - b.startPfn)) {
    const start = Math.floor(startPfn / sectionPages) * sectionPages;
    const end = Math.ceil(endPfn / sectionPages) * sectionPages;
    const previous = runs.at(-1);
    if (previous !== undefined && start <= previous.endPfn) {
      previous.endPfn = Math.max(previous.endPfn, end);
    } else {
      runs.push({ startPfn: start, endPfn: end });
    }
  }
  return runs;
}
