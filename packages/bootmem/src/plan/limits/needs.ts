/**
 * What a boot will need before anything of it is reserved: descriptors, zones, memory; and whether that can be had.
 *
 * Two numbers end what is brought up for real: the index of a descriptor has 31 bits (8 TiB of 4 KiB pages), and a byte
 * names a zone of a node. Beyond the first a boot goes to its first allocation and predicts the rest, unless even that
 * needs more (half a PiB: a 64th of memory holds the kernel's own descriptors); beyond the second it is refused.
 */
import type { InitPlan } from '@bootmem/page-init';
import { BootmemError } from '../../errors.js';
import type { LayoutPlan } from '../layout-plan.js';
import { zonesWithPages } from '../zones/zones-with-pages.js';
import { MAX_DESCRIPTORS } from './reach.js';

/** Zones with memory, device memory's included. */
export const MAX_ZONES = 255;

/** Bytes of address space that a descriptor takes, its part of the tables included; nearly. */
const RESERVED_BYTES_A_PAGE = 14.03;
/** Bytes of it that initialising and handing over a page write; nearly. */
const TOUCHED_BYTES_A_PAGE = 2.1;

/** What a boot needs. */
export interface BootNeeds {
  /** Pages of all sections with memory, and of device memory. */
  readonly descriptors: number;
  /** Zones with pages, one for the device memory of each node that has some. */
  readonly zones: number;
  /** Address space for descriptors, bytes: from the lowest page to the highest. */
  readonly reservedBytes: number;
  /** Memory that a whole boot touches for them, bytes. */
  readonly touchedBytes: number;
  /** Descriptors that there may be. */
  readonly most: number;
  /** False: more descriptors than there may be; only what comes before the first allocation is done. */
  readonly whole: boolean;
}

/**
 * Descriptors that a boot may have.
 * @param limitBytes  memory that it may touch for them; without a limit as many as can be numbered
 */
export function mostDescriptors(limitBytes: number | undefined): number {
  if (limitBytes === undefined) return MAX_DESCRIPTORS;
  return Math.min(MAX_DESCRIPTORS, Math.floor(limitBytes / TOUCHED_BYTES_A_PAGE));
}

/** How many that is, for messages: `2147483648 can be numbered`. */
export function whyNoMore(most: number): string {
  return `${most} ${limitOf(most)}`;
}

/** The same: `the 2147483648 page descriptors that can be numbered`. */
export function moreThan(most: number): string {
  return `the ${most} page descriptors that ${limitOf(most)}`;
}

function limitOf(most: number): string {
  return most === MAX_DESCRIPTORS ? 'can be numbered' : 'fit into the memory a boot may touch';
}

/**
 * Adds up what a machine needs. O(ranges).
 * @param plan  its layout
 * @param most  descriptors that there may be, from {@link mostDescriptors}
 */
export function needsOf(plan: LayoutPlan, most = MAX_DESCRIPTORS): BootNeeds {
  const size = plan.pagesPerSection;
  const sections = [...plan.memory, ...plan.devices].map(({ startPfn, endPfn }) => ({
    start: Math.floor(startPfn / size),
    end: Math.ceil(endPfn / size),
  }));
  sections.sort((a, b) => a.start - b.start);
  let count = 0;
  let reached = 0;
  for (const { start, end } of sections) {
    count += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  const descriptors = count * size;
  const span = (reached - (sections[0]?.start ?? 0)) * size;
  const zones = zonesWithPages(plan).length;
  return {
    descriptors,
    zones: zones + new Set(plan.devices.map((range) => range.nid)).size,
    reservedBytes: Math.round(Math.min(span, MAX_DESCRIPTORS) * RESERVED_BYTES_A_PAGE),
    touchedBytes: Math.round(Math.min(descriptors, most) * TOUCHED_BYTES_A_PAGE),
    most,
    whole: descriptors <= most,
  };
}

/**
 * Refuses what cannot even begin.
 * @throws BootmemError ERR_BOOTMEM_USAGE with what the boot would need
 */
export function checkNeeds(needs: BootNeeds, eager: boolean): void {
  if (needs.zones > MAX_ZONES) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `the machine has ${needs.zones} zones with memory, and ${MAX_ZONES} can be numbered`,
      { zones: needs.zones, maxZones: MAX_ZONES },
    );
  }
  if (eager && !needs.whole) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `eager needs ${needs.descriptors} page descriptors at once, and ${whyNoMore(needs.most)}; ` +
        'deferred and on-demand boots go to the first allocation and predict the rest',
      { descriptors: needs.descriptors, maxDescriptors: needs.most },
    );
  }
}

/** Descriptors that are kept for the sample and for what is allocated after it. */
const SPARE_DESCRIPTORS = 2 ** 23;

/**
 * Refuses a machine whose pages do not all get descriptors when those before the first allocation do not either.
 * @param pages  who initialises what
 * @param size   pages of a section
 * @param most   descriptors that there may be
 * @throws BootmemError ERR_BOOTMEM_USAGE with what the boot would need
 */
export function checkEarlyNeeds({ runs }: InitPlan, size: number, most: number): void {
  let sections = 0;
  let reached = 0;
  for (const { owner, startPfn, endPfn } of runs.toSorted((a, b) => a.startPfn - b.startPfn)) {
    if (owner === 'deferred' || owner === 'no-init') continue;
    const end = Math.ceil(endPfn / size);
    sections += Math.max(0, end - Math.max(Math.floor(startPfn / size), reached));
    reached = Math.max(reached, end);
  }
  const descriptors = sections * size;
  if (descriptors + SPARE_DESCRIPTORS <= most) return;
  throw new BootmemError(
    'ERR_BOOTMEM_USAGE',
    `to its first allocation the boot needs ${descriptors} page descriptors, and ${whyNoMore(most)}`,
    { descriptors, maxDescriptors: most },
  );
}
