/**
 * Lines of `memblock=debug`: dumps of the two lists, and operations with their callers.
 *
 *   MEMBLOCK configuration:
 *    memory size = 0x… reserved size = 0x…
 *    memory.cnt  = 0x3
 *    memory[0x0]   [0x…-0x…], 0x… bytes on node 0 flags: 0x0      last byte printed
 *   memblock_reserve: [0x…-0x…] caller+0x1/0x2
 *   memblock_alloc_try_nid: 4096 bytes align=0x40 nid=-1 from=0x0 max_addr=0x0 caller+0x1/0x2
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import { parseNumber } from '../base/numbers.js';
import { isAlignment, MAX_FLAGS } from '../base/regions.js';
import type { Draft } from './draft.js';
import type { MemblockList, MemblockOperation } from '../types/all.js';
import { onMatch, type Recogniser } from './recogniser.js';

const header = onMatch(
  'MEMBLOCK configuration',
  /MEMBLOCK configuration/,
  (_match, draft, line) => {
    draft.keep(draft.dumps, { line, memory: [], reserved: [], physmem: [], counts: {} }, line);
    draft.enter('dump');
  },
);

const sizes = onMatch(
  'memory size = 0x',
  /memory size = (0x[0-9a-f]+) reserved size = (0x[0-9a-f]+)/i,
  (match, draft, line) => {
    const dump = draft.dumps.at(-1);
    const memory = draft.count(match[1]!, line);
    const reserved = draft.count(match[2]!, line);
    if (dump === undefined || memory === undefined || reserved === undefined) return;
    dump.memorySize = memory;
    dump.reservedSize = reserved;
    draft.records++;
  },
);

const counts = onMatch(
  String.raw`(?:memory|reserved|physmem)\.cnt +=`,
  /\b(memory|reserved|physmem)\.cnt +=\s*(0x[0-9a-f]+)/i,
  (match, draft, line) => {
    const dump = draft.dumps.at(-1);
    const count = draft.count(match[2]!, line);
    if (dump === undefined || count === undefined) return;
    dump.counts[match[1] as MemblockList] = count;
    draft.records++;
  },
);

const REGION =
  /\b(memory|reserved|physmem)\[0x([0-9a-f]+)\]\s*\[(?:mem )?0x([0-9a-f]+)-0x([0-9a-f]+)\],? *(?:0x([0-9a-f]+) bytes)?(?: on node (\d+))?(?: flags: 0x([0-9a-f]+))?/i;

const regions = onMatch(
  String.raw`(?:memory|reserved|physmem)\[0x`,
  REGION,
  (match, draft, line) => {
    const dump = draft.dumps.at(-1);
    if (dump === undefined) {
      const message = 'a region of a memblock dump without the "MEMBLOCK configuration:" line';
      draft.problems.warn('INCOMPLETE_DUMP', line, message);
      return;
    }
    const range = draft.range(match[3]!, match[4]!, line);
    if (range === undefined) return;
    const list = dump[match[1]!.toLowerCase() as MemblockList];
    const index = Number.parseInt(match[2]!, 16);
    if (index !== list.length) {
      const message = `expected region ${list.length} of "${match[1]!}", found ${index}`;
      draft.problems.warn('INCOMPLETE_DUMP', line, message);
    }
    const printed = match[5] === undefined ? undefined : parseNumber(`0x${match[5]}`);
    if (printed !== undefined && printed !== range.end - range.start) {
      const message = `the region is ${range.end - range.start} bytes long, the line says ${printed}`;
      draft.problems.warn('CONTRADICTION', line, message);
    }
    const nid = match[6] === undefined ? undefined : draft.count(match[6], line);
    const flags = marks(match[7] ?? '0', draft, line);
    if (flags === undefined) return;
    // 1024 (MAX_NUMNODES) is how some kernels write "no node".
    const node = nid === undefined || nid > 1023 ? {} : { nid };
    draft.keep(list, { ...range, ...node, flags, line }, line);
  },
  /\b(?:memory|reserved)\[0x[0-9a-f]+\]\s*(?:\[0x[0-9a-fx-]*)?$/i,
);

/** Marks of a region; reports and returns `undefined` where they are none. */
function marks(digits: string, draft: Draft, line: number): number | undefined {
  const flags = draft.count(`0x${digits}`, line);
  if (flags === undefined || flags <= MAX_FLAGS) return flags;
  const message = `marks of a region are below 0x${(MAX_FLAGS + 1).toString(16)}, found 0x${digits}`;
  draft.problems.error('BAD_NUMBER', line, message);
  return undefined;
}

function isKnownAlignment(align: number, draft: Draft, line: number): boolean {
  if (isAlignment(align)) return true;
  const message = `an alignment is a power of two, found 0x${align.toString(16)}; the request is left out`;
  draft.problems.error('BAD_NUMBER', line, message);
  return false;
}

/** What an operation on a range does. */
export type RangeOperation = Exclude<MemblockOperation['op'], 'alloc' | 'grow'>;

/** Functions of the kernel that print what they do, whatever its release calls them. */
export const OPERATIONS: Readonly<Record<string, RangeOperation>> = {
  memblock_add: 'add',
  memblock_add_node: 'add',
  memblock_add_range: 'add',
  memblock_reserve: 'reserve',
  memblock_reserve_kern: 'reserve',
  __memblock_reserve: 'reserve',
  memblock_remove: 'remove',
  memblock_free: 'free',
  memblock_phys_free: 'free',
  __memblock_free_early: 'free',
  __memblock_free_late: 'free-late',
  memblock_free_late: 'free-late',
  memblock_physmem_add: 'physmem-add',
};

const operation: Recogniser = {
  hint: String.raw`memblock_\w+:(?: +\[|$)`,
  read(text, draft, line) {
    const match =
      /\b(_*memblock_\w+): +\[(?:mem )?0x([0-9a-f]+)-0x([0-9a-f]+)\](?: nid=(-?\d+))?(?: flags[ =](?:0x)?([0-9a-f]+))?\s*(.*)$/i.exec(
        text,
      );
    if (match === null)
      return /memblock_\w+:(?: +\[(?:0x[0-9a-fx-]*)?)?$/.test(text) ? 'partial' : undefined;
    const op = OPERATIONS[match[1]!];
    if (op === undefined) return undefined;
    // A size of 0 is printed as [base-(base - 1)]: an operation without effect.
    if (isEmptyOperation(match[2]!, match[3]!)) {
      draft.records++;
      return 'taken';
    }
    const range = draft.range(match[2]!, match[3]!, line);
    if (range === undefined) return 'taken';
    const nid = match[4] === undefined ? -1 : Number(match[4]);
    const flags = match[5] === undefined ? undefined : marks(match[5], draft, line);
    const entry: MemblockOperation = {
      ...range,
      op,
      caller: match[6]!.trim(),
      ...(nid >= 0 && nid <= 1023 ? { nid } : {}),
      ...(flags === undefined ? {} : { flags }),
      line,
    };
    draft.keep(draft.operations, entry, line);
    return 'taken';
  },
};

function isEmptyOperation(first: string, last: string): boolean {
  const start = parseNumber(`0x${first}`);
  const end = parseNumber(`0x${last}`);
  return (start === 0 && /^f{16}$/i.test(last)) || (start !== undefined && end === start - 1);
}

const allocation = onMatch(
  String.raw`memblock_\w+: \d+ bytes`,
  /\b(memblock_\w+): (\d+) bytes align=(0x[0-9a-f]+)(?: nid=(-?\d+))? from=(0x[0-9a-f]+) max_addr=(0x[0-9a-f]+)\s*(.*)$/i,
  (match, draft, line) => {
    const size = draft.count(match[2]!, line);
    const align = draft.count(match[3]!, line);
    // arm64 with 52-bit addresses asks for more than there can be: nothing lies above such a bound.
    const from = Math.min(parseNumber(match[5]!) ?? PHYS_ADDR_MAX, PHYS_ADDR_MAX);
    const maxAddr = unlimited(match[6]!) ? 0 : draft.count(match[6]!, line);
    if (size === undefined || align === undefined || !isKnownAlignment(align, draft, line)) return;
    if (maxAddr === undefined) return;
    const nid = match[4] === undefined ? -1 : Number(match[4]);
    const node = nid >= 0 && nid <= 1023 ? { nid } : {};
    const kernelName = match[1]!;
    const caller = match[7]!.trim();
    const entry = { op: 'alloc', kernelName, size, align, ...node, from, maxAddr, caller } as const;
    draft.keep(draft.operations, { ...entry, line }, line);
  },
  /memblock_\w+: \d+ bytes align=0x[0-9a-f]+(?: nid=-?\d+)?(?: from=[0-9a-fx]*)?$/i,
);

// Boot-time huge pages from 7.2 on: "memblock_alloc_hugetlb: 1073741824 bytes, nid=0, exact_nid=0 caller", aligned to
// their size.
const hugePage = onMatch(
  'memblock_alloc_hugetlb: ',
  /\b(memblock_alloc_hugetlb): (\d+) bytes, nid=(-?\d+), exact_nid=[01]\s*(.*)$/i,
  (match, draft, line) => {
    const size = draft.count(match[2]!, line);
    if (size === undefined || !isKnownAlignment(size, draft, line)) return;
    const nid = Number(match[3]);
    const node = nid >= 0 && nid <= 1023 ? { nid } : {};
    const request = { kernelName: match[1]!, size, align: size, ...node, from: 0, maxAddr: 0 };
    draft.keep(draft.operations, { op: 'alloc', ...request, caller: match[4]!.trim(), line }, line);
  },
);

function unlimited(text: string): boolean {
  return /^0xf{16}$/i.test(text);
}

const grow = onMatch(
  'is doubled to',
  /memblock: (memory|reserved|physmem) is doubled to (\d+) at \[(?:mem )?0x([0-9a-f]+)-0x([0-9a-f]+)\]/i,
  (match, draft: Draft, line) => {
    const range = draft.range(match[3]!, match[4]!, line);
    const count = draft.count(match[2]!, line);
    if (range === undefined || count === undefined) return;
    const list = match[1]!.toLowerCase() as MemblockList;
    draft.keep(draft.operations, { ...range, op: 'grow', list, regions: count, line }, line);
  },
);

/** Recognisers of memblock lines. */
export const MEMBLOCK_RECOGNISERS: readonly Recogniser[] = [
  header,
  sizes,
  counts,
  regions,
  operation,
  allocation,
  hugePage,
  grow,
];
