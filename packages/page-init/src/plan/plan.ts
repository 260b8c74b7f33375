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
import { type CutPart, cutBy, normaliseReserved } from './cut.js';
import { firstDeferredPfns, zoneKey, type ZonePiece } from './first-deferred.js';
import {
  type HolePiece,
  presentSections,
  unavailableHoles,
  zonePieces,
  zonesByNode,
} from './pieces.js';
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
  const withMemory = new Set(pieces.map(zoneKey));
  const populated = input.zones.filter((zone) => withMemory.has(zoneKey(zone)));
  const first =
    input.defer === false
      ? new Map<number, number>()
      : firstDeferredPfns(pieces, populated, sectionPages);
  const holes = unavailableHoles(pieces, sectionPages);
  const byNode = zonesByNode(populated);
  const stray = strayPages(byNode, first, profile);
  const runs = [...memoryRuns(pieces, first, reserved), ...holeRuns(holes, reserved, stray)].sort(
    (a, b) => a.startPfn - b.startPfn,
  );
  const pages = { early: 0, reserved: 0, unavailable: 0, deferred: 0, 'no-init': 0 };
  for (const run of runs) pages[run.owner] += run.endPfn - run.startPfn;
  const plan: InitPlan = {
    geometry,
    profile,
    sectionPages,
    sections: presentSections(pieces, sectionPages),
    runs,
    nodes: planNodes(pieces, byNode, first, runs),
    memorylessNids: [...(input.memorylessNids ?? [])].sort((a, b) => a - b),
    unavailable: countUnavailable(holes),
    pages,
  };
  verifyPlan(plan);
  return plan;
}

function* memoryRuns(
  pieces: readonly ZonePiece[],
  first: ReadonlyMap<number, number>,
  reserved: readonly ReservedPfnRange[],
): Generator<PlanRun> {
  const place = { index: 0 };
  for (const { nid, zoneIndex, startPfn, endPfn } of pieces) {
    const border = Math.min(Math.max(first.get(nid) ?? Infinity, startPfn), endPfn);
    const early = { startPfn, endPfn: border };
    for (const part of startPfn < border ? cutBy(early, reserved, place) : []) {
      yield runOf(part, 'early', { nid, zoneIndex });
    }
    const rest = { startPfn: border, endPfn };
    for (const part of border < endPfn ? cutBy(rest, reserved, place) : []) {
      const owner = part.cover === 'free' ? 'deferred' : part.cover;
      yield runOf(part, owner, { nid, zoneIndex });
    }
  }
}

/** A part of memory, initialised by somebody; what is left to others keeps its owner. */
function runOf(
  { startPfn, endPfn, cover }: CutPart,
  owner: PageOwner,
  { nid, zoneIndex }: { readonly nid: number; readonly zoneIndex: number },
): PlanRun {
  return { startPfn, endPfn, owner, nid, zoneIndex, fate: cover === 'no-init' ? 'owned' : cover };
}

/** What becomes of reserved pages that lie in no memory: they are looked up as pages of the first online node. */
interface StrayPages {
  readonly nid: number;
  /** From here on they are initialised as reserved memory is. */
  readonly from: number;
  /** Zones of that node, from the lowest up. */
  readonly zones: readonly ZonePfnRange[];
  /** Where one of them begins or ends, ascending. */
  readonly borders: readonly number[];
}

function strayPages(
  byNode: ReadonlyMap<number, readonly ZonePfnRange[]>,
  first: ReadonlyMap<number, number>,
  profile: PageInitProfile,
): StrayPages {
  const nid = [...byNode.keys()].reduce((least, one) => Math.min(least, one), Infinity);
  const zones = byNode.get(nid) ?? [];
  return {
    nid,
    from: profile.strayReserved === 'kernel' ? (first.get(nid) ?? Infinity) : Infinity,
    zones,
    borders: zones.flatMap((zone) => [zone.startPfn, zone.endPfn]).sort((a, b) => a - b),
  };
}

function* holeRuns(
  holes: readonly ZonePiece[],
  reserved: readonly ReservedPfnRange[],
  stray: StrayPages,
): Generator<PlanRun> {
  const place = { index: 0 };
  for (const hole of holes) {
    const { nid, zoneIndex } = hole;
    for (const { cover, startPfn, endPfn } of cutBy(hole, reserved, place)) {
      const border =
        cover === 'reserved' ? Math.min(Math.max(stray.from, startPfn), endPfn) : endPfn;
      if (startPfn < border) {
        yield { startPfn, endPfn: border, owner: 'unavailable', nid, zoneIndex, fate: 'reserved' };
      }
      if (border === endPfn) continue;
      for (const part of byZone({ startPfn: border, endPfn }, stray)) {
        yield { ...part, owner: 'reserved', nid: stray.nid, fate: 'reserved' };
      }
    }
  }
}

/** A span cut by the first zone that spans each page, or by none. */
function* byZone(
  span: PfnRange,
  { zones, borders }: StrayPages,
): Generator<PfnRange & { zoneIndex: number }> {
  for (let at = span.startPfn; at < span.endPfn;) {
    const next = Math.min(borders.find((border) => border > at) ?? Infinity, span.endPfn);
    const zone = zones.find((z) => z.startPfn <= at && at < z.endPfn);
    yield { startPfn: at, endPfn: next, zoneIndex: zone?.zoneIndex ?? NO_ZONE_INDEX };
    at = next;
  }
}

function planNodes(
  pieces: readonly ZonePiece[],
  byNode: ReadonlyMap<number, readonly ZonePfnRange[]>,
  first: ReadonlyMap<number, number>,
  runs: readonly PlanRun[],
): PlanNode[] {
  const presentPages = new Map<number, number>();
  for (const { nid, startPfn, endPfn } of pieces) {
    presentPages.set(nid, (presentPages.get(nid) ?? 0) + endPfn - startPfn);
  }
  const deferredRanges = new Map<number, PfnRange[]>();
  for (const { nid, owner, startPfn, endPfn } of runs) {
    if (owner !== 'deferred') continue;
    const own = deferredRanges.get(nid);
    if (own === undefined) deferredRanges.set(nid, [{ startPfn, endPfn }]);
    else own.push({ startPfn, endPfn });
  }
  return [...presentPages.keys()]
    .sort((a, b) => a - b)
    .map((nid) => {
      const zones = byNode.get(nid)!;
      const firstDeferredPfn = first.get(nid);
      const startPfn = Math.min(...zones.map((zone) => zone.startPfn));
      const endPfn = Math.max(...zones.map((zone) => zone.endPfn));
      if (firstDeferredPfn !== undefined) {
        const inside = firstDeferredPfn >= startPfn && firstDeferredPfn <= endPfn;
        invariant(inside, 'the deferred part starts inside its node', { nid, firstDeferredPfn });
      }
      return {
        nid,
        startPfn,
        endPfn,
        zones,
        presentPages: presentPages.get(nid)!,
        firstDeferredPfn,
        deferredZone: firstDeferredPfn === undefined ? undefined : zones.at(-1),
        deferredRanges: deferredRanges.get(nid) ?? [],
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
    const { startPfn, endPfn } = run;
    if (at === plan.sections[section]?.endPfn) at = plan.sections[++section]?.startPfn;
    const isNext = at === startPfn && startPfn < endPfn;
    if (!isNext || endPfn > (plan.sections[section]?.endPfn ?? 0)) {
      invariant(startPfn < endPfn, 'runs are not empty', { ...run });
      invariant(isNext, 'runs cover the sections without gap or overlap', { at, ...run });
      invariant(false, 'a run ends inside its sections', { ...run });
    }
    at = endPfn;
  }
  const complete = section >= plan.sections.length - 1 && at === plan.sections.at(-1)?.endPfn;
  invariant(complete, 'the last section is covered', { at });
  for (const node of plan.nodes) {
    const first = node.firstDeferredPfn;
    if (first === undefined) continue;
    invariant(first % plan.sectionPages === 0, 'deferral starts at a section', { first });
  }
}
