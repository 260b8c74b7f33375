/**
 * Turns a draft into a description: page numbers become bytes, the architecture is decided, and the whole is judged
 * once (does it say anything about memory? do its parts contradict each other?).
 */
import { DEFAULT_PAGE_SIZE, PAGE_SIZES, PHYS_ADDR_MAX } from '../base/constants.js';
import { sorted } from '../base/sort-steps.js';
import { isStep } from '../base/steps.js';
import { areRegions } from '../base/regions.js';
import type { Steps } from '../base/steps.js';
import type { Writable } from '../base/writable.js';
import type { Draft, ZoneinfoDraft } from '../records/draft.js';
import { parseMemoryOptions } from '../options/memory-options.js';
import type {
  Architecture,
  DescriptionSource,
  EarlyRange,
  MachineDescription,
  MapEntry,
  MemblockDump,
  MemoryLine,
  ProcFiles,
  SourceFormat,
  ZoneRange,
} from '../types/all.js';

/** Facts about the input that the draft does not hold. */
type SourceFacts = Omit<DescriptionSource, 'format'> & { format?: SourceFormat };

/** The description that a draft holds. */
export function* finishDraft(draft: Draft, source: SourceFacts): Steps<MachineDescription> {
  const architecture = architectureOf(draft);
  const pageSize = draft.pageSize ?? pageSizeOfFiles(draft) ?? ONLY_PAGE_SIZE[architecture ?? ''];
  const parsed = parseMemoryOptions(draft.commandLine?.text ?? '', draft.commandLine?.line ?? 0);
  draft.problems.addAll(parsed.problems);
  yield;
  const zoneRanges = zoneRangesOf(draft, pageSize ?? DEFAULT_PAGE_SIZE);
  const earlyRanges = earlyRangesOf(draft, pageSize ?? DEFAULT_PAGE_SIZE);
  yield;
  yield* reportOverlaps(draft, 'firmware map', mapProvider(draft.map));
  yield* reportOverlaps(draft, 'early node ranges', earlyRanges);
  yield;
  reportDumps(draft);
  const dumps = dumpsOf(draft);
  yield;
  return {
    schema: 'bootmem/machine-description',
    version: 1,
    source: { format: formatOf(draft), ...source },
    ...optional('architecture', architecture),
    ...optional('pageSize', pageSize),
    ...optional('kernel', draft.kernel),
    ...optional('commandLine', draft.commandLine),
    ...optional('machine', draft.machine),
    options: parsed.options,
    cpus: draft.cpus,
    firmware: {
      map: draft.map,
      user: draft.user,
      modified: draft.modified,
      setupData: draft.setupData,
      edits: draft.edits,
      efi: draft.efi,
      unaccepted: draft.unaccepted,
      ...(draft.deviceTree.length === 0 ? {} : { deviceTree: draft.deviceTree }),
      ...(draft.banks.length === 0 ? {} : { banks: draft.banks }),
    },
    numa: {
      srat: draft.srat,
      cpus: draft.cpuAffinity,
      merges: draft.merges,
      nodeData: draft.nodeData,
      faked: draft.faked,
      blocks: draft.blocks,
      ...optional('single', draft.single),
      ...optional('distances', distancesOf(draft)),
      ...optional('slit', draft.slit),
      ...optional('distanceCount', draft.distanceCount),
      ...optional('rejected', draft.rejected),
    },
    printed: {
      zoneRanges,
      movableStarts: draft.movableStarts,
      earlyRanges,
      nodeSetups: draft.nodeSetups,
      unavailable: draft.unavailable,
      nodePages: draft.nodePages,
      fallbackOrders: draft.fallbackOrders,
      ...optional('policyZone', draft.policyZone),
      ...optional('zonelists', draft.zonelists),
      zonelistOrders: draft.zonelistOrders,
      memmapInit: draft.memmapInit,
      ...optional('memory', memoryOf(draft)),
      deferred: draft.deferred,
      deviceInit: draft.deviceInit,
      freeing: draft.freeing,
      hugetlb: draft.hugetlb,
      ...(draft.cma.length === 0 ? {} : { cma: draft.cma }),
      ...(draft.uses.length === 0 ? {} : { uses: draft.uses }),
      ...(draft.failures.length === 0 ? {} : { failures: draft.failures }),
      ...optional('blockSize', draft.blockSize),
      ...optional('lowmem', draft.lowmem),
      ...optional('ramdisk', draft.ramdisk),
      crashkernel: draft.crashkernel,
      lastPfns: draft.lastPfns,
      acpiTables: draft.acpiTables,
    },
    memblock: { dumps, operations: draft.operations },
    proc: procOf(draft),
    problems: draft.problems.list(),
  };
}

/** Whether the draft holds anything that says where memory is, or what became of it. */
export function saysAnything(draft: Draft): boolean {
  return (
    saysWhereMemoryIs(draft) ||
    [
      draft.zoneinfo,
      draft.buddyinfo,
      draft.pagetypeFree,
      draft.sysfsNodes,
      draft.keptMemblock.memory,
    ].some((list) => list.length > 0) ||
    draft.meminfo.size > 0
  );
}

/** Whether the draft holds any form of memory map. */
export function saysWhereMemoryIs(draft: Draft): boolean {
  return (
    [
      draft.map,
      draft.user,
      draft.modified,
      draft.setupData,
      draft.earlyRanges,
      draft.earlyPfns,
      draft.efi,
      draft.banks,
      draft.iomem,
      draft.firmwareMemmap,
    ].some((list) => list.length > 0) || draft.dumps.some((dump) => dump.memory.length > 0)
  );
}

/**
 * Whether a draft without a banner may be the beginning of the boot whose banner comes next: some architectures (ppc64)
 * fill memblock before they say who they are. Whatever comes after the banner everywhere must not be in it.
 */
export function isBeforeBanner(draft: Draft): boolean {
  const saysMore =
    draft.kernel !== undefined ||
    draft.commandLine !== undefined ||
    draft.memory !== undefined ||
    draft.meminfo.size > 0 ||
    [draft.map, draft.efi, draft.iomem, draft.zoneRanges, draft.earlyRanges, draft.freeing].some(
      (list) => list.length > 0,
    );
  return !saysMore && draft.dumps.length + draft.operations.length > 0;
}

function optional<K extends string, V>(
  key: K,
  value: V | undefined,
): Readonly<Partial<Record<K, V>>> {
  return (value === undefined ? {} : { [key]: value }) as Readonly<Partial<Record<K, V>>>;
}

function formatOf(draft: Draft): SourceFormat {
  if (draft.kernel !== undefined || draft.map.length > 0 || draft.earlyRanges.length > 0) {
    return 'boot-log';
  }
  if (draft.iomem.length > 0) return 'iomem';
  if (draft.firmwareMemmap.length > 0) return 'firmware-memmap';
  if (draft.zoneinfo.length > 0) return 'zoneinfo';
  if (draft.pagetypeFree.length > 0) return 'pagetypeinfo';
  if (draft.buddyinfo.length > 0) return 'buddyinfo';
  if (draft.sysfsNodes.length > 0) return 'nodes';
  if (draft.meminfo.size > 0) return 'meminfo';
  return 'boot-log';
}

/**
 * The architecture: what has most signs. Only x86 has an e820 map, HighMem under such a map only i386; a machine
 * without any sign has no architecture, and nobody may take it for x86.
 */
function architectureOf(draft: Draft): Architecture | undefined {
  const votes = draft.architectureVotes;
  if (hasE820(draft)) {
    const isI386 = (votes.get('i386') ?? 0) > (votes.get('x86_64') ?? 0);
    return isI386 || draft.zoneRanges.some(({ zone }) => zone === 'HighMem') ? 'i386' : 'x86_64';
  }
  let best: Architecture | undefined;
  let most = 0;
  for (const [architecture, count] of votes) {
    if (count > most) [best, most] = [architecture, count];
  }
  if (best !== undefined) return best;
  if (hasIsaZone(draft)) return 'x86_64';
  return draft.zoneinfo.some(isIsaZone) ? x86OfZoneinfo(draft) : undefined;
}

function isIsaZone(zone: ZoneinfoDraft): boolean {
  const start = Number(zone['startPfn'] ?? 0);
  return zone.zone === 'DMA' && start > 0 && start + Number(zone['spanned'] ?? 0) === 4096;
}

function x86OfZoneinfo({ zoneinfo }: Draft): Architecture {
  return zoneinfo.some(({ zone }) => zone === 'HighMem') ? 'i386' : 'x86_64';
}

function hasE820(draft: Draft): boolean {
  return [draft.map, draft.user, draft.modified, draft.setupData, draft.edits].some(
    (list) => list.length > 0,
  );
}

// A zone for 24-bit devices that leaves out the first page: x86 alone, with DMA32 above it x86-64.
function hasIsaZone(draft: Draft): boolean {
  const isa = draft.zoneRanges.find(({ zone }) => zone === 'DMA')?.range;
  return (
    isa !== undefined &&
    isa.start > 0 &&
    isa.end === 2 ** 24 &&
    draft.zoneRanges.some(({ zone }) => zone === 'DMA32')
  );
}

/** Architectures whose pages have one size, and not the usual one. */
const ONLY_PAGE_SIZE: Readonly<Record<string, number>> = { sparc64: 8192, alpha: 8192 };

// `MemTotal` counts in KiB what the zones of zoneinfo count in pages.
function pageSizeOfFiles(draft: Draft): number | undefined {
  const totalKb = draft.meminfo.get('MemTotal');
  const pages = draft.zoneinfo.reduce((sum, zone) => sum + Number(zone['managed'] ?? 0), 0);
  if (totalKb === undefined || pages === 0) return undefined;
  return PAGE_SIZES.find((size) => Math.abs((totalKb * 1024) / pages / size - 1) < 0.1);
}

function inBytes(
  range: { startPfn: number; endPfn: number },
  pageSize: number,
): { start: number; end: number } {
  return {
    start: Math.min(range.startPfn * pageSize, PHYS_ADDR_MAX),
    end: Math.min(range.endPfn * pageSize, PHYS_ADDR_MAX),
  };
}

function zoneRangesOf(draft: Draft, pageSize: number): ZoneRange[] {
  const old = draft.zonePfns.map(({ zone, line, ...pfns }) => {
    const range = inBytes(pfns, pageSize);
    return range.start < range.end ? { zone, range, line } : { zone, line };
  });
  return [...draft.zoneRanges, ...old];
}

function earlyRangesOf(draft: Draft, pageSize: number): EarlyRange[] {
  const old = draft.earlyPfns.map(({ nid, line, ...pfns }) => ({
    nid,
    ...inBytes(pfns, pageSize),
    line,
  }));
  return [...draft.earlyRanges, ...old.filter(({ start, end }) => start < end)];
}

// Entries of the first provider: a second one (Xen prints two maps) repeats the same memory.
function mapProvider(map: readonly MapEntry[]): readonly MapEntry[] {
  return map.filter((entry) => entry.provider === map[0]!.provider && entry.kind !== 'gap');
}

function* reportOverlaps(
  draft: Draft,
  what: string,
  ranges: readonly { start: number; end: number; line: number }[],
): Steps<void> {
  const order = yield* sorted(ranges, (a, b) => a.start - b.start || a.end - b.end);
  for (let index = 1; index < order.length; index++) {
    if (isStep(index)) yield;
    const [before, range] = [order[index - 1]!, order[index]!];
    if (range.start >= before.end) continue;
    const isRepeat = range.start === before.start && range.end === before.end;
    const message = `${what}: 0x${range.start.toString(16)}-0x${range.end.toString(
      16,
    )} overlaps the range of line ${before.line}`;
    draft.problems.warn(isRepeat ? 'DUPLICATE_LINE' : 'OVERLAP', range.line, message);
  }
}

function reportDumps(draft: Draft): void {
  for (const dump of draft.dumps) {
    for (const list of ['memory', 'reserved', 'physmem'] as const) {
      if (!areRegions(dump[list])) {
        const message = `${list} regions of the dump are out of order or overlap`;
        draft.problems.warn('INCOMPLETE_DUMP', dump.line, message);
      }
      const announced = dump.counts[list];
      if (announced === undefined || announced === dump[list].length) continue;
      const message = `the dump announces ${announced} ${list} regions, ${dump[list].length} were found`;
      draft.problems.warn('INCOMPLETE_DUMP', dump.line, message);
    }
  }
}

function dumpsOf(draft: Draft): MemblockDump[] {
  return draft.dumps.map((dump) => ({
    ...dump,
    complete:
      dump.memory.length > 0 &&
      (['memory', 'reserved'] as const).every(
        (list) => dump.counts[list] === dump[list].length && areRegions(dump[list]),
      ),
  }));
}

function memoryOf(draft: Draft): MemoryLine | undefined {
  if (draft.memory === undefined || draft.deferred.length > 0) return draft.memory;
  // Without deferred lines, "before the first of them" means nothing.
  const line: Writable<MemoryLine> = { ...draft.memory };
  delete line.beforeDeferred;
  return line;
}

function distancesOf(draft: Draft): number[][] | undefined {
  const rows = draft.sysfsNodes.filter((node) => node.distances.length > 0);
  return rows.length === 0 ? undefined : rows.map((node) => node.distances);
}

/** Lists that were kept, unless they are none. */
function hasKeptMemblock({ keptMemblock: { memory, reserved } }: Draft): boolean {
  return memory.length > 0 && areRegions(memory) && areRegions(reserved);
}

function procOf(draft: Draft): ProcFiles {
  const hasPagetypes = draft.pagetypeFree.length > 0 || draft.pagetypeBlocks.length > 0;
  return {
    ...(draft.iomem.length === 0 ? {} : { iomem: draft.iomem }),
    ...(draft.firmwareMemmap.length === 0 ? {} : { firmwareMemmap: draft.firmwareMemmap }),
    ...(draft.zoneinfo.length === 0 ? {} : { zoneinfo: draft.zoneinfo }),
    ...(draft.buddyinfo.length === 0 ? {} : { buddyinfo: draft.buddyinfo }),
    ...(hasPagetypes
      ? {
          pagetypeinfo: {
            ...optional('pageblockOrder', draft.pageblockOrder),
            ...optional('pagesPerBlock', draft.pagesPerBlock),
            free: draft.pagetypeFree,
            blocks: draft.pagetypeBlocks,
          },
        }
      : {}),
    ...(draft.meminfo.size === 0 ? {} : { meminfo: Object.fromEntries(draft.meminfo) }),
    ...(draft.sysfsNodes.length === 0 ? {} : { nodes: draft.sysfsNodes }),
    ...(hasKeptMemblock(draft) ? { memblock: draft.keptMemblock } : {}),
  };
}
