/**
 * Joins the layout with the state at hand-over: who initialises which page, and where deferral begins.
 */
import type { Geometry } from '@bootmem/memmap';
import { X86_64, ZONE_NAMES } from '@bootmem/memmap';
import { planInit } from '@bootmem/page-init';
import type { InitPlan, ZonePfnRange } from '@bootmem/page-init';
import type { Memblock } from '@bootmem/memblock';
import { MemFlags } from '@bootmem/memblock';
import type { LayoutPlan } from './layout-plan.js';
import { toPageFrames } from './page-frames.js';
import { zonesWithPages } from './zones/zones-with-pages.js';

/**
 * Geometry of descriptors for a machine: sections as large as the kernel's.
 * @param plan  a planned machine
 */
export function geometryOf(plan: LayoutPlan): Geometry {
  return {
    ...X86_64,
    // Where the kernel's sections are smaller than its largest block, descriptors are kept by that block.
    sectionOrder: Math.max(X86_64.maxOrder, Math.log2(plan.pagesPerSection)),
  };
}

/** Zones with pages, as page-init and memmap name them. */
function zoneSpans(plan: LayoutPlan): ZonePfnRange[] {
  return zonesWithPages(plan).map(({ nid, zone, startPfn, endPfn }) => ({
    nid,
    zoneIndex: ZONE_NAMES.indexOf(zone),
    startPfn,
    endPfn,
  }));
}

/**
 * Plans initialisation.
 * @param plan      a planned machine
 * @param memblock  its state at hand-over
 * @param defer     false: everything before the first allocation
 */
export function planPages(plan: LayoutPlan, memblock: Memblock, defer: boolean): InitPlan {
  const reserved = memblock.regions('reserved').map(({ base, size, flags }) => ({
    start: base,
    end: base + size,
    noInit: (flags & MemFlags.RSRV_NOINIT) !== 0,
  }));
  return planInit({
    memory: plan.memory,
    reserved: toPageFrames(reserved, plan.pageSize, 'outward'),
    zones: zoneSpans(plan),
    memorylessNids: plan.layout.nodes
      .filter((node) => node.presentPages === 0)
      .map((node) => node.nid),
    geometry: geometryOf(plan),
    profile: plan.kernel.pages,
    defer,
  });
}
