/** Small machines for tests: 64-page sections, 16-page largest blocks, 8-page pageblocks. */
import { type Geometry, Memmap, PageState, type MemoryPfnRange } from '@bootmem/memmap';
import {
  type InitInput,
  type InitPlan,
  type PageSink,
  type PlanRun,
  planInit,
  type ZonePfnRange,
} from '@bootmem/page-init';
import { ClaimState, type ClaimTable } from '../dist/core/claims.js';

export const TINY: Geometry = {
  pageShift: 12,
  sectionOrder: 6,
  pageblockOrder: 3,
  maxOrder: 4,
  subsectionOrder: 3,
};
export const SECTION = 64;
const NORMAL = 2;

/** One zone per node, from its first to its last page. */
export function zonesOf(memory: readonly MemoryPfnRange[], zoneIndex = NORMAL): ZonePfnRange[] {
  const nids = [...new Set(memory.map((m) => m.nid))].sort((a, b) => a - b);
  return nids.map((nid) => {
    const own = memory.filter((m) => m.nid === nid);
    return {
      nid,
      zoneIndex,
      startPfn: Math.min(...own.map((m) => m.startPfn)),
      endPfn: Math.max(...own.map((m) => m.endPfn)),
    };
  });
}

/** Plan of a tiny machine. */
export function tinyPlan(
  input: Partial<InitInput> & { memory: readonly MemoryPfnRange[] },
): InitPlan {
  return planInit({ reserved: [], zones: zonesOf(input.memory), geometry: TINY, ...input });
}

/** Map with descriptors for a plan; shared, so that workers can attach. */
export function memmapFor(plan: InitPlan): Memmap {
  return Memmap.create({ ranges: plan.sections, geometry: plan.geometry, storage: 'shared' });
}

/**
 * A sink that plays buddy allocator: it looks at what an allocator would look at when it merges, counts
 * how often each page was freed, and complains about every descriptor that it must not see.
 */
export class WatchingSink implements PageSink {
  readonly freed = new Map<number, number>();
  readonly faults: string[] = [];
  readonly #memmap: Memmap;
  readonly #plan: InitPlan;

  constructor(plan: InitPlan, memmap: Memmap) {
    this.#plan = plan;
    this.#memmap = memmap;
  }

  freeBlocks(startPfn: number, endPfn: number): number {
    const { maxOrder } = this.#plan.geometry;
    const zone = this.#memmap.zoneId(startPfn);
    for (let pfn = startPfn; pfn < endPfn; pfn++) {
      if (this.#memmap.state(pfn) !== PageState.BODY) this.faults.push(`page ${pfn} is not ready`);
      if (this.#memmap.zoneId(pfn) !== zone) this.faults.push(`page ${pfn} is of another zone`);
      this.freed.set(pfn, (this.freed.get(pfn) ?? 0) + 1);
      for (let order = 0; order < maxOrder; order++) this.#look((pfn ^ (1 << order)) >>> 0, pfn);
    }
    return endPfn - startPfn;
  }

  /** A merge reads the buddy's descriptor; one of the same node's memory must be initialised by now. */
  #look(buddy: number, pfn: number): void {
    const run = runOf(this.#plan, buddy);
    const own = runOf(this.#plan, pfn);
    if (run === undefined || run.owner === 'no-init' || run.nid !== own?.nid) return;
    if (!this.#memmap.isInitialised(buddy))
      this.faults.push(`merge of ${pfn} reads poison ${buddy}`);
  }
}

/** Run that holds a page, or undefined when the page has no descriptor. */
export function runOf(plan: InitPlan, pfn: number): PlanRun | undefined {
  return plan.runs.find((run) => run.startPfn <= pfn && pfn < run.endPfn);
}

/** What the map says about every page of a plan's sections, as comparable text. */
export function picture(plan: InitPlan, memmap: Memmap): string {
  const rows: string[] = [];
  const { pageblockOrder } = plan.geometry;
  for (const { startPfn, endPfn } of plan.sections) {
    for (let pfn = startPfn; pfn < endPfn; pfn++) {
      const block = pfn % 2 ** pageblockOrder === 0 ? `t${memmap.pageblocks.migratetype(pfn)}` : '';
      rows.push(`${memmap.state(pfn)}/${memmap.zoneId(pfn)}${block}`);
    }
  }
  return rows.join(' ');
}

/** Resolves when somebody waits for a unit that another one has claimed. */
export async function waitedFor(claims: ClaimTable, unit: number): Promise<void> {
  while (claims.state(unit) !== ClaimState.BUSY_WAITED) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
