/**
 * Where kernel releases differ observably, as data: how the deferred range becomes jobs and who does them,
 * the log lines, which device pages start idle.
 * Source: Documentation/mm/memory-model.rst, release notes; behaviour seen in recorded boots.
 */
import { byRelease, type ReleaseTable } from '@bootmem/memmap/releases';

/** How the deferred range of a node becomes range jobs. */
export type JobSplitting = 'range-groups' | 'zone';

/** A device page map's kind of memory. */
export type PagemapType = 'private' | 'coherent' | 'fs-dax' | 'generic' | 'pci-p2pdma';

/** What a kernel release does, as far as releases differ. */
export interface PageInitProfile {
  /** The newest release whose changes are in it, for example `6.12`. */
  readonly release: string;
  readonly splitting: JobSplitting;
  /** Threads for a node with this many CPUs; the result is used as at least 1. */
  readonly maxThreads: (cpus: number) => number;
  /**
   * Reserved pages in holes past the first online node's deferral point get the first zone of that node
   * that spans them, or none at all, instead of the zone beside them. Kernels do that by accident.
   */
  readonly strayReserved: 'kernel' | 'adjacent';
  /** Line when a node's deferred pages are done; `pages` as counted, `ms` as measured. */
  readonly deferredLine: (nid: number, pages: number, ms: number) => string;
  /** Line when a device's pages are done. */
  readonly deviceLine: (device: string, pages: number, ms: number) => string;
  /** Level of `deviceLine`. */
  readonly deviceLineLevel: 'info' | 'debug';
  /** Types whose pages start with reference count 0. */
  readonly idleTypes: readonly PagemapType[];
  /** Whether added memory can hold its own descriptors only as a single block, or each block of it. */
  readonly memmapOnMemory: 'single' | 'each';
}

const deviceLine = (_device: string, pages: number, ms: number): string =>
  `memmap_init_zone_device initialised ${pages} pages in ${ms}ms`;
const deferredLine = (nid: number, _pages: number, ms: number): string =>
  `node ${nid} deferred pages initialised in ${ms}ms`;

type Row = Omit<PageInitProfile, 'release'>;

/**
 * What each release changed. A row stands where the change was released, or else at the oldest release that
 * is known to have it; the comment says what is known.
 */
export const RELEASES: ReleaseTable<Row> = [
  {
    // Deferred work since 4.2, device pages outside the lock since 4.20: one thread per node, page counts in lines.
    since: '2.6.32',
    splitting: 'range-groups',
    maxThreads: () => 1,
    strayReserved: 'kernel',
    deferredLine: (nid, pages, ms) => `node ${nid} initialised, ${pages} pages in ${ms}ms`,
    deviceLine: (device, pages, ms) => `${device} initialised, ${pages} pages in ${ms}ms`,
    deviceLineLevel: 'info',
    idleTypes: ['private'],
    memmapOnMemory: 'single',
  },
  // Sub-section hot-plug: the line names the function instead of the device. Level info recorded with 6.1.
  { since: '5.3', deviceLine },
  // "padata: parallelize deferred page init" series: threads by cpus of the node (x86), another line.
  { since: '5.8', maxThreads: (cpus) => cpus, deferredLine },
  // Coherent device memory came with 6.0.
  { since: '6.0', idleTypes: ['private', 'coherent'] },
  // "mm/memory_hotplug: split memmap_on_memory requests across memblocks"; single recorded with 6.1, each with 6.12.
  { since: '6.8', memmapOnMemory: 'each' },
  // The device line is not among those recorded with 6.12, and was with 6.1.
  { since: '6.12', deviceLineLevel: 'debug' },
  // "fs/dax: Fix ZONE_DEVICE page reference counts" series: file systems' and peer-to-peer pages start at 0.
  { since: '6.15', idleTypes: ['private', 'coherent', 'pci-p2pdma', 'fs-dax'] },
  // One job per zone, commits 3acb913c9d5b and later. Pages of holes: 6.12 is the last release recorded.
  { since: '6.18', splitting: 'zone', strayReserved: 'adjacent' },
];

const choose = byRelease(RELEASES);

/**
 * What a kernel release does.
 * @param release  as `uname -r` prints it, for example `6.12.100+deb12-amd64`; any text that begins with a
 *   `MAJOR.MINOR` will do
 * @returns what all rows of the table up to it add up to; the newest where no number is found, the first row
 *   for anything older
 */
export function profileForRelease(release?: string): PageInitProfile {
  return choose(release);
}
