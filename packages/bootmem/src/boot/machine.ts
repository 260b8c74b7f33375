/**
 * A machine whose memory is up: typed access to everything that was built, a report, and disposal.
 */
import { formatBuddyinfo, ZoneWord } from '@bootmem/buddy-allocator';
import type { AllocOptions, NamedZone, PageAllocator } from '@bootmem/buddy-allocator';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Memblock } from '@bootmem/memblock';
import { MIGRATETYPE_NAMES } from '@bootmem/memmap';
import type { Memmap } from '@bootmem/memmap';
import type { DeferredResult, EarlyResult } from '@bootmem/page-init';
import { BootmemError } from '../errors.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import type {
  AcceptMode,
  BootReport,
  ChunkReport,
  DeviceReport,
  InitMode,
  NodeReport,
  ProfileName,
  ThreadReport,
  UnacceptedReport,
  ZoneReport,
} from '../result.js';
import type { Assembly } from './assemble.js';
import type { DeferredPass } from './deferred.js';
import type { Devices } from './devices.js';
import type { BootLog } from './log-lines.js';

/** Everything a boot hands to its machine. */
export interface MachineParts {
  readonly assembly: Assembly;
  readonly pass: DeferredPass;
  readonly log: BootLog;
  /** Start on `performance.now()`, and the same moment on the clock all threads share. */
  readonly clock: { readonly start: number; readonly epoch: number };
  readonly options: {
    readonly threads: number;
    readonly mode: InitMode;
    readonly accept: AcceptMode;
    readonly profile: ProfileName;
  };
  readonly source: string;
  readonly notes: readonly string[];
  readonly timing: {
    readonly firstAllocationMs: number;
    readonly earlyMs: number;
    readonly deferredMs: number;
    readonly totalMs: number;
    readonly threadStartMs: number;
  };
  readonly early: EarlyResult;
  readonly deferred: DeferredResult | undefined;
  readonly devices: Devices;
}

/** A machine whose memory is up. */
export class Machine implements AsyncDisposable {
  readonly #parts: MachineParts;
  readonly #timeline: { ms: number; acceptedUnits: number }[] = [];
  #disposed = false;

  /** Made by `bootMemory`. */
  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#sample(parts.timing.totalMs);
  }

  /** What was booted. */
  get description(): MachineDescription {
    return this.#parts.assembly.plan.description;
  }

  /** Zones, memory ranges, holes. */
  get plan(): LayoutPlan {
    return this.#parts.assembly.plan;
  }

  /** memblock as it was at hand-over. */
  get memblock(): Memblock {
    return this.#parts.assembly.handover.memblock;
  }

  /** Page descriptors. */
  get memmap(): Memmap {
    return this.#parts.assembly.memmap;
  }

  /** The page allocator, as the calling thread sees it. */
  get allocator(): PageAllocator {
    return this.#parts.assembly.allocator;
  }

  /** Device memory: mappings, and a way to wait for just some pages. */
  get devices(): Devices {
    return this.#parts.devices;
  }

  /**
   * Waits until all device memory of the map is initialised.
   * @returns what was initialised; empty on a machine without persistent memory
   */
  devicesReady(): Promise<readonly DeviceReport[]> {
    return this.#parts.devices.ready();
  }

  /** Log lines so far. */
  get log(): readonly string[] {
    return this.#parts.log.lines;
  }

  /**
   * Allocates `2 ** order` pages.
   * @returns the first page frame, `undefined` when no zone can serve it
   * @throws BootmemError ERR_BOOTMEM_DISPOSED after disposal
   */
  allocPages(order: number, options: AllocOptions = {}): number | undefined {
    this.#check();
    const pfn = this.allocator.allocPages(order, options);
    this.#sample(performance.now() - this.#parts.clock.start);
    return pfn;
  }

  /** Frees a block that {@link allocPages} gave. */
  freePages(pfn: number, order: number): void {
    this.#check();
    this.allocator.freePages(pfn, order);
  }

  /** The text of /proc/buddyinfo now. */
  buddyinfo(): string {
    this.allocator.drain();
    return formatBuddyinfo(
      this.#zones().map(({ nid, zone, core }) => ({ nid, zone, free: core.freeBlocks() })),
    );
  }

  /** Everything in the stable JSON form. */
  report(): BootReport {
    this.#check();
    const { assembly, options, timing, log, notes, devices, source, deferred } = this.#parts;
    const { plan, memmap } = assembly;
    const buddyinfo = this.buddyinfo();
    const grown = assembly.pages.pages.deferred - this.#leftPages();
    const initialised =
      assembly.pages.pages.early +
      assembly.pages.pages.reserved +
      assembly.pages.pages.unavailable +
      (options.mode === 'eager' ? 0 : grown);
    const initMs = timing.earlyMs + timing.deferredMs;
    const present = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
    const unaccepted = this.#unaccepted();
    return {
      schema: 'bootmem/boot',
      version: 1,
      source,
      kernel: plan.description.kernel?.release ?? 'unknown',
      options,
      machine: {
        memoryBytes: present * plan.pageSize,
        nodeCount: plan.layout.nodes.length,
        cpuCount: cpuCount(plan.description),
        descriptorBytes: Math.round(memmap.overheadBytesPerPage() * present),
        sharedBytes: Math.round(
          memmap.overheadBytesPerPage() * memmap.usage().sections * plan.pagesPerSection,
        ),
      },
      firmwareMap: plan.description.firmware.map.map(({ start, end, text }) => ({
        start,
        end,
        kind: text,
      })),
      earlyRanges: plan.memory.map(({ nid, startPfn, endPfn }) => ({ nid, startPfn, endPfn })),
      holes: plan.holes.map(({ nid, zone, pages }) => ({ nid, zone, pages })),
      nodes: this.#nodes(deferred),
      zones: [...this.#zones().map((zone) => this.#zone(zone)), ...this.#deviceZones()],
      buddyinfo,
      timing: {
        ...timing,
        initialisedPages: initialised,
        pagesPerSecond: initMs > 0 ? (initialised / initMs) * 1000 : 0,
      },
      threads: this.#threads(deferred),
      chunks: this.#chunks(),
      devices: devices.reports,
      ...(unaccepted === undefined ? {} : { unaccepted }),
      ...(options.mode === 'on-demand' ? { growth: this.#growth() } : {}),
      log: [...log.lines],
      notes,
    };
  }

  /** Ends the threads and lets the shared memory go. Idempotent. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#parts.devices.ready().catch(() => undefined);
    await this.#parts.pass.close();
    this.allocator.close();
  }

  /** The same as {@link dispose}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #check(): void {
    if (this.#disposed) {
      throw new BootmemError('ERR_BOOTMEM_DISPOSED', 'the machine was disposed of');
    }
  }

  #zones(): NamedZone[] {
    return this.allocator.zones.filter(({ core }) => core.get(ZoneWord.PRESENT) > 0);
  }

  #zone({ nid, zone, core }: NamedZone): ZoneReport {
    const { plan } = this.#parts.assembly;
    const span = plan.layout.nodes
      .find((node) => node.nid === nid)
      ?.zones.find((candidate) => candidate.zone === zone);
    const unacceptedPages = core.get(ZoneWord.UNACCEPTED);
    const byType: Record<string, number[]> = {};
    for (const [type, name] of MIGRATETYPE_NAMES.entries()) {
      const counts = Array.from({ length: core.maxOrder + 1 }, (_, order) =>
        core.area.count(order, type),
      );
      if (counts.some((count) => count > 0)) byType[name] = counts;
    }
    return {
      nid,
      name: zone,
      startPfn: span?.startPfn ?? 0,
      spannedPages: span?.spannedPages ?? 0,
      presentPages: span?.presentPages ?? 0,
      managedPages: core.managedPages,
      freePages: core.freePages - unacceptedPages,
      unacceptedPages,
      min: core.get(ZoneWord.MARK_MIN),
      low: core.get(ZoneWord.MARK_LOW),
      high: core.get(ZoneWord.MARK_HIGH),
      protection: plan.layout.limits.map((_, index) => core.get(ZoneWord.RESERVE + index)),
      freeBlocks: core.freeBlocks(),
      freeBlocksByType: byType,
    };
  }

  /** The Device zone of each node that has one: spanned, never present or managed. */
  #deviceZones(): ZoneReport[] {
    const { assembly, devices } = this.#parts;
    return assembly.plan.layout.nodes.flatMap(({ nid }) => {
      const span = devices.zoneSpan(nid);
      if (span === undefined) return [];
      return [
        {
          nid,
          name: 'Device',
          startPfn: span.startPfn,
          spannedPages: span.endPfn - span.startPfn,
          presentPages: 0,
          managedPages: 0,
          freePages: 0,
          unacceptedPages: 0,
          min: 0,
          low: 0,
          high: 0,
          protection: assembly.plan.layout.limits.map(() => 0),
          freeBlocks: [],
          freeBlocksByType: {},
        },
      ];
    });
  }

  #nodes(deferred: DeferredResult | undefined): NodeReport[] {
    const { plan, pages } = this.#parts.assembly;
    return plan.layout.nodes.map((node) => {
      const first = pages.nodes.find((candidate) => candidate.nid === node.nid)?.firstDeferredPfn;
      const ms = deferred?.nodes.find((candidate) => candidate.nid === node.nid)?.ms;
      return {
        nid: node.nid,
        startPfn: node.startPfn,
        spannedPages: node.endPfn - node.startPfn,
        presentPages: node.presentPages,
        ...(first === undefined ? {} : { firstDeferredPfn: first }),
        ...(ms === undefined ? {} : { deferredMs: ms }),
      };
    });
  }

  #threads(deferred: DeferredResult | undefined): ThreadReport[] {
    const threads = new Map<number, { pages: number; chunks: number; busyMs: number }>();
    for (const node of deferred?.nodes ?? []) {
      for (const { worker, units, chunks, ms } of node.workers) {
        const one = threads.get(worker) ?? { pages: 0, chunks: 0, busyMs: 0 };
        threads.set(worker, {
          pages: one.pages + units,
          chunks: one.chunks + chunks,
          busyMs: one.busyMs + ms,
        });
      }
    }
    if (deferred !== undefined && deferred.nodes.length > 0) {
      // A thread that found nothing left to do is worth seeing too.
      for (let thread = 0; thread < this.#parts.options.threads; thread++) {
        if (!threads.has(thread)) threads.set(thread, { pages: 0, chunks: 0, busyMs: 0 });
      }
    }
    const total = [...threads.values()].reduce((sum, one) => sum + one.pages, 0);
    return [...threads]
      .sort(([left], [right]) => left - right)
      .map(([thread, one]) => ({ thread, ...one, share: total === 0 ? 0 : one.pages / total }));
  }

  /** Chunks with threads numbered from 0 in the order of their ids; the calling thread is 0. */
  #chunks(): ChunkReport[] {
    const { pass, clock } = this.#parts;
    const records = pass.log.read();
    const ids = [...new Set(records.map((record) => record.thread))].sort((a, b) => a - b);
    const number = new Map(ids.map((id, index) => [id, index]));
    return records.map((record) => ({
      ...record,
      thread: number.get(record.thread) ?? 0,
      startMs: record.startMs - clock.epoch,
      endMs: record.endMs - clock.epoch,
    }));
  }

  #leftPages(): number {
    const { pages } = this.#parts.assembly;
    const done = this.#parts.pass.nodes.reduce((sum, node) => sum + node.counts().pages, 0);
    return pages.pages.deferred - done;
  }

  #growth(): { grows: number; pages: number; leftPages: number } {
    const counts = this.#parts.pass.nodes.map((node) => node.counts());
    return {
      grows: counts.reduce((sum, count) => sum + count.growCalls - count.growWaits, 0),
      pages: counts.reduce((sum, count) => sum + count.grownPages, 0),
      leftPages: this.#leftPages(),
    };
  }

  #sample(ms: number): void {
    const units = this.#acceptedUnits();
    if (units === undefined || this.#timeline.at(-1)?.acceptedUnits === units) return;
    this.#timeline.push({ ms, acceptedUnits: units });
  }

  #acceptedUnits(): number | undefined {
    const { acceptance } = this.#parts.assembly;
    if (acceptance === undefined) return undefined;
    const left = Math.ceil(acceptance.memory.unacceptedBytes() / acceptance.unitBytes);
    return acceptance.totalUnits - left;
  }

  #unaccepted(): UnacceptedReport | undefined {
    const { acceptance } = this.#parts.assembly;
    const accepted = this.#acceptedUnits();
    if (acceptance === undefined || accepted === undefined) return undefined;
    return {
      unitBytes: acceptance.unitBytes,
      totalUnits: acceptance.totalUnits,
      acceptedUnits: accepted,
      timeline: [{ ms: 0, acceptedUnits: 0 }, ...this.#timeline],
    };
  }
}

/** Processors, from whichever line counts them. */
function cpuCount(description: MachineDescription): number {
  const { cpus, numa } = description;
  return cpus.online ?? cpus.present ?? cpus.possible ?? numa.cpus.length;
}
