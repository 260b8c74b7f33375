/**
 * How many pages a worker's page cache holds and how many it moves at once; and how far a worker's counter
 * may drift from the shared one.
 *
 * Source: reference of the buddy allocator, section 6
 */
import { clamp, highestBit, powerOfTwoBelow } from './arithmetic.js';
import type { KernelProfile } from './profile.js';

/** A tuned high mark may grow to an eighth of the zone, dealt out to the workers. */
const HIGH_MAX_FRACTION = 8;
const THRESHOLD_MAX = 125;
/** 128 MiB in pages of 4 KiB, as a shift. */
const THRESHOLD_SHIFT = 15;

/**
 * Pages moved between a cache and the zone at once: 2^n - 1, at least 1.
 * @param pageKbytes  KiB of a page: the most that is moved is an amount of memory
 */
export function pcpBatch(managedPages: number, profile: KernelProfile, pageKbytes = 4): number {
  return Math.max(1, batchSize(managedPages, profile, pageKbytes));
}

/**
 * The same before it is made at least 1: a small zone has 0.
 * @kernel zone_batchsize
 */
function batchSize(managedPages: number, profile: KernelProfile, pageKbytes: number): number {
  const { shift, limit, divisor } = profile.pcpBatch;
  const base = Math.min(
    Math.floor(managedPages / 2 ** shift),
    Math.floor((limit * 4) / pageKbytes),
  );
  const batch = Math.max(1, Math.floor(base / divisor));
  // Off a power of two, so that the pages of several caches do not fall on the same cache colours.
  return powerOfTwoBelow(batch + Math.floor(batch / 2)) - 1;
}

/** The limits a cache's high mark moves between; equal where it is fixed. */
interface PcpHigh {
  readonly highMin: number;
  readonly highMax: number;
}

/**
 * High marks of a cache.
 * @param options.low      LOW mark of the zone in pages
 * @param options.workers  workers that share the zone: the CPUs of its node, or all where it has none
 * @param options.fraction `percpu_pagelist_high_fraction`; 0 is off
 * @param options.pageKbytes  KiB of a page, as for `pcpBatch`
 * @kernel zone_highsize
 */
export function pcpHigh(options: {
  readonly managedPages: number;
  readonly low: number;
  readonly workers: number;
  readonly batch: number;
  readonly fraction?: number;
  readonly pageKbytes?: number;
  readonly profile: KernelProfile;
}): PcpHigh {
  const { managedPages, low, workers, batch, fraction = 0, pageKbytes = 4, profile } = options;
  if (profile.pcpHigh === 'batches' && fraction === 0) {
    // Six of what the batch was before it was made at least 1: the caches of a small zone keep nothing.
    const high = 6 * batchSize(managedPages, profile, pageKbytes);
    return { highMin: high, highMax: high };
  }
  const share = (pages: number): number =>
    Math.max(Math.floor(pages / Math.max(1, workers)), batch * 4);
  const highMin = share(fraction > 0 ? Math.floor(managedPages / fraction) : low);
  const tuned = profile.pcpHigh === 'tuned' && fraction === 0;
  const highMax = tuned ? share(Math.floor(managedPages / HIGH_MAX_FRACTION)) : highMin;
  return { highMin, highMax };
}

/**
 * Counts a worker keeps to itself before it adds them to the zone's counter.
 * @kernel calculate_normal_threshold
 */
export function statThreshold(managedPages: number, onlineWorkers: number): number {
  const memory = highestBit(Math.floor(managedPages / 2 ** THRESHOLD_SHIFT));
  return clamp(2 * highestBit(onlineWorkers) * (1 + memory), 0, THRESHOLD_MAX);
}
