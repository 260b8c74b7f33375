/**
 * Descriptions of machines that nobody has: so much memory, so many nodes, so many processors.
 *
 * An x86-64 machine is laid out as emulators and most firmware do:
 *
 *   0    640K   1M            low top   4G                                  top
 *   |■■■■|..rsv.|■■■■■■■■■■■■■■|...PCI...|■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■|▒▒▒▒ persistent
 *   └───────────── node 0 ───────────────┴───── node 1 ─────┴─── … ──────────┘
 *
 * Other architectures have one stretch of memory from 1 GiB on.
 */
import { MAX_NODE_ID, PAGE_SIZES, PHYS_ADDR_MAX } from '../base/constants.js';
import { FirmwareMapError } from '../base/errors.js';
import { parseSize } from '../base/numbers.js';
import { parseMemoryOptions } from '../options/memory-options.js';
import type {
  Architecture,
  ByteRange,
  LocatedRange,
  MachineDescription,
  MapEntry,
  RangeKind,
  SratEntry,
} from '../types/all.js';

/** A machine to make up. Sizes: bytes, or text such as `768G`. */
export interface SyntheticOptions {
  /** All memory, at least 16 MiB. Needed unless `nodeSizes` is given. */
  readonly memory?: number | string;
  /** Nodes, 1 … 1024; default 1. Memory is shared equally, in units of 2 MiB. */
  readonly nodes?: number;
  /** Memory of each node instead; 0 makes a node without memory. */
  readonly nodeSizes?: readonly (number | string)[];
  /** Processors of the machine; default 1 a node. They are dealt out to nodes in order. */
  readonly cpus?: number;
  /** Default `x86_64`. */
  readonly architecture?: Architecture;
  /** Bytes a page: 4096 (default), 8192, 16384 or 65536. */
  readonly pageSize?: number;
  /** End of low memory on x86-64; the rest goes above 4 GiB. Default 3G. */
  readonly lowTop?: number | string;
  /** Persistent memory after the top; default none. */
  readonly persistent?: number | string;
  /** Memory below the top that the firmware has not accepted; default none. */
  readonly unaccepted?: number | string;
  /** Nodes whose memory may be removed (SRAT hot-plug), by number. */
  readonly hotplugNodes?: readonly number[];
  /** Kernel command line. */
  readonly commandLine?: string;
  /** Kernel release, such as `6.12.0`. */
  readonly kernel?: string;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const FOUR_GIB = 4 * GIB;
const OTHER_BASE = GIB;
const SMALLEST = 16 * MIB;
const UNIT = 2 * MIB;

/**
 * Describes a machine that is given by its figures.
 * @throws ERR_FIRMWARE_MAP_OPTION when a value is out of range or two contradict each other
 */
export function synthesize(options: SyntheticOptions): MachineDescription {
  const plan = planOf(options);
  const stretches = plan.isX86
    ? x86Stretches(plan)
    : [{ start: OTHER_BASE, end: OTHER_BASE + plan.memory }];
  const top = stretches.at(-1)!.end;
  const persistentStart = Math.ceil(top / GIB) * GIB;
  const persistent = { start: persistentStart, end: persistentStart + plan.persistent };
  if (persistent.end > PHYS_ADDR_MAX) refuse('memory', plan.memory, 'an end below 2^53 bytes');
  const map = plan.isX86 ? x86Map(stretches) : stretches.map((range) => entry(range, 'usable'));
  if (plan.persistent > 0) map.push({ ...entry(persistent, 'persistent'), typeNumber: 7 });
  const nodes = plan.nodeSizes.length;
  const line = options.commandLine ?? '';
  return {
    schema: 'bootmem/machine-description',
    version: 1,
    source: {
      format: 'synthetic',
      lines: 0,
      bytes: 0,
      bootCount: 1,
      bootIndex: 0,
      firstLine: 0,
      lastLine: 0,
    },
    architecture: plan.architecture,
    pageSize: plan.pageSize,
    ...kernelNamed(options.kernel),
    ...(line === '' ? {} : { commandLine: { text: line, line: 0 } }),
    options: parseMemoryOptions(line).options,
    cpus: { possible: plan.cpus, present: plan.cpus, hotplug: 0, nodesOnline: nodes },
    firmware: {
      map,
      user: [],
      modified: [],
      setupData: [],
      edits: [],
      efi: [],
      unaccepted: unacceptedOf(stretches, plan.unaccepted),
    },
    numa: {
      srat: nodes === 1 ? [] : sratOf(stretches, plan, options.hotplugNodes ?? []),
      cpus: Array.from({ length: plan.cpus }, (_, id) => {
        const nid = Math.floor((id * nodes) / plan.cpus);
        return { nid, pxm: nid, id, line: 0 };
      }),
      merges: [],
      nodeData: [],
      faked: [],
      blocks: [],
      distances: plan.nodeSizes.map((_, from) =>
        plan.nodeSizes.map((__, to) => (from === to ? 10 : 20)),
      ),
    },
    printed: NOTHING_PRINTED,
    memblock: { dumps: [], operations: [] },
    proc: {},
    problems: parseMemoryOptions(line).problems,
  };
}

const NOTHING_PRINTED: MachineDescription['printed'] = {
  zoneRanges: [],
  movableStarts: [],
  earlyRanges: [],
  nodeSetups: [],
  unavailable: [],
  nodePages: [],
  fallbackOrders: [],
  zonelistOrders: [],
  memmapInit: [],
  deferred: [],
  deviceInit: [],
  freeing: [],
  hugetlb: [],
  crashkernel: [],
  lastPfns: [],
  acpiTables: [],
};

interface Plan {
  readonly architecture: Architecture;
  readonly isX86: boolean;
  readonly pageSize: number;
  readonly memory: number;
  readonly nodeSizes: readonly number[];
  readonly cpus: number;
  readonly lowTop: number;
  readonly persistent: number;
  readonly unaccepted: number;
}

function planOf(options: SyntheticOptions): Plan {
  const { architecture = 'x86_64', pageSize = 4096 } = options;
  if (!PAGE_SIZES.includes(pageSize)) {
    refuse('pageSize', pageSize, PAGE_SIZES.join(', '));
  }
  const isX86 = architecture === 'x86_64' || architecture === 'i386';
  if (isX86 && pageSize !== 4096) refuse('pageSize', pageSize, '4096 on x86');
  const nodeSizes = nodeSizesOf(options);
  const memory = nodeSizes.reduce((sum, size) => sum + size, 0);
  if (memory < SMALLEST) refuse('memory', memory, 'at least 16 MiB');
  const cpus = options.cpus ?? nodeSizes.length;
  if (!Number.isSafeInteger(cpus) || cpus < 1 || cpus > 65_536) {
    refuse('cpus', cpus, 'an integer from 1 to 65536');
  }
  for (const nid of options.hotplugNodes ?? []) {
    const isNode = Number.isSafeInteger(nid) && nid >= 0 && nid < nodeSizes.length;
    if (!isNode) refuse('hotplugNodes', nid, `node numbers below ${nodeSizes.length}`);
    if (nodeSizes.length === 1) refuse('hotplugNodes', nid, 'more than one node');
  }
  const lowTop = sizeOf('lowTop', options.lowTop ?? 3 * GIB);
  if (lowTop < SMALLEST || lowTop > FOUR_GIB || lowTop % UNIT !== 0) {
    refuse('lowTop', lowTop, '16 MiB to 4 GiB in steps of 2 MiB');
  }
  const persistent = sizeOf('persistent', options.persistent ?? 0);
  if (persistent % UNIT !== 0) refuse('persistent', persistent, 'a multiple of 2 MiB');
  const unaccepted = sizeOf('unaccepted', options.unaccepted ?? 0);
  if (unaccepted > memory - SMALLEST || unaccepted % UNIT !== 0) {
    refuse('unaccepted', unaccepted, 'a multiple of 2 MiB, 16 MiB below the memory');
  }
  if (options.kernel !== undefined && !/^\d+\.\d+/.test(options.kernel)) {
    refuse('kernel', options.kernel, 'a release such as 6.12.0');
  }
  return { architecture, isX86, pageSize, memory, nodeSizes, cpus, lowTop, persistent, unaccepted };
}

function nodeSizesOf(options: SyntheticOptions): number[] {
  if (options.nodeSizes !== undefined) {
    if (options.memory !== undefined || options.nodes !== undefined) {
      refuse('nodeSizes', options.nodeSizes, 'either nodeSizes, or memory and nodes');
    }
    checkNodes(options.nodeSizes.length);
    return options.nodeSizes.map((size) => roundDown(sizeOf('nodeSizes', size)));
  }
  if (options.memory === undefined) refuse('memory', undefined, 'an amount of memory');
  const memory = roundDown(sizeOf('memory', options.memory));
  const nodes = options.nodes ?? 1;
  checkNodes(nodes);
  const share = roundDown(memory / nodes);
  return Array.from({ length: nodes }, (_, nid) =>
    nid === nodes - 1 ? memory - share * (nodes - 1) : share,
  );
}

function checkNodes(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1 || count > MAX_NODE_ID + 1) {
    refuse('nodes', count, 'an integer from 1 to 1024');
  }
}

function sizeOf(name: string, value: number | string): number {
  const size = typeof value === 'string' ? parseSize(value) : value;
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) {
    refuse(name, value, 'a size such as 768G');
  }
  return size;
}

function refuse(name: string, value: unknown, expected: string): never {
  const message = `${name}: expected ${expected}, got ${String(value)}`;
  throw new FirmwareMapError('ERR_FIRMWARE_MAP_OPTION', message, { option: name, value });
}

function roundDown(size: number): number {
  return Math.floor(size / UNIT) * UNIT;
}

function x86Stretches({ memory, lowTop }: Plan): ByteRange[] {
  const low = Math.min(memory, lowTop);
  const rest = memory - low;
  const stretches = [{ start: 0, end: low }];
  if (rest > 0) stretches.push({ start: FOUR_GIB, end: FOUR_GIB + rest });
  return stretches;
}

// Firmware keeps the end of conventional memory, the ROM window, and its tables below the low top.
function x86Map(stretches: readonly ByteRange[]): MapEntry[] {
  const low = stretches[0]!.end;
  const tables = low - 128 * 1024;
  const map = [
    entry({ start: 0, end: 0x9fc00 }, 'usable'),
    entry({ start: 0x9fc00, end: 0xa0000 }, 'reserved'),
    entry({ start: 0xf0000, end: 0x100000 }, 'reserved'),
    entry({ start: 0x100000, end: tables }, 'usable'),
    entry({ start: tables, end: low }, 'acpi-data'),
  ];
  if (low <= 0xfec00000) map.push(entry({ start: 0xfec00000, end: FOUR_GIB }, 'reserved'));
  for (const range of stretches.slice(1)) map.push(entry(range, 'usable'));
  return map;
}

function entry({ start, end }: ByteRange, kind: RangeKind): MapEntry {
  return { start, end, kind, text: kind, provider: 'synthetic', line: 0 };
}

function kernelNamed(release: string | undefined): Pick<MachineDescription, 'kernel'> {
  if (release === undefined) return {};
  const numbers = /^\d+(?:\.\d+)*/.exec(release)![0].split('.').map(Number).slice(0, 4);
  return { kernel: { release, numbers, line: 0 } };
}

// The last `amount` bytes of memory, from the top down.
function unacceptedOf(stretches: readonly ByteRange[], amount: number): LocatedRange[] {
  const result: LocatedRange[] = [];
  let left = amount;
  for (const { start, end } of stretches.toReversed()) {
    // Firmware itself needs low memory.
    const lowest = Math.max(start, SMALLEST);
    const size = Math.min(left, end - lowest);
    if (size > 0) result.unshift({ start: end - size, end, line: 0 });
    left -= Math.max(0, size);
  }
  return result;
}

// Nodes take memory in address order.
function sratOf(
  stretches: readonly ByteRange[],
  { nodeSizes }: Plan,
  hotplugNodes: readonly number[],
): SratEntry[] {
  const srat: SratEntry[] = [];
  let index = 0;
  let at = stretches[0]!.start;
  for (const [nid, size] of nodeSizes.entries()) {
    for (let left = size; left > 0;) {
      const end = Math.min(stretches[index]!.end, at + left);
      const hotplug = hotplugNodes.includes(nid);
      srat.push({ nid, pxm: nid, start: at, end, hotplug, nonVolatile: false, line: 0 });
      left -= end - at;
      at = end;
      if (at === stretches[index]!.end && index + 1 < stretches.length)
        at = stretches[++index]!.start;
    }
  }
  return srat;
}
