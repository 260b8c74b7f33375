/**
 * From a description to the memory that the boot allocator manages: which ranges, which node, and what is device
 * memory instead.
 *
 *   final map ── usable ──▶ trimmed to pages ──▶ split by node ──▶ memory
 *             └─ persistent, soft reserved ─────────────────────▶ persistent
 *
 * Machines without a firmware map in their log (arm64, ppc64, riscv) are taken from what the kernel printed about
 * its own early ranges. Every assumption is reported.
 */
import { DEFAULT_PAGE_SIZE, PHYS_ADDR_MAX } from '../base/constants.js';
import { ProblemList } from '../base/problem-list.js';
import { atOnce } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import type {
  ByteRange,
  EfiEntry,
  IomemEntry,
  MachineDescription,
  Problem,
  RangeKind,
} from '../types/all.js';
import {
  assignNodes,
  nodeMap,
  type NodeBlock,
  type NodeMap,
  type NodeSource,
} from './assign-nodes.js';
import { fakeNodes } from './fake-nodes.js';
import { finalMap, type KindRange } from './final-map.js';
import { markMirrored, mirroredRanges } from './mirrored.js';
import { xenSlack } from './xen-slack.js';
import { clip, normalise, subtract, trimToPages } from './intervals.js';

/** Where the ranges came from. */
type MemorySource =
  | 'firmware-map'
  | 'user-map'
  | 'modified-map'
  | 'early-ranges'
  | 'memblock-dump'
  | 'efi-map'
  | 'banks'
  | 'iomem'
  | 'synthetic';

/** How to derive. */
export interface DeriveOptions {
  /**
   * `auto` (default): the firmware map when there is one, else the next best. `firmware`: only maps, never what the
   * kernel printed about its own ranges. `early-ranges`: what the kernel printed.
   */
  readonly from?: 'auto' | 'firmware' | 'early-ranges';
  /** Kernel release whose rules count, as `uname -r` prints it; default: the description's. */
  readonly release?: string;
}

/** Device memory. */
export interface DeviceRange extends ByteRange {
  readonly nid: number;
  readonly kind: 'persistent' | 'soft-reserved';
}

/** The memory of a machine. Addresses in bytes. */
export interface DerivedMemory {
  /** What `memblock.memory` holds when zones are made: whole pages, sorted, disjoint. */
  readonly memory: readonly NodeBlock[];
  /** The same before it was trimmed to pages and split by node, one range a map entry. */
  readonly memblockAdds: readonly ByteRange[];
  /**
   * The kernel's own copy of the firmware map, with its edits and the options' in it, ascending and without gaps; empty
   * where memory comes from elsewhere.
   */
  readonly map: readonly (ByteRange & { readonly kind: RangeKind })[];
  /** Device memory: initialised after boot, not given to the page allocator. */
  readonly persistent: readonly DeviceRange[];
  /** Memory that must be accepted before it is used. */
  readonly unaccepted: readonly ByteRange[];
  /** Online nodes, memoryless ones too, by number. */
  readonly nodes: readonly { readonly nid: number; readonly hasMemory: boolean }[];
  readonly source: MemorySource;
  readonly nodeSource: NodeSource;
  readonly pageSize: number;
  /**
   * One more than the last page frame: the end of memory, of the room that a Xen kernel leaves behind it, or of ACPI
   * data in the releases that count it.
   */
  readonly maxPfn: number;
  readonly problems: readonly Problem[];
}

interface Found {
  readonly usable: readonly ByteRange[];
  readonly device: readonly KindRange[];
  readonly source: MemorySource;
  /** Memory that is present and never mapped. */
  readonly noMap?: readonly ByteRange[];
  readonly nodes?: NodeMap;
  /** The kernel's copy of the map. */
  readonly map?: readonly KindRange[];
  /** Where page numbers end, if that is beyond memory; bytes. */
  readonly top?: number;
}

/**
 * The memory of a described machine.
 * @returns empty `memory` and an error among `problems` when the description does not say where memory is
 */
export function deriveMemory(
  described: MachineDescription,
  options: DeriveOptions = {},
): DerivedMemory {
  return atOnce(deriveMemorySteps(described, options));
}

/** The same, to be interrupted: see {@link Steps}. */
export function* deriveMemorySteps(
  described: MachineDescription,
  options: DeriveOptions = {},
): Steps<DerivedMemory> {
  const description = withReadOptions(described);
  const problems = new ProblemList();
  const pageSize = description.pageSize ?? DEFAULT_PAGE_SIZE;
  const found = yield* find(description, options, problems);
  yield;
  if (found === undefined) {
    problems.error('NO_MEMORY_MAP', 0, 'the description does not say where memory is');
  }
  const { usable = [], device = [], source = 'firmware-map' } = found ?? {};
  yield;
  const reachable = limitToArchitecture(usable, description, problems);
  const slack = xenSlack(reachable, description, problems);
  const limited =
    slack === 0 ? reachable : clip(reachable, { start: 0, end: reachable.at(-1)!.end - slack });
  const memory = trimToPages(normalise(limited), pageSize);
  yield;
  let map = found?.nodes ?? nodeMap(description);
  if (source !== 'early-ranges' && map.source !== 'faked') {
    map = fakeNodes(description, memory, map, problems) ?? map;
  }
  const soleNode = soleNodeOf(description);
  // A border inside a page leaves that page to nobody.
  const parts = trimToPages(yield* assignNodes(memory, map, soleNode, problems), pageSize);
  yield;
  const noMap = yield* assignNodes(normalise(found?.noMap ?? []), map, soleNode, problems);
  yield;
  for (const part of trimToPages(noMap, pageSize)) parts.push({ ...part, noMap: true });
  parts.sort((a, b) => a.start - b.start);
  yield;
  const marked = markMirrored(parts, mirroredRanges(description, options.release));
  yield;
  const persistent = yield* deviceRanges(device, map, soleNode);
  yield;
  yield;
  return {
    memory: marked,
    memblockAdds: [...limited, ...(found?.noMap ?? [])].map(({ start, end }) => ({ start, end })),
    map: found?.map ?? [],
    persistent,
    unaccepted: unacceptedRanges(description),
    nodes: onlineNodes(description, parts, map.source),
    source,
    nodeSource: map.source,
    pageSize,
    maxPfn: Math.floor(
      Math.max((parts.at(-1)?.end ?? 0) + slack, topOf(found, description)) / pageSize,
    ),
    problems: problems.list(),
  };
}

/**
 * `mem=SIZE@START` as the machine's kernel reads it: ARM, MIPS and LoongArch take it for the memory there is (and print what they
 * made of it), the others stop behind the size, which is a limit.
 */
function withReadOptions(description: MachineDescription): MachineDescription {
  const { architecture, options } = description;
  const { mem, memAt = [] } = options;
  if (memAt.length === 0) return description;
  const isAddition = ['arm', 'mips', 'loongarch64'].includes(architecture ?? '');
  const limit = Math.min(mem ?? Infinity, ...memAt.map(({ size }) => size));
  return isAddition || architecture === undefined
    ? description
    : { ...description, options: { ...options, mem: limit } };
}

function* find(
  description: MachineDescription,
  { from = 'auto', release }: DeriveOptions,
  problems: ProblemList,
): Steps<Found | undefined> {
  if (from === 'early-ranges') return yield* fromEarlyRanges(description);
  const map = yield* fromMap(description, problems, release);
  if (map !== undefined) return map;
  if (from === 'auto') {
    const early = yield* fromEarlyRanges(description);
    if (early !== undefined) return early;
    const dump = fromDump(description);
    if (dump !== undefined) return dump;
  }
  const banks = fromBanks(description);
  if (banks !== undefined) return banks;
  // Elsewhere than on x86 the EFI map is what the kernel fills memblock from; /proc/iomem shows what became of it.
  if (!isX86(description)) {
    const efi = fromEfi(description, problems);
    if (efi !== undefined) return efi;
  }
  return fromIomem(description) ?? fromEfi(description, problems) ?? fromFirstState(description);
}

/** First byte that a 32-bit MIPS kernel cannot map without high memory. */
const MIPS_LOWMEM_END = 0x2000_0000;

// Banks that firmware told of where there is no other map.
function fromBanks({ firmware, printed }: MachineDescription): Found | undefined {
  const usable = (firmware.banks ?? []).filter(({ kind }) => kind === 'usable');
  if (usable.length === 0) return undefined;
  const zones = printed.zoneRanges;
  const isCut =
    usable[0]!.provider === 'MIPS' &&
    zones.length > 0 &&
    !zones.some(({ zone }) => zone === 'HighMem');
  return {
    usable: isCut ? clip(usable, { start: 0, end: MIPS_LOWMEM_END }) : usable,
    device: [],
    source: 'banks',
  };
}

// memblock before nodes are known: what firmware told it. x86 logs hold the map that it was made from.
function fromFirstState(description: MachineDescription): Found | undefined {
  if (isX86(description)) return undefined;
  if (description.architecture === 'arm' || description.architecture === 'mips') {
    const { memAt = [] } = description.options;
    const usable = memAt.map(({ start, size }) => ({ start, end: start + size }));
    const image = description.architecture === 'mips' ? imageOf(description) : [];
    if (usable.length > 0) return { usable: [...usable, ...image], device: [], source: 'user-map' };
  }
  const regions = description.proc.memblock?.memory ?? description.memblock.dumps[0]?.memory ?? [];
  if (regions.length === 0) return undefined;
  const isNoMap = ({ flags }: { flags: number }): boolean => (flags & NOMAP) !== 0;
  return {
    usable: regions.filter((region) => !isNoMap(region)),
    noMap: regions.filter(isNoMap),
    device: [],
    source: 'memblock-dump',
  };
}

/** The kernel's own image, which MIPS adds to memory where no bank has it. @kernel check_kernel_sections_mem */
function imageOf({ proc, pageSize = DEFAULT_PAGE_SIZE }: MachineDescription): ByteRange[] {
  const parts = (proc.iomem ?? []).filter(({ name }) => /^Kernel (?:code|data|bss)$/.test(name));
  const start = Math.min(...parts.map((part) => part.start));
  const end = Math.max(...parts.map((part) => part.end));
  return start > 0 && start < end ? outward([{ start, end }], pageSize) : [];
}

/** Mark of memory that is present and never mapped. */
const NOMAP = 0x4;

function* fromMap(
  description: MachineDescription,
  problems: ProblemList,
  release?: string,
): Steps<Found | undefined> {
  const map = yield* finalMap(description, problems, release);
  if (map === undefined) return undefined;
  yield;
  const usable = map.ranges.filter(({ kind }) => kind === 'usable' || kind === 'unaccepted');
  if (usable.length === 0) return undefined;
  const device = map.ranges.filter(isDevice);
  const source = description.source.format === 'synthetic' ? 'synthetic' : map.source;
  const own = map.ranges.filter(({ kind }) => kind !== 'gap');
  return { usable, device, source, map: own, top: map.top };
}

function isDevice({ kind }: KindRange): boolean {
  return kind === 'persistent' || kind === 'soft-reserved';
}

function* fromEarlyRanges(description: MachineDescription): Steps<Found | undefined> {
  const ranges = description.printed.earlyRanges;
  if (ranges.length === 0) return undefined;
  const blocks = ranges.map(({ start, end, nid }) => ({ start, end, nid, hotplug: false }));
  const map = yield* finalMap(description, new ProblemList());
  const device = (map?.ranges ?? []).filter(isDevice);
  return {
    usable: blocks,
    device,
    source: 'early-ranges',
    nodes: { blocks, source: 'early-ranges' },
  };
}

function fromDump(description: MachineDescription): Found | undefined {
  const dump = description.memblock.dumps.findLast(({ memory }) => memory.length > 0);
  if (dump === undefined) return undefined;
  const usable = dump.memory.map(({ start, end }) => ({ start, end }));
  const owned = dump.memory.filter(({ nid }) => nid !== undefined);
  const blocks = owned.map(({ start, end, nid, flags }) => ({
    start,
    end,
    nid: nid!,
    hotplug: (flags & 1) !== 0,
  }));
  const nodes = blocks.length > 0 ? ({ blocks, source: 'memblock-dump' } as const) : undefined;
  return {
    usable,
    device: [],
    source: 'memblock-dump',
    ...(nodes === undefined ? {} : { nodes }),
  };
}

function fromIomem(description: MachineDescription): Found | undefined {
  const entries = description.proc.iomem ?? [];
  const usable = entries.filter(
    ({ name }) => name === 'System RAM' || name === 'System RAM (boot alias)',
  );
  if (usable.length === 0) return undefined;
  const top = usable.reduce((end, entry) => Math.max(end, entry.end), 0);
  const noMap = entries.filter(
    (entry) => isNoMap(description, entry) && isKnownMemory(description, entry, top),
  );
  const device: KindRange[] = [];
  for (const { start, end, name } of entries) {
    if (name.startsWith('Persistent Memory')) device.push({ start, end, kind: 'persistent' });
    else if (/^Soft Reserved$/i.test(name)) device.push({ start, end, kind: 'soft-reserved' });
  }
  return { usable, noMap, device, source: 'iomem' };
}

/**
 * Memory that the kernel knows and never maps stands in /proc/iomem as an entry of its own, beside `System RAM`; what
 * was merely in use stands inside. So on arm64 ("reserved") and riscv64 ("Reserved"), whose kernels list memblock there.
 */
function isNoMap({ architecture }: MachineDescription, { name, depth }: IomemEntry): boolean {
  const own = { arm64: 'reserved', riscv64: 'Reserved' }[architecture as string];
  return depth === 0 && name === own;
}

/**
 * riscv64 lists what is reserved where no memory is, too: the device tree's own place behind a limit of `mem=`. What memblock
 * kept tells it, else that it lies behind all memory.
 */
function isKnownMemory(
  { architecture, options, proc }: MachineDescription,
  entry: ByteRange,
  top: number,
): boolean {
  if (architecture !== 'riscv64') return true;
  const kept = proc.memblock?.memory ?? [];
  return kept.length > 0
    ? kept.some(({ start, end }) => start < entry.end && end > entry.start)
    : options.mem === undefined || entry.start < top;
}

// Conventional memory, and what the loader and the boot services leave behind, is memory to the kernel.
const EFI_USABLE = new Set([1, 2, 3, 4, 7, 15]);
// Where there is no other map, ACPI tables and persistent memory are mapped like memory.
const EFI_MAPPED = new Set([...EFI_USABLE, 9, 14]);

function fromEfi(description: MachineDescription, problems: ProblemList): Found | undefined {
  const { firmware } = description;
  const found = isX86(description) ? fromEfiByType(firmware.efi) : fromEfiByAttribute(description);
  if (found === undefined) return undefined;
  const line = firmware.efi[0]!.line;
  problems.warn('ASSUMED', line, 'no other map: memory is taken from the EFI memory map');
  return found;
}

function isX86({ architecture }: MachineDescription): boolean {
  return architecture === undefined || architecture === 'x86_64' || architecture === 'i386';
}

function fromEfiByType(efi: readonly EfiEntry[]): Found | undefined {
  const usable = efi.filter(({ type }) => EFI_USABLE.has(type ?? -1));
  if (usable.length === 0) return undefined;
  const device = efi
    .filter(({ type }) => type === 14)
    .map(({ start, end }) => ({ start, end, kind: 'persistent' as const }));
  return { usable, device, source: 'efi-map' };
}

// Every descriptor that can be cached is memory, rounded outward to the kernel's pages; what firmware goes on using is
// never mapped, and wins where rounding makes the two meet.
function fromEfiByAttribute({
  firmware,
  pageSize,
  options,
}: MachineDescription): Found | undefined {
  const page = pageSize ?? DEFAULT_PAGE_SIZE;
  const cached = firmware.efi.filter(({ attributes }) =>
    attributes.some((name) => name === 'WB' || name === 'WT' || name === 'WC'),
  );
  if (cached.length === 0) return undefined;
  const own = cached.filter(({ type }) => !EFI_MAPPED.has(type ?? -1));
  const tree = (firmware.deviceTree ?? []).filter((range) => range.noMap);
  const mapped = outward(
    cached.filter(({ type }) => EFI_MAPPED.has(type ?? -1)),
    page,
  );
  const noMap = outward([...own, ...intersect(mapped, tree)], page);
  const usable = subtract(mapped, noMap);
  return {
    usable: options.mem === undefined ? usable : firstBytes(usable, options.mem),
    noMap,
    device: [],
    source: 'efi-map',
  };
}

function intersect(ranges: readonly ByteRange[], windows: readonly ByteRange[]): ByteRange[] {
  return windows.flatMap((window) => clip(ranges, window));
}

/** `mem=` outside x86: an amount of memory, from the lowest address on. @kernel memblock_mem_limit_remove_map */
function firstBytes(ranges: readonly ByteRange[], bytes: number): ByteRange[] {
  const result: ByteRange[] = [];
  let left = bytes;
  for (const { start, end } of normalise(ranges)) {
    if (left <= 0) break;
    result.push({ start, end: Math.min(end, start + left) });
    left -= end - start;
  }
  return result;
}

function outward(ranges: readonly ByteRange[], pageSize: number): ByteRange[] {
  const top = Math.floor(PHYS_ADDR_MAX / pageSize) * pageSize;
  return normalise(
    ranges.map(({ start, end }) => ({
      start: Math.floor(start / pageSize) * pageSize,
      end: Math.min(Math.ceil(end / pageSize) * pageSize, top),
    })),
  );
}

function topOf(found: Found | undefined, description: MachineDescription): number {
  return Math.min(found?.top ?? 0, reachableEnd(description) ?? Infinity);
}

// A 32-bit kernel may be unable to reach the top of memory; it says how far it can.
function limitToArchitecture(
  usable: readonly ByteRange[],
  description: MachineDescription,
  problems: ProblemList,
): ByteRange[] {
  const reachable = reachableEnd(description);
  if (reachable === undefined) return [...usable];
  const limited = clip(usable, { start: 0, end: reachable });
  if (limited.length !== usable.length) {
    const message = `memory from 0x${reachable.toString(16)} on is out of this kernel's reach`;
    problems.warn('ASSUMED', description.printed.lastPfns[0]!.line, message);
  }
  return limited;
}

function reachableEnd({ architecture, printed }: MachineDescription): number | undefined {
  const first = printed.lastPfns[0];
  if (architecture !== 'i386' || first === undefined) return undefined;
  return Math.min(first.pfn, first.maxArchPfn ?? first.pfn) * DEFAULT_PAGE_SIZE;
}

function soleNodeOf(description: MachineDescription): number {
  return description.printed.earlyRanges[0]?.nid ?? description.numa.nodeData[0]?.nid ?? 0;
}

// From the EFI map, and from maps that name the kind themselves.
function unacceptedRanges({ firmware }: MachineDescription): ByteRange[] {
  const named = firmware.map.filter(({ kind }) => kind === 'unaccepted');
  return normalise([...firmware.unaccepted, ...named]);
}

function* deviceRanges(
  device: readonly KindRange[],
  map: NodeMap,
  soleNode: number,
): Steps<DeviceRange[]> {
  const parts: DeviceRange[] = [];
  for (const kind of ['persistent', 'soft-reserved'] as const) {
    const ranges = normalise(device.filter((range) => range.kind === kind));
    const parted = yield* assignNodes(ranges, map, soleNode, new ProblemList());
    for (const { start, end, nid } of parted) {
      parts.push({ start, end, nid, kind });
    }
  }
  return parts.sort((a, b) => a.start - b.start);
}

function onlineNodes(
  description: MachineDescription,
  memory: readonly NodeBlock[],
  source: NodeSource,
): DerivedMemory['nodes'] {
  const withMemory = new Set(memory.map(({ nid }) => nid));
  const all = new Set(withMemory);
  for (const { nid } of description.printed.nodeSetups) all.add(nid);
  // A kernel that threw the tables away has no other nodes.
  if (source !== 'single') for (const { nid } of description.numa.cpus) all.add(nid);
  for (const { nid } of description.proc.nodes ?? []) all.add(nid);
  return [...all].sort((a, b) => a - b).map((nid) => ({ nid, hasMemory: withMemory.has(nid) }));
}
