/**
 * Marks, reserves and cache sizes of a machine's zones, from what the zones manage now.
 *
 * Each mark is written under its zone's lock and read without it by every request.
 */
import { lowmemReserve } from '../marks/lowmem-reserve.js';
import { pcpBatch, pcpHigh } from '../marks/pcp-size.js';
import type { KernelProfile } from '../marks/profile.js';
import { lowmemKbytes, minFreeKbytes, zoneWatermarks } from '../marks/watermarks.js';
import { ZONE_NAMES, type ZoneName } from '@bootmem/memmap';
import type { NamedZone } from './allocator-types.js';
import { Zone, ZoneFlag } from '../base/control-layout.js';
import type { BuddyZone } from '../zone/zone.js';

/** Sizes that a caller may set instead of their defaults. */
export interface MarkOptions {
  /** KiB that MIN keeps free; default from low memory. */
  readonly minFreeKbytes?: number;
  /** Distance of the marks in 1/10000 of a zone. */
  readonly watermarkScaleFactor?: number;
}

/** Computes marks and reserves; boosts become 0. @kernel setup_per_zone_wmarks, setup_per_zone_lowmem_reserve */
export function setupMarks(
  zones: readonly NamedZone[],
  profile: KernelProfile,
  options: MarkOptions,
): void {
  const all = zones.map(({ zone, core }) => ({ zone, managedPages: core.managedPages }));
  const minFree =
    options.minFreeKbytes ?? minFreeKbytes({ lowmemKbytes: lowmemKbytes(all), profile });
  const marks = zoneWatermarks(all, {
    minFreeKbytes: minFree,
    profile: profile,
    ...(options.watermarkScaleFactor === undefined
      ? {}
      : { watermarkScaleFactor: options.watermarkScaleFactor }),
  });
  zones.forEach(({ core }, i) => {
    const mark = marks[i]!;
    const w = core.words;
    core.locked(() => {
      w[core.at + Zone.MARK_MIN] = mark.min;
      w[core.at + Zone.MARK_LOW] = mark.low;
      w[core.at + Zone.MARK_HIGH] = mark.high;
      w[core.at + Zone.MARK_PROMO] = mark.promo;
      w[core.at + Zone.BOOST] = 0;
      w[core.at + Zone.FLAGS] = w[core.at + Zone.FLAGS]! & ~ZoneFlag.BELOW_HIGH;
    });
  });
  setupReserves(zones, profile);
}

function setupReserves(zones: readonly NamedZone[], profile: KernelProfile): void {
  const zoneOf = (nid: number, zone: ZoneName): BuddyZone | undefined =>
    zones.find((z) => z.nid === nid && z.zone === zone)?.core;
  const nids = new Set(zones.map((z) => z.nid));
  for (const nid of nids) {
    const own = ZONE_NAMES.map((zone) => ({
      zone,
      managedPages: zoneOf(nid, zone)?.managedPages ?? 0,
    }));
    const reserve = lowmemReserve(own, undefined, profile.emptyZoneReserve);
    own.forEach(({ zone }, i) => {
      const core = zoneOf(nid, zone);
      reserve[i]!.forEach((pages, j) => {
        if (core !== undefined) core.words[core.at + Zone.RESERVE + j] = pages;
      });
    });
  }
}

/** Computes batch and limits of the page caches. @kernel zone_set_pageset_high_and_batch */
export function setupCaches(
  zones: readonly NamedZone[],
  profile: KernelProfile,
  workers: number,
): void {
  for (const { core } of zones) {
    const managed = core.managedPages;
    const batch = pcpBatch(managed, profile);
    const { highMin, highMax } = pcpHigh({
      managedPages: managed,
      low: core.get(Zone.MARK_LOW),
      workers: workers,
      batch,
      profile: profile,
    });
    core.words[core.at + Zone.BATCH] = batch;
    core.words[core.at + Zone.HIGH_MIN] = managed === 0 ? 0 : highMin;
    core.words[core.at + Zone.HIGH_MAX] = managed === 0 ? 0 : highMax;
    core.cache?.retune();
  }
}
