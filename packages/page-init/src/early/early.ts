/**
 * The early pass: everything that must exist before the first allocation, on the calling thread.
 *
 *     initEarly          memory below the deferral points, holes, reserved memory above them
 *     releaseEarly       hands the free part of it over, in address order
 *
 * Cost follows the sections at the bottom of each node, not the size of memory: after it the first
 * allocation is possible. Source: reference "Who initialises which struct page".
 */
import type { Memmap } from '@bootmem/memmap';
import { checkUntouched, setMovable } from '../core/fill.js';
import { initmemLines } from './log.js';
import type { InitPlan, PlanRun } from '../plan/plan.js';
import type { PageSink } from '../base/types.js';
import { checkFields } from '../base/check.js';

/** What the early pass did. */
export interface EarlyResult {
  /** Pages initialised, by owner. */
  readonly earlyPages: number;
  readonly reservedPages: number;
  readonly unavailablePages: number;
  readonly ms: number;
  /** Kernel log lines: node extents, pages in unavailable ranges. */
  readonly lines: readonly string[];
}

/** Options of {@link initEarly}. */
export interface EarlyOptions {
  /** Check first that each range is untouched; costs a read of every descriptor. Default false. */
  readonly verify?: boolean;
}

/** Defines the zones of a plan on a map; idempotent. Call before handles are given out. */
export function defineZones(plan: InitPlan, memmap: Memmap): void {
  for (const node of plan.nodes) {
    for (const zone of node.zones) memmap.defineZone(zone.nid, zone.zoneIndex);
  }
  for (const run of plan.runs) memmap.defineZone(run.nid, run.zoneIndex);
}

/**
 * Initialises all pages of a plan that are not deferred.
 * @param memmap map that has descriptors for `plan.sections`, all uninitialised
 * @throws MemmapError ERR_MEMMAP_ABSENT when a section is missing; ERR_PAGE_INIT_TWICE with `verify`
 * @kernel free_area_init, memmap_init
 */
export function initEarly(plan: InitPlan, memmap: Memmap, options: EarlyOptions = {}): EarlyResult {
  checkFields('plan', plan, { runs: 'array' });
  checkFields('memmap', memmap, { zones: 'object' });
  const started = performance.now();
  defineZones(plan, memmap);
  for (const run of plan.runs) {
    if (run.owner === 'deferred' || run.owner === 'no-init') continue;
    initRun(memmap, run, options.verify === true);
  }
  const { pages } = plan;
  return {
    earlyPages: pages.early,
    reservedPages: pages.reserved,
    unavailablePages: pages.unavailable,
    ms: performance.now() - started,
    lines: initmemLines(plan),
  };
}

function initRun(memmap: Memmap, run: PlanRun, verify: boolean): void {
  const { startPfn, endPfn } = run;
  const zoneId = memmap.defineZone(run.nid, run.zoneIndex);
  if (verify) checkUntouched(memmap, startPfn, endPfn);
  if (run.fate === 'reserved') memmap.initReservedRange(startPfn, endPfn, zoneId);
  else memmap.initRange(startPfn, endPfn, zoneId);
  // Reserved memory below the deferral point counts as memory for its pageblocks, holes do not.
  if (run.owner === 'early') setMovable(memmap, startPfn, endPfn);
}

/**
 * Hands the free early pages over, lowest address first, section by section.
 * @returns pages handed over, by node
 * @kernel memblock_free_all
 */
export function releaseEarly(plan: InitPlan, sink: PageSink): Map<number, number> {
  checkFields('plan', plan, { runs: 'array' });
  checkFields('sink', sink, { freeBlocks: 'function' });
  const pages = new Map<number, number>();
  for (const run of plan.runs) {
    if (run.owner !== 'early' || run.fate !== 'free') continue;
    for (let at = run.startPfn; at < run.endPfn;) {
      const end = Math.min(
        run.endPfn,
        (Math.floor(at / plan.sectionPages) + 1) * plan.sectionPages,
      );
      sink.freeBlocks(at, end);
      at = end;
    }
    pages.set(run.nid, (pages.get(run.nid) ?? 0) + run.endPfn - run.startPfn);
  }
  return pages;
}
