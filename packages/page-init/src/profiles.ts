/**
 * Where kernel releases differ observably, as data. Two generations split the deferred work differently
 * (one job per group of free ranges until 6.17, one per zone since 6.18); the log lines changed in 5.8 and
 * with the device part in 5.3; device file systems start their pages at count 0 since 6.15.
 * Source: Documentation/mm/memory-model.rst, release notes; behaviour seen in recorded boots.
 */

/** How the deferred range of a node becomes range jobs. */
export type JobSplitting = 'range-groups' | 'zone';

/** A device page map's kind of memory. */
export type PagemapType = 'private' | 'coherent' | 'fs-dax' | 'generic' | 'pci-p2pdma';

/** One kernel generation's observable choices. */
export interface PageInitProfile {
  readonly name: string;
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
}

const perCpu = (cpus: number): number => cpus;
const deviceLine = (_device: string, pages: number, ms: number): string =>
  `memmap_init_zone_device initialised ${pages} pages in ${ms}ms`;
const deferredLine = (nid: number, _pages: number, ms: number): string =>
  `node ${nid} deferred pages initialised in ${ms}ms`;

/** 6.18 and later; the default. */
export const PROFILE_LATEST: PageInitProfile = {
  name: 'latest',
  splitting: 'zone',
  maxThreads: perCpu,
  strayReserved: 'adjacent',
  deferredLine,
  deviceLine,
  deviceLineLevel: 'debug',
  idleTypes: ['private', 'coherent', 'pci-p2pdma', 'fs-dax'],
};

/** 6.12, oddities included. */
export const PROFILE_6_12: PageInitProfile = {
  ...PROFILE_LATEST,
  name: '6.12',
  splitting: 'range-groups',
  strayReserved: 'kernel',
  idleTypes: ['private', 'coherent', 'pci-p2pdma'],
};

/** 6.1, oddities included: coherent and peer-to-peer pages still start with a count of 1. */
export const PROFILE_6_1: PageInitProfile = {
  ...PROFILE_6_12,
  name: '6.1',
  idleTypes: ['private', 'coherent'],
};

/** 4.20 to 5.7: one thread per node, page count in the line. */
export const PROFILE_5_7: PageInitProfile = {
  ...PROFILE_6_1,
  name: '5.7',
  maxThreads: () => 1,
  deferredLine: (nid: number, pages: number, ms: number): string =>
    `node ${nid} initialised, ${pages} pages in ${ms}ms`,
  deviceLine: (device: string, pages: number, ms: number): string =>
    `${device} initialised, ${pages} pages in ${ms}ms`,
  deviceLineLevel: 'info',
  idleTypes: ['private'],
};

/** All profiles by name. */
export const PROFILES: Readonly<Record<string, PageInitProfile>> = {
  '5.7': PROFILE_5_7,
  '6.1': PROFILE_6_1,
  '6.12': PROFILE_6_12,
  latest: PROFILE_LATEST,
};
