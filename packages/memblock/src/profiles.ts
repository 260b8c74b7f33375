/**
 * Where kernel releases differ in what can be observed, as data. No code asks for a version: it asks
 * for a field of the profile.
 *
 * Source: Documentation/core-api/boot-time-mm.rst and the published history of the subsystem.
 */
import { MemFlags } from './constants.js';

/** What a kernel release does, as far as releases differ. */
export interface MemblockProfile {
  /** Name for messages and dumps. */
  readonly name: string;
  /** Node recorded by a reservation without a node: the "unknown" number (maxNodes) or NO_NODE (-1). */
  readonly plainReserveNode: 'unknown' | 'none';
  /** Flags recorded on what the allocator hands out and on grown arrays: 0 or RSRV_KERN. */
  readonly allocationFlags: number;
  /** Whether an allocation records the node that was asked for; else it is a plain reservation. */
  readonly allocationKeepsNode: boolean;
  /** Debug line of a reservation: `memblock_reserve: [..]` or `__memblock_reserve: [..] nid=.. flags=..`. */
  readonly reserveLine: 'plain' | 'with-node';
  /** Growing an array before that is allowed: panic with a message, or fail silently. */
  readonly earlyResize: 'panic' | 'fail';
  /** An empty list counts as one entry of size 0 (seen in dumps and snapshots up to 6.8). */
  readonly emptyListHasEntry: boolean;
  /** The debug file names all flags of a region, joined by `|`, or the lowest only. */
  readonly debugFileFlags: 'all' | 'lowest';
  /** Adding plain memory over memory with flags is complained about too; later only flags that are set. */
  readonly warnsOnPlainFlags: boolean;
  /** Node that {@link Memblock.resetNodes} writes: the "unknown" number or NO_NODE. */
  readonly resetNode: 'unknown' | 'none';
  /** Blocks of nodes begin at the first RAM, not at 0 (x86). */
  readonly numaBlocksFromDram: boolean;
  /** Huge pages taken at boot are marked RSRV_NOINIT, but for their first page. */
  readonly hugePagesNoinit: boolean;
  /** Releasing a named reservation gives back its last page too (fixed in 7.1). */
  readonly releasesLastPage: boolean;
  /** Once the slab allocator is up, freeing gives whole pages to it and leaves the list alone (7.1). */
  readonly lateFreeReleases: boolean;
  /** A named reservation that cannot be made prints why (7.1). */
  readonly reserveMemMessages: boolean;
  /** A grown array is accepted before use where memory is unaccepted (2025). */
  readonly acceptsGrownArray: boolean;
}

const V6_1: MemblockProfile = {
  name: '6.1',
  plainReserveNode: 'unknown',
  allocationFlags: MemFlags.NONE,
  allocationKeepsNode: false,
  reserveLine: 'plain',
  earlyResize: 'fail',
  emptyListHasEntry: true,
  debugFileFlags: 'all',
  warnsOnPlainFlags: true,
  resetNode: 'unknown',
  numaBlocksFromDram: false,
  hugePagesNoinit: false,
  releasesLastPage: false,
  lateFreeReleases: false,
  reserveMemMessages: false,
  acceptsGrownArray: false,
};

const V6_12: MemblockProfile = {
  ...V6_1,
  name: '6.12',
  earlyResize: 'panic',
  emptyListHasEntry: false,
  resetNode: 'none',
  numaBlocksFromDram: true,
  hugePagesNoinit: true,
};

const V6_19: MemblockProfile = {
  ...V6_12,
  name: '6.19',
  plainReserveNode: 'none',
  debugFileFlags: 'lowest',
  warnsOnPlainFlags: false,
  allocationFlags: MemFlags.RSRV_KERN,
  allocationKeepsNode: true,
  reserveLine: 'with-node',
  acceptsGrownArray: true,
};

const V7_1: MemblockProfile = {
  ...V6_19,
  name: '7.1',
  releasesLastPage: true,
  lateFreeReleases: true,
  reserveMemMessages: true,
};

/** The profiles that come with the package; `latest` is the newest of them. */
export const PROFILES = {
  '6.1': V6_1,
  '6.12': V6_12,
  '6.19': V6_19,
  '7.1': V7_1,
  latest: V7_1,
} as const satisfies Record<string, MemblockProfile>;

/** Name of a profile that comes with the package. */
export type ProfileName = keyof typeof PROFILES;

/**
 * The profile nearest to a kernel release.
 * @param release a release string as in `uname -r` or the `Linux version` line, for example `6.12.100-amd64`
 * @returns the newest profile that is not newer than the release; `6.1` for anything older, `latest` where no number is found
 */
export function profileForRelease(release: string): MemblockProfile {
  const match = /(\d+)\.(\d+)/.exec(release);
  if (match === null) return PROFILES.latest;
  const version = Number(match[1]) * 1000 + Number(match[2]);
  if (version >= 7001) return PROFILES['7.1'];
  // The reservation flags came between 6.14 and 6.18; the empty entry went between 6.8 and 6.12.
  if (version >= 6015) return PROFILES['6.19'];
  if (version >= 6009) return PROFILES['6.12'];
  if (version >= 6008) return { ...PROFILES['6.1'], name: '6.8', earlyResize: 'panic' };
  return PROFILES['6.1'];
}
