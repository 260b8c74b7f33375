/**
 * Which kernel releases an input without a release may come from: everything that behaves differently, less what
 * the input's own form rules out.
 *
 * A fact that all of them agree on follows from the input whatever its kernel was; any other depends on the release.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { parseRelease } from '@bootmem/memmap/releases';
import { kernelOf } from './profile.js';

/** Series of releases, and the number of the last one in each. */
const SERIES: readonly (readonly [number, number])[] = [
  [3, 19],
  [4, 20],
  [5, 19],
  [6, 19],
  [7, 3],
];

/** What a form says: no kernel before `since` prints it, none from `until` on. */
interface Era {
  readonly shows: (description: MachineDescription) => boolean;
  readonly since?: string;
  readonly until?: string;
}

const counter =
  (name: string) =>
  ({ proc }: MachineDescription): boolean =>
    proc.zoneinfo?.some((zone) => name in zone.counters) === true;

/** Fields and lines that came or went with a release. */
const ERAS: readonly Era[] = [
  {
    shows: ({ proc }) => proc.zoneinfo?.some((zone) => zone.managed !== undefined) === true,
    since: '3.9',
  },
  {
    shows: ({ proc }) => proc.zoneinfo?.some((zone) => zone.cma !== undefined) === true,
    since: '5.12',
  },
  {
    shows: ({ proc }) => proc.zoneinfo?.some((zone) => zone.boost !== undefined) === true,
    since: '5.15',
  },
  {
    shows: ({ proc }) => proc.zoneinfo?.some((zone) => zone.promo !== undefined) === true,
    since: '6.12',
  },
  // Before all architectures printed one form of it, x86's named what is absent.
  {
    shows: ({ architecture, printed }) =>
      architecture === 'x86_64' &&
      printed.memory !== undefined &&
      printed.memory.partsKb['absent'] === undefined,
    since: '3.11',
  },
  // The line "nr_alloc_batch" was there as long as fair zone allocation.
  { shows: counter('nr_alloc_batch'), since: '3.12', until: '4.8' },
  { shows: counter('scanned'), until: '4.8' },
  { shows: counter('nr_zone_inactive_anon'), since: '4.8' },
  { shows: counter('nr_free_cma'), since: '3.7' },
  { shows: counter('nr_zspages'), since: '4.8' },
  {
    shows: ({ printed }) => printed.unavailable.some(({ zone }) => zone !== undefined),
    since: '5.10',
  },
  { shows: ({ printed }) => printed.fallbackOrders.length > 0, since: '5.15' },
];

/** All releases with a name of their own, oldest first. */
function* allReleases(): Generator<string> {
  yield* ['2.6.32', '2.6.36', '2.6.39'];
  for (const [series, last] of SERIES) {
    for (let number = 0; number <= last; number++) yield `${series}.${number}`;
  }
}

function isBefore(left: string, right: string): boolean {
  const [a, b] = [parseRelease(left)!, parseRelease(right)!];
  const first = a.findIndex((number, index) => number !== b[index]);
  return first >= 0 && a[first]! < b[first]!;
}

/**
 * Releases that an input may come from, one of each behaviour.
 * @param description  without a release
 * @returns at least one, oldest first
 */
export function possibleReleases(description: MachineDescription): string[] {
  const seen = ERAS.filter((era) => era.shows(description));
  const releases = new Map<string, string>();
  for (const release of allReleases()) {
    const ruledOut = seen.some(
      ({ since, until }) =>
        (since !== undefined && isBefore(release, since)) ||
        (until !== undefined && !isBefore(release, until)),
    );
    if (ruledOut) continue;
    const { memblock, pages, buddy, printed } = kernelOf(release);
    const behaviour = JSON.stringify([memblock, pages, buddy, printed], withoutRelease);
    // What the memory map's own table says differs for the oldest kernels only.
    const key = isBefore(release, '3.5') ? release : behaviour;
    if (!releases.has(key)) releases.set(key, release);
  }
  // Signs that contradict each other rule out nothing.
  return releases.size > 0 ? [...releases.values()] : [...allReleases()];
}

function withoutRelease(key: string, value: unknown): unknown {
  return key === 'release' ? undefined : value;
}
