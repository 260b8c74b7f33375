/**
 * The figures of one boot that two boots are compared by.
 */
import { isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { lowmemReserve } from '@bootmem/buddy-allocator/zones';
import { MemFlags } from '@bootmem/memblock';
import type { Memblock } from '@bootmem/memblock';
import { fitModel, pointsOf, predictMs } from '../bench/model.js';
import type { ScalingNumbers } from '../bench-result.js';
import { PUBLISHED_MACHINES } from '../bench/published.js';
import { marksOf } from '../check/facts/possible-marks.js';
import { lateFrees, sumOfFrees } from '../check/late-frees.js';
import { addTo, eachPart } from '../check/zone-parts.js';
import type { ZonePages } from '../check/zone-parts.js';
import type { FreeStage, LateFrees } from '../check/late-frees.js';
import type { ByteSpan } from '../explain-result.js';
import { formatMemRange } from '../format/numbers.js';
import { byNode } from '../plan/by-node.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { planPages } from '../plan/init-plan.js';
import { overlapping, toPageFrames } from '../plan/page-frames.js';
import { threadLimits } from '../plan/limits/thread-limits.js';
import type { WhatIfGroup, WhatIfUnit } from '../what-if-result.js';
import { descriptorBytes, NO_DEBUG } from './boot-state.js';
import type { BootState } from './boot-state.js';
import { hugePagesAsked } from './requests/huge-pages.js';
import type { NoModel } from './requests/wishes.js';
import { bounceBytes, needsBounceBuffer } from './rerun/size-rules.js';

/** What a figure rests on: the layout alone, or the state at hand-over too. */
type Basis = 'layout' | 'state' | 'model';

/** A figure of one boot. */
export interface Figure {
  readonly id: string;
  readonly group: WhatIfGroup;
  readonly label: string;
  readonly unit: WhatIfUnit;
  readonly value?: number | string;
  readonly basis: Basis;
  /** Why there is no value. */
  readonly unknown?: string;
  /** What else there is to say. */
  readonly remark?: string;
  readonly ranges?: readonly ByteSpan[];
}

const MAX_ORDER = 10;

/** Bytes of memory from which on a kernel uses transparent huge pages. */
const HUGE_PAGES_FROM = 2 ** 29;

/** What figures depend on besides. */
export interface FigureOptions {
  readonly unmodelled: readonly NoModel[];
  /** Whether the build has transparent huge pages, which raise watermarks. */
  readonly hasHugePages: boolean;
}

/** Everything, in the order of the table. */
export function* figuresOf(
  plan: LayoutPlan,
  state: BootState,
  { unmodelled, hasHugePages }: FigureOptions,
): Steps<Figure[]> {
  const layout = [...memoryFigures(plan), ...nodeFigures(plan)];
  yield;
  const zones = yield* zoneFigures(plan, state, hasHugePages);
  yield;
  const reserved = reservedFigures(plan, state);
  yield;
  const blocks = yield* blockFigures(plan, state);
  yield;
  return [
    ...layout,
    ...zones,
    ...reserved,
    ...unmodelled.map(({ id, label, why }) => ({
      id,
      label,
      group: 'reserved' as const,
      unit: 'text' as const,
      basis: 'state' as const,
      unknown: why,
    })),
    ...blocks,
    ...timeFigures(plan, state),
  ];
}

function memoryFigures(plan: LayoutPlan): Figure[] {
  const present = plan.layout.nodes.reduce((sum, node) => sum + node.presentPages, 0);
  const own = { group: 'memory', basis: 'layout' } as const;
  return [
    {
      ...own,
      id: 'present',
      label: 'memory of the kernel',
      unit: 'bytes',
      value: present * plan.pageSize,
    },
    {
      ...own,
      id: 'end',
      label: 'memory ends at',
      unit: 'bytes',
      value: plan.maxPfn * plan.pageSize,
    },
    {
      ...own,
      id: 'descriptors',
      label: `page descriptors (${plan.memoryModel.toUpperCase()})`,
      unit: 'bytes',
      value: descriptorBytes(plan),
    },
    ...plan.derived.persistent.map(({ start, end }, index) => ({
      ...own,
      id: `device memory ${index}`,
      label: 'device memory',
      unit: 'range' as const,
      value: range(start, end),
    })),
  ];
}

function nodeFigures(plan: LayoutPlan): Figure[] {
  const { pageSize } = plan;
  const own = { group: 'nodes', basis: 'layout' } as const;
  const holes = new Map<string, number>();
  for (const { nid, zone, pages } of plan.holes) {
    const key = `node ${nid} ${zone}`;
    holes.set(key, (holes.get(key) ?? 0) + pages);
  }
  return [
    ...plan.layout.nodes.map((node) => ({
      ...own,
      id: `node ${node.nid} extent`,
      label: `node ${node.nid}`,
      unit: 'range' as const,
      value:
        node.presentPages === 0
          ? 'no memory'
          : range(node.startPfn * pageSize, node.endPfn * pageSize),
    })),
    ...plan.layout.nodes.map((node) => ({
      ...own,
      id: `node ${node.nid} present`,
      label: `node ${node.nid}, memory`,
      unit: 'pages' as const,
      value: node.presentPages,
    })),
    ...[...holes].map(([key, pages]) => ({
      ...own,
      id: `${key} holes`,
      label: `${key}, pages in holes`,
      unit: 'pages' as const,
      value: pages,
    })),
  ];
}

function range(start: number, end: number): string {
  return formatMemRange(start, end).slice(5, -1);
}

/** Pages that are free at the hand-over, by `nid/zone`. */
function* freeByZone(plan: LayoutPlan, { memblock }: BootState): Steps<ZonePages> {
  const pages: ZonePages = new Map();
  const free = toPageFrames([...memblock.freeRanges()], plan.pageSize, 'inward');
  for (const [index, { startPfn, endPfn }] of free.entries()) {
    if (isStep(index)) yield;
    eachPart(plan, startPfn, endPfn, (part) => {
      addTo(pages, part.key, part.endPfn - part.startPfn);
    });
  }
  return pages;
}

/** Managed pages by `nid/zone` once some stages of late frees are over. */
function managedPages(
  free: ZonePages,
  frees: LateFrees,
  stages: readonly FreeStage[],
): Map<string, number> {
  const managed = sumOfFrees(frees, stages);
  for (const [key, pages] of free) addTo(managed, key, pages);
  return managed;
}

const NO_PLACE = 'where something is given back late is not in the log';
const NO_SIZE = 'which of two sizes huge pages have is not in the log without /proc/pagetypeinfo';

function* zoneFigures(plan: LayoutPlan, state: BootState, hasHugePages: boolean): Steps<Figure[]> {
  const zones = plan.layout.nodes.flatMap((node) =>
    node.zones.filter((zone) => zone.spannedPages > 0),
  );
  const frees = lateFrees(plan);
  yield;
  const free = yield* freeByZone(plan, state);
  yield;
  const stages = (names: readonly FreeStage[]): Map<string, number> | undefined =>
    frees === undefined ? undefined : managedPages(free, frees, names);
  const final = stages(['early', 'devices', 'gigantic', 'late']);
  const marks = markFigures(plan, stages, hasHugePages);
  const key = ({ nid, zone }: { nid: number; zone: string }): string => `${nid}/${zone}`;
  const unknown = final === undefined ? { unknown: NO_PLACE } : {};
  const unmarked = marks === undefined ? { unknown: NO_SIZE, ...unknown } : {};
  return zones.flatMap((zone): Figure[] => {
    const name = `node ${zone.nid} ${zone.zone}`;
    const own = { group: 'zones', unit: 'pages' } as const;
    const layout = { ...own, basis: 'layout' } as const;
    const managed = final?.get(key(zone)) ?? 0;
    const mark = marks?.get(key(zone));
    return [
      { ...layout, id: `${name} start`, label: `${name}, first page`, value: zone.startPfn },
      { ...layout, id: `${name} spanned`, label: `${name}, spanned`, value: zone.spannedPages },
      { ...layout, id: `${name} present`, label: `${name}, present`, value: zone.presentPages },
      {
        ...own,
        ...unknown,
        basis: 'state',
        id: `${name} managed`,
        label: `${name}, managed`,
        ...(final === undefined ? {} : { value: managed }),
      },
      ...(managed === 0 && final !== undefined
        ? []
        : [
            {
              ...own,
              ...unmarked,
              basis: 'state' as const,
              unit: 'text' as const,
              id: `${name} marks`,
              label: `${name}, watermarks`,
              ...(mark === undefined ? {} : { value: mark.marks }),
            },
            {
              ...own,
              ...unmarked,
              basis: 'state' as const,
              unit: 'text' as const,
              id: `${name} reserve`,
              label: `${name}, lowmem reserve`,
              ...(mark === undefined ? {} : { value: mark.reserve }),
            },
          ]),
    ];
  });
}

/** Marks and reserves by `nid/zone`, as text. */
function markFigures(
  plan: LayoutPlan,
  managedAfter: (stages: readonly FreeStage[]) => Map<string, number> | undefined,
  hasHugePages: boolean,
): Map<string, { marks: string; reserve: string }> | undefined {
  const zones = plan.layout.nodes.flatMap((node) =>
    node.zones.map(({ nid, zone, presentPages }) => ({ nid, zone, present: presentPages })),
  );
  const at = (stages: readonly FreeStage[]): number[] | undefined => {
    const managed = managedAfter(stages);
    return managed === undefined
      ? undefined
      : zones.map(({ nid, zone }) => managed.get(`${nid}/${zone}`) ?? 0);
  };
  const [setUp, raised, final] = [
    at(['early']),
    at(['early', 'devices', 'gigantic']),
    at(['early', 'devices', 'gigantic', 'late']),
  ];
  const reserved = {
    'marked-pages': setUp,
    'marked-and-gigantic': at(['early', 'gigantic']),
    'managed-pages': final,
  }[plan.kernel.printed.reservesOf];
  const all = marksOf(zones, { setUp, raised }, { plan, profile: plan.kernel.buddy });
  if (all === undefined || reserved === undefined) return undefined;
  // Huge pages are off, and raise nothing, on a machine with too little memory for them.
  const total = raised!.reduce((sum, pages) => sum + pages, 0) * plan.pageSize;
  const isRaised = total >= HUGE_PAGES_FROM && hasHugePages;
  // Which of two sizes huge pages have shows in today's marks alone.
  if (isRaised && all.hugePages.length > 1) return undefined;
  const { marks } = (isRaised ? all.hugePages[0] : undefined) ?? all.plain[0];
  const result = new Map<string, { marks: string; reserve: string }>();
  const indexed = zones.map((zone, index) => ({ nid: zone.nid, zone, index }));
  for (const [nid, own] of byNode(indexed)) {
    const rows = lowmemReserve(
      own.map(({ zone, index }) => ({ zone: zone.zone, managedPages: reserved[index]! })),
    );
    for (const [at_, { zone, index }] of own.entries()) {
      const { min, low, high } = marks[index]!;
      result.set(`${nid}/${zone.zone}`, {
        marks: `${min} ${low} ${high}`,
        reserve: rows[at_]!.join(' '),
      });
    }
  }
  return result;
}

function reservedFigures(
  plan: LayoutPlan,
  { outcomes, description, memblock, nodeData }: BootState,
): Figure[] {
  const own = { group: 'reserved', basis: 'state' } as const;
  const figures: Figure[] = outcomes.map(({ id, label, ranges, asked, each, failed, kind }) => ({
    ...own,
    id,
    label,
    ...(kind === 'huge-pages'
      ? { unit: 'text' as const, value: `${ranges.length} of ${asked / (each ?? 1)}` }
      : {
          unit: 'range' as const,
          value:
            ranges.length === 0
              ? 'none'
              : ranges.map(({ start, end }) => range(start, end)).join(', '),
        }),
    ...(failed === undefined ? {} : { remark: failed }),
    ranges,
  }));
  figures.push(...smallHugePages(plan, memblock));
  if (plan.description.architecture === 'x86_64') {
    const bytes = needsBounceBuffer(plan) ? bounceBytes(plan.description) : 0;
    figures.push({
      ...own,
      basis: 'layout',
      id: 'bounce buffer',
      label: 'bounce buffer (swiotlb)',
      unit: 'bytes',
      value: bytes,
    });
  }
  const { ramdisk } = description.printed;
  if (ramdisk !== undefined) {
    figures.push({
      ...own,
      id: 'initrd',
      label: 'initrd',
      unit: 'range',
      value: range(ramdisk.start, ramdisk.end),
    });
  }
  for (const { nid } of plan.layout.nodes) {
    const place = nodeData?.get(nid);
    if (nodeData !== undefined && place === undefined) continue;
    figures.push({
      ...own,
      id: `node data ${nid}`,
      label: `data of node ${nid}`,
      unit: 'range',
      ...(place === undefined ? { unknown: NO_DEBUG } : { value: range(place.start, place.end) }),
    });
  }
  figures.push({
    ...own,
    id: 'free at hand-over',
    label: 'free at the hand-over',
    unit: 'bytes',
    value: freeBytes(memblock),
  });
  return figures;
}

/** Huge pages that the page allocator makes later: no early memory is kept for them. */
function smallHugePages(plan: LayoutPlan, memblock: Memblock): Figure[] {
  const free = freeBytes(memblock);
  return hugePagesAsked(plan.description)
    .filter(({ pageBytes }) => pageBytes <= 2 ** MAX_ORDER * plan.pageSize)
    .map(({ pageBytes, count, perNode }) => {
      const pages = count ?? (perNode ?? []).reduce((sum, one) => sum + one.count, 0);
      const most = Math.floor(free / pageBytes);
      const mib = pageBytes / 2 ** 20;
      return {
        id: `huge pages ${mib} MiB`,
        group: 'reserved',
        basis: 'model',
        label: `huge pages of ${mib} MiB`,
        unit: 'text',
        value: `${pages} asked`,
        remark: `made by the page allocator after the hand-over, of what is free then; at most ${most} fit`,
      };
    });
}

function freeBytes(memblock: Memblock): number {
  return [...memblock.freeRanges()].reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Largest free blocks at the hand-over: what a gigantic or huge page can be made of before anything runs. */
function* blockFigures(plan: LayoutPlan, { memblock }: BootState): Steps<Figure[]> {
  const counts = new Map(plan.memory.map(({ nid }) => [nid, new Map<number, number>()]));
  const free = toPageFrames(
    [...memblock.freeRanges({ flags: MemFlags.NONE })],
    plan.pageSize,
    'inward',
  );
  for (const [index, { startPfn, endPfn }] of free.entries()) {
    if (isStep(index)) yield;
    for (const { nid, startPfn: low, endPfn: high } of overlapping(plan.memory, startPfn, endPfn)) {
      const own = counts.get(nid)!;
      const [from, to] = [Math.max(startPfn, low), Math.min(endPfn, high)];
      const whole = (order: number): number =>
        Math.max(0, Math.floor(to / 2 ** order) - Math.ceil(from / 2 ** order));
      const large = whole(MAX_ORDER);
      own.set(MAX_ORDER, (own.get(MAX_ORDER) ?? 0) + large);
      // Two of the next order lie in each of the largest.
      own.set(MAX_ORDER - 1, (own.get(MAX_ORDER - 1) ?? 0) + whole(MAX_ORDER - 1) - 2 * large);
    }
  }
  return [...counts].flatMap(([nid, own]) =>
    [MAX_ORDER, MAX_ORDER - 1].map((order) => ({
      group: 'pages' as const,
      basis: 'state' as const,
      id: `node ${nid} order ${order}`,
      label: `node ${nid}, free blocks of order ${order} (${(2 ** order * plan.pageSize) / 2 ** 20} MiB)`,
      unit: 'blocks' as const,
      value: own.get(order) ?? 0,
    })),
  );
}

/** Fitted to the published machines, once. */
let published: ScalingNumbers | undefined;

/** Time of deferred initialisation by the model of published machines; the slowest node decides. */
function timeFigures(plan: LayoutPlan, { memblock }: BootState): Figure[] {
  published ??= fitModel(PUBLISHED_MACHINES.flatMap(pointsOf));
  const model = published;
  const limits = threadLimits(plan, 'architecture');
  const times = planPages(plan, memblock, true).nodes.map(({ nid, deferredRanges }) => {
    const pages = deferredRanges.reduce((sum, { startPfn, endPfn }) => sum + endPfn - startPfn, 0);
    const threads = limits.of(nid);
    return pages === 0 ? 0 : predictMs(model, { pages, threads, cpus: threads });
  });
  return [
    {
      group: 'time',
      basis: 'model',
      id: 'deferred',
      label: 'deferred initialisation, by the model',
      unit: 'ms',
      value: Math.round(Math.max(0, ...times) * 10) / 10,
    },
  ];
}
