/**
 * Puts the shared objects of a machine together, descriptors, zones, allocator, acceptance, and brings the early part of
 * it up. Cost follows the number of sections and of ranges, not of pages.
 */
import { isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import type { ZoneSpec } from '@bootmem/buddy-allocator/machine';
import { Memmap } from '@bootmem/memmap';
import type { Memblock } from '@bootmem/memblock';
import { initEarly, releaseEarly } from '@bootmem/page-init';
import type { EarlyResult, InitPlan } from '@bootmem/page-init';
import type { AcceptMode } from '../result.js';
import { handoverSteps } from '../accounts/handover.js';
import type { Handover } from '../accounts/handover.js';
import { geometryOf, planPages } from '../plan/init-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import type { BootNeeds } from '../plan/limits/needs.js';
import { MAX_DESCRIPTORS } from '../plan/limits/reach.js';
import { topologyOf } from '../plan/topology.js';
import { zonesWithPages } from '../plan/zones/zones-with-pages.js';
import { setUpAcceptance } from './acceptance.js';
import type { Acceptance } from './acceptance.js';

/** What a machine is made of. */
export interface Assembly {
  readonly plan: LayoutPlan;
  readonly needs: BootNeeds;
  readonly pages: InitPlan;
  readonly handover: Handover;
  readonly memmap: Memmap;
  readonly allocator: PageAllocator;
  readonly acceptance: Acceptance | undefined;
}

/** Zones to create: those with pages. */
function zoneSpecs(plan: LayoutPlan, { most }: BootNeeds): ZoneSpec[] {
  return zonesWithPages(plan).map(({ nid, zone, startPfn, endPfn, presentPages }) => ({
    nid,
    zone,
    startPfn,
    endPfn,
    // The word that holds it ends there; on so large a machine not more than that gets descriptors.
    presentPages: Math.min(presentPages, most - 1),
  }));
}

/**
 * Assembles a machine.
 * @param plan     its layout
 * @param options  deferral, acceptance, threads that will attach, how many pages get descriptors
 */
export function* assembleSteps(
  plan: LayoutPlan,
  options: { defer: boolean; accept: AcceptMode; threads: number; needs: BootNeeds },
): Steps<Assembly> {
  const { needs } = options;
  const state = yield* handoverSteps(plan);
  yield;
  const pages = planPages(plan, state.memblock, options.defer);
  yield;
  const zones = zoneSpecs(plan, needs);
  // A zone may end behind the last section that has memory.
  const described = [...pages.sections, ...plan.devices, ...zones];
  const memmap = Memmap.create({
    ranges: pages.sections,
    geometry: geometryOf(plan),
    populate: needs.whole ? 'full' : 'ondemand',
    ...(needs.most < MAX_DESCRIPTORS && !needs.whole
      ? { capacitySections: Math.floor(needs.most / plan.pagesPerSection) }
      : {}),
    minPfn: Math.min(...described.map((range) => range.startPfn)),
    maxPfn: Math.max(...described.map((range) => range.endPfn)),
  });
  yield;
  const topology = topologyOf(plan);
  const allocator = PageAllocator.create(memmap, zones, {
    threads: options.threads + 8,
    workers: Math.max(1, options.threads),
    profile: plan.kernel.buddy,
    ...(topology === undefined ? {} : { distance: topology.distance }),
  });
  yield;
  const acceptance = setUpAcceptance(plan, allocator, options.accept);
  return { plan, needs, pages, handover: state, memmap, allocator, acceptance };
}

/**
 * Early initialisation and hand-over of what it covers: after this the first page can be allocated.
 * @param machine  from {@link assembleSteps}
 */
export function* bringUpEarlySteps(machine: Assembly): Steps<EarlyResult> {
  const { pages, memmap, allocator, acceptance, handover: state } = machine;
  // Zones, and the lines about all of it; then its runs, some at a time.
  const result = initEarly({ ...pages, runs: [] }, memmap);
  for (const runs of partsOf(pages.runs)) {
    yield;
    initEarly({ ...pages, nodes: [], memorylessNids: [], unavailable: [], runs }, memmap);
  }
  yield;
  if (acceptance !== undefined) {
    acceptReserved(state.memblock, acceptance);
    allocator.setHooks({ accept: acceptance.acceptor });
  }
  for (const runs of partsOf(pages.runs)) {
    yield;
    releaseEarly({ ...pages, runs }, allocator);
  }
  return result;
}

function* partsOf<Run>(runs: readonly Run[]): Generator<readonly Run[]> {
  let from = 0;
  for (let end = 1; end <= runs.length; end++) {
    if (end < runs.length && !isStep(end - 1)) continue;
    yield runs.slice(from, end);
    from = end;
  }
}

/** What is in use already was accepted when it was allocated. */
function acceptReserved(memblock: Memblock, acceptance: Acceptance): void {
  for (const { base, size } of memblock.regions('reserved')) {
    acceptance.memory.acceptMemory(base, size);
  }
}
