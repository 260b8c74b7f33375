/**
 * Totals and events: the `Memory:` line, deferred initialisation, memory given back late, huge pages, crash kernel,
 * processors, the hot-plug block.
 */
import { parseSize } from '../base/numbers.js';
import type { Draft } from './draft.js';
import { nodeId } from './node-lines.js';
import { MEM, onMatch, type Recogniser } from './recogniser.js';

const memory: Recogniser = {
  hint: 'Memory: \\d+[kK]',
  read(text, draft, line, final) {
    const match = /\bMemory: (\d+)[kK]\/(\d+)[kK] (?:available)?(.*)$/.exec(text);
    if (match === null) return undefined;
    // The brackets are the record's tail; without their end the line was wrapped or cut.
    if (/^ *(?:\([^)]*)?$/.test(match[3]!)) {
      if (!final) return 'partial';
      draft.problems.warn('TRUNCATED', line, 'the "Memory:" line has no closing bracket');
    }
    const availableKb = draft.count(match[1]!, line);
    const totalKb = draft.count(match[2]!, line);
    if (availableKb === undefined || totalKb === undefined) return 'taken';
    const partsKb: Record<string, number> = {};
    for (const [, amount, name] of match[3]!.matchAll(
      /(\d{1,15})[kK] ([a-zA-Z][a-zA-Z -]{0,40})/g,
    )) {
      partsKb[name!.trim()] = Number(amount);
    }
    draft.records++;
    draft.memory ??= {
      availableKb,
      totalKb,
      partsKb,
      beforeDeferred: draft.deferred.length === 0,
      line,
    };
    return 'taken';
  },
};

const deferred = onMatch(
  String.raw`node \d+ (?:deferred pages )?initialised`,
  /node (\d+) (?:deferred pages initialised|initialised, (\d+) pages) in (\d+)ms/,
  (match, draft, line) => {
    const nid = nodeId(match[1]!, draft, line);
    const pages = match[2] === undefined ? undefined : draft.count(match[2], line);
    const ms = draft.count(match[3]!, line);
    if (nid === undefined || ms === undefined) return;
    const entry = pages === undefined ? { nid, ms, line } : { nid, pages, ms, line };
    draft.keepOfNode(draft.deferred, entry, line);
  },
);

const device = onMatch(
  'memmap_init_zone_device',
  /memmap_init_zone_device initialised (\d+) pages in (\d+)ms/,
  (match, draft, line) => {
    const pages = draft.count(match[1]!, line);
    const ms = draft.count(match[2]!, line);
    if (pages === undefined || ms === undefined) return;
    draft.keep(draft.deviceInit, { pages, ms, line }, line);
  },
);

const freeing = onMatch(
  'Freeing ',
  /\bFreeing ([A-Za-z][\w ,()/-]{0,60}?)(?: memory)?: (\d+)[kK]\b/,
  (match, draft, line) => {
    const kb = draft.count(match[2]!, line);
    if (kb !== undefined) draft.keep(draft.freeing, { what: match[1]!, kb, line }, line);
  },
);

const hugetlb = onMatch(
  'HugeTLB:? registered',
  /HugeTLB:? registered (\d+(?:\.\d+)?) ([KMG])i?B page size, pre-allocated (\d+) pages/,
  (match, draft, line) => {
    const scale = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match[2] as 'K' | 'M' | 'G'];
    const pageBytes = Math.round(Number(match[1]) * scale);
    const preallocated = draft.count(match[3]!, line);
    if (preallocated === undefined || !Number.isSafeInteger(pageBytes)) return;
    draft.keep(draft.hugetlb, { pageBytes, preallocated, line }, line);
  },
);

// Two places print areas: the allocator itself, and pools of the device tree.
const cma = onMatch(
  'cma: Reserved |created CMA memory pool',
  /cma: Reserved (\d{1,9}) MiB (?:at 0x([0-9a-f]+)|in \d+ range)|created CMA memory pool at 0x([0-9a-f]+), size (\d{1,9}) MiB/i,
  (match, draft, line) => {
    const bytes = Number(match[1] ?? match[4]) * 2 ** 20;
    const address = match[2] ?? match[3];
    const start = address === undefined ? undefined : draft.count(`0x${address}`, line);
    if (address !== undefined && start === undefined) return;
    draft.keep(draft.cma, { ...(start === undefined ? {} : { start }), bytes, line }, line);
  },
);

const blockSize = onMatch(
  'Memory block size',
  /Memory block size: *(\d+) *MB/i,
  (match, draft, line) => {
    const megabytes = draft.count(match[1]!, line);
    if (megabytes === undefined || megabytes > 2 ** 30) return;
    draft.blockSize = { bytes: megabytes * 2 ** 20, line };
    draft.records++;
  },
);

const ramdisk = onMatch(
  'RAMDISK:',
  new RegExp(String.raw`RAMDISK: (?:${MEM}|([0-9a-f]{8,16}) - ([0-9a-f]{8,16}))`, 'i'),
  (match, draft, line) => {
    const range =
      match[1] === undefined
        ? draft.range(match[3]!, match[4]!, line, true)
        : draft.range(match[1], match[2]!, line);
    if (range !== undefined) draft.ramdisk = { ...range, line };
    draft.records++;
  },
);

// ppc64 prints the addresses of its linear map, which begin with 0xc.
const initrd = onMatch(
  'Found initrd at',
  /Found initrd at 0xc000([0-9a-f]{12}):0xc000([0-9a-f]{12})\b/i,
  (match, draft, line) => {
    const range = draft.range(match[1]!, match[2]!, line, true);
    if (range !== undefined) draft.ramdisk = { ...range, line };
    draft.records++;
  },
);

// mips and LoongArch print addresses of their direct segments: the top bits name the segment.
const segmentInitrd = onMatch(
  'Initial ramdisk at:',
  /Initial ramdisk at: 0x(?:(?:f{8})?([89ab][0-9a-f]{7})|[89ab][0-9a-f]{3}([0-9a-f]{12})) \((\d{1,15}) bytes\)/i,
  (match, draft, line) => {
    const address = draft.count(`0x${match[1] ?? match[2]!}`, line);
    const bytes = draft.count(match[3]!, line);
    draft.records++;
    if (address === undefined || bytes === undefined || bytes === 0) return;
    const start = match[1] === undefined ? address : address % 2 ** 29;
    draft.ramdisk = { start, end: start + bytes, line };
  },
);

const crash: Recogniser = {
  hint: 'crashkernel reserved|for crashkernel',
  read(text, draft, line) {
    const ranged = /crashkernel reserved: 0x([0-9a-f]+) - 0x([0-9a-f]+)/i.exec(text);
    if (ranged !== null) {
      const range = draft.range(ranged[1]!, ranged[2]!, line, true);
      if (range !== undefined) draft.keep(draft.crashkernel, { ...range, line }, line);
      return 'taken';
    }
    const sized = /Reserving (\d+[KMG]B) of (?:low )?memory at (\d+[KMG]B) for crashkernel/.exec(
      text,
    );
    if (sized === null) return undefined;
    const size = parseSize(sized[1]!);
    const start = parseSize(sized[2]!);
    if (size === undefined || start === undefined || size === 0) {
      draft.problems.error('BAD_NUMBER', line, `"${sized[0]}" has a size that does not fit`);
    } else {
      const end = Math.min(start + size, Number.MAX_SAFE_INTEGER);
      draft.keep(draft.crashkernel, { start, end, line }, line);
    }
    return 'taken';
  },
};

const lastPfn = onMatch(
  'last_pfn = ',
  /last_pfn = (0x[0-9a-f]+)(?: max_arch_pfn = (0x[0-9a-f]+))?/i,
  (match, draft, line) => {
    const pfn = draft.count(match[1]!, line);
    const max = match[2] === undefined ? undefined : draft.count(match[2], line);
    if (pfn !== undefined) keepLastPfn(draft, pfn, max, line);
  },
);

/** Keeps where memory ends; the largest page that the processor can number tells which of the two x86 it is. */
export function keepLastPfn(
  draft: Draft,
  pfn: number,
  max: number | undefined,
  line: number,
): void {
  const entry = max === undefined ? { pfn, line } : { pfn, maxArchPfn: max, line };
  draft.keepOwn(draft.lastPfns, entry, line);
  if (max !== undefined) draft.vote(max < 2 ** 32 && max <= 0x1000000 ? 'i386' : 'x86_64', 2);
}

const acpiTable = onMatch(
  'ACPI: Reserving',
  new RegExp(String.raw`ACPI: Reserving (\S{1,8}) table memory at ${MEM}`, 'i'),
  (match, draft, line) => {
    const range = draft.range(match[2]!, match[3]!, line);
    if (range !== undefined) {
      draft.keep(draft.acpiTables, { ...range, table: match[1]!, line }, line);
    }
  },
);

function setCpu(draft: Draft, key: keyof Draft['cpus'], text: string, line: number): void {
  const value = draft.count(text, line);
  draft.records++;
  if (value !== undefined) draft.cpus[key] ??= value;
}

const allowing: Recogniser = {
  hint: String.raw`Allowing \d+`,
  read(text, draft, line) {
    const old = /Allowing (\d+) CPUs, (\d+) hotplug CPUs/.exec(text);
    if (old !== null) {
      setCpu(draft, 'possible', old[1]!, line);
      setCpu(draft, 'hotplug', old[2]!, line);
      const { possible, hotplug } = draft.cpus;
      if (possible !== undefined && hotplug !== undefined && hotplug <= possible) {
        draft.cpus.present ??= possible - hotplug;
      }
      return 'taken';
    }
    const topo = /Allowing (\d+) present CPUs plus (\d+) hotplug CPUs/.exec(text);
    if (topo === null) {
      return /Allowing \d+ (?:present )?CPUs(?:,| plus)?(?: \d+)?(?: hotplug)?$/.test(text)
        ? 'partial'
        : undefined;
    }
    setCpu(draft, 'present', topo[1]!, line);
    setCpu(draft, 'hotplug', topo[2]!, line);
    const { present, hotplug } = draft.cpus;
    if (present !== undefined && hotplug !== undefined) draft.cpus.possible ??= present + hotplug;
    return 'taken';
  },
};

const broughtUp = onMatch(
  'Brought up',
  /Brought up (?:(\d+) nodes?, )?(\d+) CPUs?\b/,
  (match, draft, line) => {
    if (match[1] !== undefined) setCpu(draft, 'nodesOnline', match[1], line);
    setCpu(draft, 'online', match[2]!, line);
  },
);

const nodeIds = onMatch(
  'nr_cpu_ids:',
  /nr_cpu_ids:(\d+).* nr_node_ids:(\d+)/,
  (match, draft, line) => {
    setCpu(draft, 'nodeIds', match[2]!, line);
    const cpus = draft.count(match[1]!, line);
    if (cpus !== undefined) draft.cpus.cpuIds ??= cpus;
  },
);

const slub = onMatch('SLUB: ', /SLUB: .*\bCPUs=(\d+), Nodes=(\d+)/, (match, draft, line) => {
  setCpu(draft, 'cpuIds', match[1]!, line);
});

/** Recognisers of totals and events. */
export const TOTAL_RECOGNISERS: readonly Recogniser[] = [
  memory,
  deferred,
  device,
  freeing,
  hugetlb,
  cma,
  blockSize,
  ramdisk,
  initrd,
  segmentInitrd,
  crash,
  lastPfn,
  acpiTable,
  allowing,
  broughtUp,
  nodeIds,
  slub,
];
