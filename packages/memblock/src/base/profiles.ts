/**
 * Where kernel releases differ in what can be observed, as data. No code asks for a version: it asks
 * for a field of the profile.
 *
 * Source: Documentation/core-api/boot-time-mm.rst and the published history of the subsystem.
 */
import { byRelease, type ReleaseTable } from './by-release.js';
import { MemFlags } from './constants.js';

/** What a kernel release does, as far as releases differ. */
export interface MemblockProfile {
  /** The newest release whose changes are in it, for example `6.12`. */
  readonly release: string;
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
  /**
   * Memory below 1 MiB is marked KHO_SCRATCH, unprinted, when memory has been added, so that a kernel which may
   * allocate from such memory only can still take its first pages there; the mark goes, unprinted too, when the
   * whole of it has been reserved (x86).
   */
  readonly marksLowScratch: boolean;
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

type Row = Omit<MemblockProfile, 'release'>;

/**
 * What each release changed. A row stands where the change was released, or else at the oldest release that
 * is known to have it; the comment says what is known.
 */
export const RELEASES: ReleaseTable<Row> = [
  {
    // Recorded with 6.1.176; logs of 5.7, 5.9 and 5.12 agree.
    since: '2.6.32',
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
    marksLowScratch: false,
    hugePagesNoinit: false,
    releasesLastPage: false,
    lateFreeReleases: false,
    reserveMemMessages: false,
    acceptsGrownArray: false,
  },
  // "hugetlb: skip initialization of gigantic tail struct pages if freed by HVO", with MEMBLOCK_RSRV_NOINIT.
  { since: '6.7', hugePagesNoinit: true },
  // "memblock: report failures when memblock_can_resize is not set": 6.5 fails silently, 6.8 panics.
  { since: '6.8', earlyResize: 'panic' },
  // "x86/mm/numa: Use NUMA_NO_NODE when calling memblock_set_node()".
  { since: '6.10', resetNode: 'none' },
  // "mm/memblock: remove empty dummy entry", in the memblock updates of 6.11.
  { since: '6.11', emptyListHasEntry: false },
  // "mm: numa_memblks: use memblock_{start,end}_of_DRAM() when sanitizing meminfo".
  { since: '6.12', numaBlocksFromDram: true },
  // "memblock: Accept allocated memory before use in memblock_double_array()".
  { since: '6.15', acceptsGrownArray: true },
  {
    // Kexec handover, "memblock: add MEMBLOCK_RSRV_KERN flag": not in 6.14, recorded with 6.16.12. That the
    // debug file and the warning changed is known of 6.18, not since when.
    since: '6.16',
    plainReserveNode: 'none',
    debugFileFlags: 'lowest',
    warnsOnPlainFlags: false,
    allocationFlags: MemFlags.RSRV_KERN,
    allocationKeepsNode: true,
    reserveLine: 'with-node',
    // "x86: add KHO support to e820": whether or not hand-over is built in.
    marksLowScratch: true,
  },
  // Late frees go to the page allocator, reserve_mem is released whole and says why it cannot be made.
  { since: '7.1', releasesLastPage: true, lateFreeReleases: true, reserveMemMessages: true },
];

const choose = byRelease(RELEASES);

/**
 * What a kernel release does.
 * @param release  as `uname -r` prints it, for example `6.12.100-amd64`; any text that begins with a
 *   `MAJOR.MINOR` will do
 * @returns what all rows of the table up to it add up to; the newest where no number is found, the first row
 *   for anything older
 */
export function profileForRelease(release?: string): MemblockProfile {
  return choose(release);
}
