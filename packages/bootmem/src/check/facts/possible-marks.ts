/**
 * Marks that a zone's pages may have, by what the build and the options are: which of them a kernel has shows in the sum of
 * its minimums alone.
 *
 * ```
 * marks (first initcalls) ─▶ huge pages raise the minimum, by the size of a pageblock
 *                         └▶ huge pages are off: from 5.16 on the minimum is worked out once more, now from what lies above
 *                            the first marks
 * ```
 * @kernel set_recommended_min_free_kbytes, calculate_min_free_kbytes
 */
import {
  hugePageMinFreeKbytes,
  lowmemKbytes,
  minFreeKbytes,
  zoneWatermarks,
} from '@bootmem/buddy-allocator/zones';
import type { KernelProfile, Watermarks } from '@bootmem/buddy-allocator/zones';
import type { ZoneinfoZone } from '@bootmem/firmware-map/types';
import type { ZoneName } from '@bootmem/memmap';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { pageblockSizes } from './pageblock-facts.js';

/** Managed pages at the two moments that marks are set up. */
export interface MarkTimes {
  /** By the first initcalls. */
  readonly setUp: readonly number[] | undefined;
  /** When transparent huge pages raise the minimum. */
  readonly raised: readonly number[] | undefined;
}

/** Marks by zone, and what they were worked out from. */
export interface Marks {
  readonly marks: readonly Watermarks[];
  readonly managed: readonly number[];
  /** The minimum of free memory that they share out, KiB. */
  readonly minFreeKbytes: number;
}

/** Marks with transparent huge pages, by each size that a pageblock may have, and without. */
export interface PossibleMarks {
  readonly hugePages: readonly Marks[];
  /** Of the first initcalls; those worked out once more, where the release does that. */
  readonly plain: readonly [Marks, ...Marks[]];
}

/** A zone as marks are worked out for it. */
interface ManagedZone {
  readonly zone: ZoneName;
  readonly managedPages: number;
}

/**
 * Zones with managed pages. Movable memory that is taken from HighMem is as little mapped as that.
 * @param zones    the machine's zones
 * @param managed  their managed pages, in the same order
 */
export function managedZones(
  zones: readonly Pick<ZoneinfoZone, 'zone' | 'present'>[],
  managed: readonly number[],
): ManagedZone[] {
  const movesHighmem = zones.some(({ zone, present }) => zone === 'HighMem' && (present ?? 0) > 0);
  return zones.map(({ zone }, index) => ({
    zone: zone === 'Movable' && movesHighmem ? 'HighMem' : zone,
    managedPages: managed[index]!,
  }));
}

/**
 * Marks of all settings.
 * @param zones   the machine's zones
 * @param times   their managed pages
 * @param kernel  the planned machine and its kernel's constants
 * @returns `undefined` where managed pages are not known
 */
export function marksOf(
  zones: readonly Pick<ZoneinfoZone, 'nid' | 'zone' | 'present'>[],
  { setUp, raised }: MarkTimes,
  { plan, profile }: { plan: LayoutPlan; profile: KernelProfile },
): PossibleMarks | undefined {
  if (setUp === undefined || raised === undefined) return undefined;
  const pageKbytes = plan.pageSize / 1024;
  const withPages = (managed: readonly number[]): ManagedZone[] => managedZones(zones, managed);
  const low = minFreeKbytes({ lowmemKbytes: lowmemKbytes(withPages(setUp), pageKbytes), profile });
  const plain = zoneWatermarks(withPages(setUp), { minFreeKbytes: low, pageKbytes, profile });
  // Zones above Normal hold movable pages only.
  const isMovable = (zone: ZoneName): boolean => zone === 'Movable' || zone === 'HighMem';
  const counts = (zone: ZoneName): boolean =>
    zone !== 'Device' && (!isMovable(zone) || plan.kernel.printed.hugePagesCountMovable);
  const populated = zones.filter((zone) => (zone.present ?? 0) > 0 && counts(zone.zone)).length;
  const own = withPages(raised);
  const freeBufferPages =
    lowmemKbytes(
      own.map((zone, index) => ({ ...zone, high: plain[index]!.high })),
      pageKbytes,
    ) / pageKbytes;
  const hugePages = pageblockSizes(plan).map((pageblockPages) => {
    const minimum = hugePageMinFreeKbytes({
      ...{ current: low, populatedZones: populated, pageblockPages, pageKbytes, freeBufferPages },
    });
    const marks = zoneWatermarks(own, { minFreeKbytes: minimum, pageKbytes, profile });
    return { marks, managed: raised, minFreeKbytes: minimum };
  });
  const again = minFreeKbytes({ lowmemKbytes: freeBufferPages * pageKbytes, profile });
  const recounted = zoneWatermarks(own, { minFreeKbytes: again, pageKbytes, profile });
  return {
    hugePages,
    plain: plan.kernel.printed.recountsMinimum
      ? [
          { marks: plain, managed: setUp, minFreeKbytes: low },
          { marks: recounted, managed: raised, minFreeKbytes: again },
        ]
      : [{ marks: plain, managed: setUp, minFreeKbytes: low }],
  };
}
