/**
 * Where a description says that memory is: each source, and which is asked first.
 *
 * ```
 *   firmware map ─▶ early ranges ─▶ memblock dump ─▶ banks ─▶ EFI map (not x86) ─▶ /proc/iomem ─▶ EFI map ─▶ memblock's first state
 * ```
 */
import { DEFAULT_PAGE_SIZE } from '../base/constants.js';
import { ProblemList } from '../base/problem-list.js';
import type { Steps } from '../base/steps.js';
import type { ByteRange, MachineDescription } from '../types/all.js';
import { finalMap, type KindRange } from './final-map.js';
import type { Found } from './found.js';
import { fromEfi } from './from-efi.js';
import { fromIomem } from './from-iomem.js';
import { clip, outward } from './intervals.js';
import { isX86 } from './is-x86.js';

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

/** The first source that knows. */
export function* findMemory(
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
