/**
 * The plan: every page of every section that holds memory, exactly once, with the party that initialises
 * it and the zone it is linked to.
 *
 *     owner         pages                                             state afterwards
 *     early         memory of lower zones and below the deferral point  free (handed over) or reserved
 *     reserved      reserved memory at or after the deferral point      reserved
 *     unavailable   holes in sections that have descriptors             reserved
 *     deferred      free memory at or after the deferral point          nothing until the deferred pass
 *     no-init       reserved, but left to its owner                     nothing here, ever
 *
 * Invariants (checked by `verifyPlan`): runs are sorted, disjoint and cover the sections without a gap.
 */
import { type Geometry, type PfnRange, X86_64 } from '@bootmem/memmap';
import { checkGeometry } from '@bootmem/memmap/shared';
import { invariant } from '../base/errors.js';
import { profileForRelease, type PageInitProfile } from '../profiles.js';
import type { InitInput, ReservedPfnRange, ZonePfnRange } from '../base/types.js';
import { cutBy, normaliseReserved } from './cut.js';
import { firstDeferredPfns, type ZonePiece } from './first-deferred.js';
import { type HolePiece, presentSections, unavailableHoles, zonePieces } from './pieces.js';
import { checkFields } from '../base/check.js';

/** Who initialises a run of pages. */
export type PageOwner = 'early' | 'reserved' | 'unavailable' | 'deferred' | 'no-init';

/** Zone index of pages that no zone spans; kernels write one past their last zone. */
const NO_ZONE_INDEX = 7;

/** A run of pages with one owner, one zone and one fate. */
export interface PlanRun extends PfnRange {
  readonly owner: PageOwner;
  readonly nid: number;
  /** memmap's `ZoneIndex`, or 7 where no zone spans the pages. */
  readonly zoneIndex: number;
  /** `free`: handed over; `reserved`; `owned`: initialised but kept (no-init range below the deferral point). */
  readonly fate: 'free' | 'reserved' | 'owned';
}

/** A node in the plan. */
export interface PlanNode extends PfnRange {
  readonly nid: number;
  readonly zones: readonly ZonePfnRange[];
  readonly presentPages: number;
  /** Where the deferred part starts, section aligned; undefined when all of it is early. */
  readonly firstDeferredPfn: number | undefined;
  /** The zone that the deferred part lies in. */
  readonly deferredZone: ZonePfnRange | undefined;
  /** Free ranges at or after `firstDeferredPfn`, in address order. */
  readonly deferredRanges: readonly PfnRange[];
}

/** Pages in holes, as the log counts them. */
export interface UnavailableCount {
  readonly nid: number;
  readonly zoneIndex: number;
  readonly pages: number;
}

/** Result of {@link planInit}. */
export interface InitPlan {
  readonly geometry: Geometry;
  readonly profile: PageInitProfile;
  readonly sectionPages: number;
  /** Sections that hold memory, as maximal runs. */
  readonly sections: readonly PfnRange[];
  readonly runs: readonly PlanRun[];
  readonly nodes: readonly PlanNode[];
  readonly memorylessNids: readonly number[];
  /** In the order in which the log prints them. */
  readonly unavailable: readonly UnavailableCount[];
  /** Pages of `runs` by owner. */
  readonly pages: Readonly<Record<PageOwner, number>>;
}

/**
 * Decides who initialises which page.
 * @throws ERR_PAGE_INIT_ARGUMENT when ranges overlap or lie outside the zones; MemmapError for a bad geometry
 * @remarks O(ranges log ranges); independent of the amount of memory
 */
export function planInit(input: InitInput): InitPlan {
  checkFields('input', input, { memory: 'array', reserved: 'array', zones: 'array' });
  const geometry = input.geometry ?? X86_64;
  checkGeometry(geometry);
  const profile = input.profile ?? profileForRelease();
  const sectionPages = 2 ** geometry.sectionOrder;
  const pieces = zonePieces(input.memory, input.zones);
  const reserved = normaliseReserved(input.reserved);
  const populated = input.zones.filter((zone) =>
    pieces.some((p) => p.nid === zone.nid && p.zoneIndex === zone.zoneIndex),
  );
  const first =
    input.defer === false
      ? new Map<number, number>()
      : firstDeferredPfns(pieces, populated, sectionPages);
  const holes = unavailableHoles(pieces, sectionPages);
  const runs = [
    ...pieces.flatMap((piece) => [...memoryRuns(piece, first.get(piece.nid), reserved)]),
    ...holes.flatMap((hole) => [...holeRuns(hole, reserved, { zones: populated, first, profile })]),
  ].sort((a, b) => a.startPfn - b.startPfn);
  const pages = { early: 0, reserved: 0, unavailable: 0, deferred: 0, 'no-init': 0 };
  for (const run of runs) pages[run.owner] += run.endPfn - run.startPfn;
  const plan: InitPlan = {
    geometry,
    profile,
    sectionPages,
    sections: presentSections(pieces, sectionPages),
    runs,
    nodes: planNodes(pieces, populated, first, runs),
    memorylessNids: [...(input.memorylessNids ?? [])].sort((a, b) => a - b),
    unavailable: countUnavailable(holes),
    pages,
  };
  verifyPlan(plan);
  return plan;
}

function* memoryRuns(
  piece: ZonePiece,
  first: number | undefined,
  reserved: readonly ReservedPfnRange[],
): Generator<PlanRun> {
  const { nid, zoneIndex } = piece;
  const border = Math.min(Math.max(first ?? Infinity, piece.startPfn), piece.endPfn);
  for (const { cover, ...span } of cutBy({ startPfn: piece.startPfn, endPfn: border }, reserved)) {
    const fate = cover === 'no-init' ? 'owned' : cover;
    yield { ...span, owner: 'early', nid, zoneIndex, fate };
  }
  for (const { cover, ...span } of cutBy({ startPfn: border, endPfn: piece.endPfn }, reserved)) {
    if (cover === 'free') yield { ...span, owner: 'deferred', nid, zoneIndex, fate: 'free' };
    else if (cover === 'reserved') {
      yield { ...span, owner: 'reserved', nid, zoneIndex, fate: 'reserved' };
    } else yield { ...span, owner: 'no-init', nid, zoneIndex, fate: 'owned' };
  }
}

/** What decides about reserved pages in holes. */
interface HoleContext {
  readonly zones: readonly ZonePfnRange[];
  /** First deferred pfn by node. */
  readonly first: ReadonlyMap<number, number>;
  readonly profile: PageInitProfile;
}

function* holeRuns(
  hole: ZonePiece,
  reserved: readonly ReservedPfnRange[],
  { zones, first, profile }: HoleContext,
): Generator<PlanRun> {
  const { nid, zoneIndex } = hole;
  // A page in no memory range is looked up as a page of the first online node.
  const online = Math.min(...zones.map((zone) => zone.nid));
  const from = profile.strayReserved === 'kernel' ? (first.get(online) ?? Infinity) : Infinity;
  for (const { cover, startPfn, endPfn } of cutBy(hole, reserved)) {
    const border = cover === 'reserved' ? Math.min(Math.max(from, startPfn), endPfn) : endPfn;
    if (startPfn < border) {
      yield { startPfn, endPfn: border, owner: 'unavailable', nid, zoneIndex, fate: 'reserved' };
    }
    for (const part of byZone({ startPfn: border, endPfn }, online, zones)) {
      yield { ...part, owner: 'reserved', nid: online, fate: 'reserved' };
    }
  }
}

/** A span cut by the first zone of the node that spans each page, or by none. */
function* byZone(
  span: PfnRange,
  nid: number,
  zones: readonly ZonePfnRange[],
): Generator<PfnRange & { zoneIndex: number }> {
  const own = zones.filter((z) => z.nid === nid).toSorted((a, b) => a.zoneIndex - b.zoneIndex);
  const borders = own.flatMap((zone) => [zone.startPfn, zone.endPfn]).sort((a, b) => a - b);
  for (let at = span.startPfn; at < span.endPfn;) {
    const next = Math.min(borders.find((border) => border > at) ?? Infinity, span.endPfn);
    const zone = own.find((z) => z.startPfn <= at && at < z.endPfn);
    yield { startPfn: at, endPfn: next, zoneIndex: zone?.zoneIndex ?? NO_ZONE_INDEX };
    at = next;
  }
}

function planNodes(
  pieces: readonly ZonePiece[],
  zones: readonly ZonePfnRange[],
  first: ReadonlyMap<number, number>,
  runs: readonly PlanRun[],
): PlanNode[] {
  const nids = [...new Set(pieces.map((piece) => piece.nid))].sort((a, b) => a - b);
  return nids.map((nid) => {
    const own = zones.filter((z) => z.nid === nid).toSorted((a, b) => a.zoneIndex - b.zoneIndex);
    const memory = pieces.filter((piece) => piece.nid === nid);
    const firstDeferredPfn = first.get(nid);
    const startPfn = Math.min(...own.map((zone) => zone.startPfn));
    const endPfn = Math.max(...own.map((zone) => zone.endPfn));
    if (firstDeferredPfn !== undefined) {
      const inside = firstDeferredPfn >= startPfn && firstDeferredPfn <= endPfn;
      invariant(inside, 'the deferred part starts inside its node', { nid, firstDeferredPfn });
    }
    return {
      nid,
      startPfn,
      endPfn,
      zones: own,
      presentPages: memory.reduce((sum, piece) => sum + piece.endPfn - piece.startPfn, 0),
      firstDeferredPfn,
      deferredZone: firstDeferredPfn === undefined ? undefined : own.at(-1),
      deferredRanges: runs
        .filter((run) => run.nid === nid && run.owner === 'deferred')
        .map((run) => ({ startPfn: run.startPfn, endPfn: run.endPfn })),
    };
  });
}

/** One count per gap between memory pieces, in address order. */
function countUnavailable(holes: readonly HolePiece[]): UnavailableCount[] {
  const counts = new Map<number, UnavailableCount>();
  for (const { gap, nid, zoneIndex, startPfn, endPfn } of holes) {
    const pages = (counts.get(gap)?.pages ?? 0) + endPfn - startPfn;
    counts.set(gap, { nid, zoneIndex, pages });
  }
  return [...counts.values()];
}

/**
 * Checks the invariants of a plan.
 * @throws ERR_PAGE_INIT_INVARIANT with the first run that breaks one
 */
function verifyPlan(plan: InitPlan): void {
  let section = 0;
  let at = plan.sections[0]?.startPfn;
  for (const run of plan.runs) {
    invariant(run.startPfn < run.endPfn, 'runs are not empty', { ...run });
    if (at === plan.sections[section]?.endPfn) at = plan.sections[++section]?.startPfn;
    invariant(at === run.startPfn, 'runs cover the sections without gap or overlap', {
      at,
      ...run,
    });
    at = run.endPfn;
    invariant(at <= (plan.sections[section]?.endPfn ?? 0), 'a run ends inside its sections', {
      ...run,
    });
  }
  const complete = section >= plan.sections.length - 1 && at === plan.sections.at(-1)?.endPfn;
  invariant(complete, 'the last section is covered', { at });
  for (const node of plan.nodes) {
    const first = node.firstDeferredPfn;
    if (first === undefined) continue;
    invariant(first % plan.sectionPages === 0, 'deferral starts at a section', { first });
  }
}
