/**
 * What a boot was like, in the stable JSON form: read from the parts of a machine, whenever it is asked for.
 */
import { findingsOf } from '../findings/find.js';
import { formatBuddyinfo } from '@bootmem/buddy-allocator/reports';
import { ZoneWord } from '@bootmem/buddy-allocator/machine';
import type { NamedZone, PageAllocator } from '@bootmem/buddy-allocator/machine';
import type { MachineDescription } from '@bootmem/firmware-map';
import { MIGRATETYPE_NAMES } from '@bootmem/memmap';
import type { DeferredResult } from '@bootmem/page-init';
import type {
  AcceptMode,
  BootReport,
  ChunkReport,
  InitMode,
  NodeReport,
  PredictionReport,
  ThreadReport,
  UnacceptedReport,
  ZoneReport,
} from '../result.js';
import { acceptedUnits } from './acceptance.js';
import type { Assembly } from './assemble.js';
import type { DeferredPass } from './deferred.js';
import type { Devices } from './devices.js';
import type { BootLog } from './log-lines.js';

/** Everything a boot hands to its machine, and a report is read from. */
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
    readonly profile: string;
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
  readonly deferred: DeferredResult | undefined;
  /** On a machine that is too large to be brought up as a whole. */
  readonly predicted: PredictionReport | undefined;
  readonly devices: Devices;
}

/** How many units were accepted at a moment of the boot. */
export type AcceptedPoint = UnacceptedReport['timeline'][number];

/**
 * The text of /proc/buddyinfo now.
 * @param allocator  the boot thread's; its cache is emptied first
 */
export function buddyinfoText(allocator: PageAllocator): string {
  allocator.drain();
  return formatBuddyinfo(
    populatedZones(allocator).map(({ nid, zone, core }) => ({
      nid,
      zone,
      free: core.freeBlocks(),
    })),
  );
}

/**
 * Everything in the stable JSON form.
 * @param parts     of a machine that is up
 * @param accepted  how acceptance went so far, by time; the zero at the start left out
 */
export function bootReport(parts: MachineParts, accepted: readonly AcceptedPoint[]): BootReport {
  const { assembly, options, timing, log, notes, devices, source, deferred } = parts;
  const { plan, allocator } = assembly;
  const buddyinfo = buddyinfoText(allocator);
  const initialisedPages = initialised(parts);
  const initMs = timing.earlyMs + timing.deferredMs;
  const unaccepted = unacceptedReport(parts, accepted);
  return {
    schema: 'bootmem/boot',
    version: 1,
    source,
    kernel: plan.description.kernel?.release ?? 'unknown',
    options,
    machine: machineFigures(assembly),
    firmwareMap: plan.description.firmware.map.map(({ start, end, text }) => ({
      start,
      end,
      kind: text,
    })),
    earlyRanges: plan.memory.map(({ nid, startPfn, endPfn }) => ({ nid, startPfn, endPfn })),
    holes: plan.holes.map(({ nid, zone, pages }) => ({ nid, zone, pages })),
    nodes: nodeReports(assembly, deferred),
    zones: [
      ...zonesWithMemory(allocator).map((zone) => zoneReport(assembly, zone)),
      ...deviceZones(parts),
    ],
    buddyinfo,
    timing: {
      ...timing,
      initialisedPages,
      pagesPerSecond: initMs > 0 ? (initialisedPages / initMs) * 1000 : 0,
    },
    threads: threadReports(options.threads, deferred, parts.pass.hostNodes),
    chunks: chunkReports(parts),
    devices: devices.reports,
    ...(unaccepted === undefined ? {} : { unaccepted }),
    ...(options.mode === 'on-demand' ? { growth: growth(parts) } : {}),
    ...(parts.predicted === undefined ? {} : { predicted: parts.predicted }),
    log: [...log.lines],
    findings: findingsOf(assembly.plan),
    notes,
  };
}

function machineFigures({ plan, memmap }: Assembly): BootReport['machine'] {
  const present = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
  const descriptorBytes = memmap.overheadBytesPerPage();
  return {
    memoryBytes: present * plan.pageSize,
    nodeCount: plan.layout.nodes.length,
    cpuCount: cpuCount(plan.description),
    descriptorBytes: Math.round(descriptorBytes * present),
    sharedBytes: Math.round(descriptorBytes * memmap.usage().sections * plan.pagesPerSection),
  };
}

/** Processors, from whichever line counts them. */
function cpuCount(description: MachineDescription): number {
  const { cpus, numa } = description;
  return cpus.online ?? cpus.present ?? cpus.possible ?? numa.cpus.length;
}

/** Descriptors that were initialised so far. */
function initialised(parts: MachineParts): number {
  const { early, reserved, unavailable, deferred } = parts.assembly.pages.pages;
  const later = parts.options.mode === 'eager' ? 0 : deferred - leftPages(parts);
  return early + reserved + unavailable + later;
}

/** Deferred pages that nobody has initialised yet. */
function leftPages({ assembly, pass }: MachineParts): number {
  const done = pass.nodes.reduce((sum, node) => sum + node.counts().pages, 0);
  return assembly.pages.pages.deferred - done;
}

function growth(parts: MachineParts): NonNullable<BootReport['growth']> {
  const counts = parts.pass.nodes.map((node) => node.counts());
  return {
    grows: counts.reduce((sum, count) => sum + count.growCalls - count.growWaits, 0),
    pages: counts.reduce((sum, count) => sum + count.grownPages, 0),
    leftPages: leftPages(parts),
  };
}

function nodeReports(
  { plan, pages }: Assembly,
  deferred: DeferredResult | undefined,
): NodeReport[] {
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

function populatedZones(allocator: PageAllocator): NamedZone[] {
  return allocator.zones.filter(({ core }) => core.get(ZoneWord.PRESENT) > 0);
}

/** Also those that manage pages and count none as present; device memory is neither. */
function zonesWithMemory(allocator: PageAllocator): NamedZone[] {
  return allocator.zones.filter(
    ({ core }) => core.get(ZoneWord.PRESENT) > 0 || core.managedPages > 0,
  );
}

function zoneReport({ plan }: Assembly, { nid, zone, core }: NamedZone): ZoneReport {
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
function deviceZones({ assembly, devices }: MachineParts): ZoneReport[] {
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

function threadReports(
  count: number,
  deferred: DeferredResult | undefined,
  hostNodes: readonly number[] | undefined,
): ThreadReport[] {
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
    for (let thread = 0; thread < count; thread++) {
      if (!threads.has(thread)) threads.set(thread, { pages: 0, chunks: 0, busyMs: 0 });
    }
  }
  const total = [...threads.values()].reduce((sum, one) => sum + one.pages, 0);
  return [...threads]
    .sort(([left], [right]) => left - right)
    .map(([thread, one]) => {
      const hostNode = hostNodes?.[thread - 1];
      return {
        thread,
        ...one,
        share: total === 0 ? 0 : one.pages / total,
        ...(hostNode === undefined ? {} : { hostNode }),
      };
    });
}

/** Chunks with threads numbered from 0 in the order of their ids; the calling thread is 0. */
function chunkReports({ pass, clock }: MachineParts): ChunkReport[] {
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

function unacceptedReport(
  { assembly: { acceptance } }: MachineParts,
  accepted: readonly AcceptedPoint[],
): UnacceptedReport | undefined {
  if (acceptance === undefined) return undefined;
  return {
    unitBytes: acceptance.unitBytes,
    totalUnits: acceptance.totalUnits,
    acceptedUnits: acceptedUnits(acceptance),
    timeline: [{ ms: 0, acceptedUnits: 0 }, ...accepted],
  };
}
