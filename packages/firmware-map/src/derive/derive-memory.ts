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
import { DEFAULT_PAGE_SIZE } from '../base/constants.js';
import { ProblemList } from '../base/problem-list.js';
import { atOnce } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import type { ByteRange, MachineDescription, Problem, RangeKind } from '../types/all.js';
import {
  assignNodes,
  nodeMap,
  type NodeBlock,
  type NodeMap,
  type NodeSource,
} from './assign-nodes.js';
import { fakeNodes } from './fake-nodes.js';
import type { KindRange } from './final-map.js';
import type { Found, MemorySource } from './found.js';
import { findMemory, type DeriveOptions } from './memory-sources.js';
import { markMirrored, mirroredRanges } from './mirrored.js';
import { xenSlack } from './xen-slack.js';
import { clip, normalise, trimToPages } from './intervals.js';

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
  const found = yield* findMemory(description, options, problems);
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
