/**
 * Device memory: persistent ranges of the map get descriptors and a place in the Device zone of their node,
 * in the background, while everything else is in use already.
 *
 * ```
 * boot is done ─▶ memremapPagesAsync a range ─▶ chunks on the pool, low priority ─▶ ready
 *                  whoever needs a page at once: mapping.sync(pfn)
 * ```
 */
import type { WorkPool } from '@bootmem/padata';
import { DeviceMemory } from '@bootmem/page-init/device';
import type { RangeJobRunner } from '@bootmem/page-init';
import type { DeviceMapping } from '@bootmem/page-init/device';
import { messageOf } from '../errors.js';
import { whyNoMore } from '../plan/limits/needs.js';
import type { DeviceReport } from '../result.js';
import type { WorkerFunctions } from '../worker/functions.js';
import type { DeviceArg, MachineHandle } from '../worker/init-worker.js';
import type { Assembly } from './assemble.js';

/** What initialises device memory. */
export interface DeviceThreads {
  readonly machine: MachineHandle;
  readonly pool: WorkPool;
  readonly functions: WorkerFunctions;
}

/** The device memory of one machine, while it comes up and after. */
export class Devices {
  readonly memory: DeviceMemory;
  readonly mappings: DeviceMapping[] = [];
  readonly notes: string[] = [];
  readonly #reports: DeviceReport[] = [];
  readonly #ready: Promise<void>[] = [];
  readonly #threads: DeviceThreads;

  /**
   * Starts initialising every persistent range.
   * @param machine  a machine whose own memory is up
   * @param threads  what runs, where, on the same machine by handle
   * @param log      receives kernel-like lines
   */
  constructor(machine: Assembly, threads: DeviceThreads, log: (line: string) => void) {
    this.#threads = threads;
    const { plan, needs, pages, memmap, allocator } = machine;
    this.memory = new DeviceMemory({
      memmap,
      memory: plan.memory,
      profile: pages.profile,
      owner: { threadId: allocator.thread, liveness: allocator.registry },
    });
    if (!needs.whole && plan.devices.length > 0) {
      this.notes.push(
        `device memory is left out: the machine has more pages than descriptors (${whyNoMore(needs.most)})`,
      );
      return;
    }
    // Device ranges are mapped in whole sub-sections.
    const grain = 2 ** memmap.geometry.subsectionOrder;
    for (const [index, range] of plan.devices.entries()) {
      const startPfn = Math.ceil(range.startPfn / grain) * grain;
      const endPfn = Math.floor(range.endPfn / grain) * grain;
      if (startPfn >= endPfn) continue;
      this.#start({ name: `pmem${index}`, nid: range.nid, startPfn, endPfn }, log);
    }
  }

  #start(
    range: { name: string; nid: number; startPfn: number; endPfn: number },
    log: (line: string) => void,
  ): void {
    const { name, nid, startPfn, endPfn } = range;
    const began = performance.now();
    let mapping: DeviceMapping;
    try {
      mapping = this.memory.memremapPagesAsync(
        { name, type: 'fs-dax', nid, ranges: [{ startPfn, endPfn }] },
        { runner: (own) => poolRunner(this.#threads, own) },
      );
    } catch (error) {
      this.notes.push(`${name}: ${messageOf(error)}`);
      return;
    }
    this.mappings.push(mapping);
    this.#ready.push(
      mapping.ready.then(() => {
        const ms = performance.now() - began;
        this.#reports.push({ nid, startPfn, endPfn, ms });
        log(
          `${name}: memmap_init_zone_device initialised ${endPfn - startPfn} pages in ${Math.round(ms)}ms`,
        );
      }),
    );
  }

  /**
   * Waits until every device page is ready.
   * @returns what was initialised, in order of completion
   */
  async ready(): Promise<readonly DeviceReport[]> {
    await Promise.all(this.#ready);
    return this.#reports;
  }

  /** What is finished so far. */
  get reports(): readonly DeviceReport[] {
    return this.#reports;
  }

  /** Spans of the Device zone by node. */
  zoneSpan(nid: number): { startPfn: number; endPfn: number } | undefined {
    const own = this.mappings.filter((mapping) => mapping.nid === nid).flatMap((one) => one.ranges);
    if (own.length === 0) return undefined;
    return {
      startPfn: Math.min(...own.map((range) => range.startPfn)),
      endPfn: Math.max(...own.map((range) => range.endPfn)),
    };
  }
}

function poolRunner(
  { machine, pool, functions }: DeviceThreads,
  mapping: DeviceMapping,
): RangeJobRunner {
  return {
    run: (job) => {
      const arg: DeviceArg = { machine, init: mapping.handleFor(job.start) };
      return pool.runMultithreaded({
        threadFn: functions.device,
        arg,
        start: job.start,
        size: job.size,
        align: job.align,
        minChunk: job.minChunk,
        maxThreads: job.maxThreads,
        priority: 'low',
        // Units are claimed one by one, as sections are.
        idempotent: true,
      });
    },
  };
}
