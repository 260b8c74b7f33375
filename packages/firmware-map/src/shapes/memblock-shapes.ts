/** Lines of `memblock=debug`: thousands of them in a boot, from a few places of the kernel. */
import { MAX_NODE_ID } from '../base/constants.js';
import { isAlignment, MAX_FLAGS } from '../base/regions.js';
import { OPERATIONS, type RangeOperation } from '../records/memblock-lines.js';
import type { MemblockList, MemblockOperation, MemblockRegionLine } from '../types/all.js';
import type { Shape } from './shape-tree.js';

function isNode(nid: number): boolean {
  return nid >= 0 && nid <= MAX_NODE_ID;
}

/** How kernels print what an operation is asked for, by what the numbers behind the range are. */
const DETAILS: readonly { words: string; nidAt?: number; flagsAt?: number }[] = [
  { words: '' },
  { words: ' flags 0x%x', flagsAt: 2 },
  { words: ' flags=%x', flagsAt: 2 },
  { words: ' nid=%i flags=%x', nidAt: 2, flagsAt: 3 },
];

function operation(name: string, op: RangeOperation, details: (typeof DETAILS)[number]): Shape {
  const { words, nidAt, flagsAt } = details;
  return {
    text: `${name}: [0x%x-0x%x]${words} %S`,
    take(fields, draft, line) {
      const { numbers, text: caller } = fields;
      const flags = flagsAt === undefined ? undefined : numbers[flagsAt]!;
      if (!fields.isRange(0) || (flags ?? 0) > MAX_FLAGS) return false;
      const start = numbers[0]!;
      const end = numbers[1]! + 1;
      const nid = nidAt === undefined ? -1 : numbers[nidAt]!;
      let record: MemblockOperation;
      if (flags === undefined) record = { start, end, op, caller, line };
      else if (isNode(nid)) record = { start, end, op, caller, nid, flags, line };
      else record = { start, end, op, caller, flags, line };
      draft.keepOwn(draft.operations, record, line);
      return true;
    },
  };
}

/** Functions that ask for memory. */
const REQUESTS = [
  'memblock_alloc_try_nid',
  'memblock_alloc_try_nid_raw',
  'memblock_alloc_try_nid_nopanic',
  'memblock_alloc_exact_nid_raw',
  'memblock_phys_alloc_range',
  'memblock_virt_alloc_try_nid',
  'memblock_virt_alloc_try_nid_raw',
  'memblock_virt_alloc_try_nid_nopanic',
];

function request(kernelName: string, hasNode: boolean): Shape {
  const fromAt = hasNode ? 3 : 2;
  return {
    text: `${kernelName}: %d bytes align=0x%x${hasNode ? ' nid=%i' : ''} from=0x%x max_addr=0x%x %S`,
    take({ numbers, text: caller }, draft, line) {
      const size = numbers[0]!;
      const align = numbers[1]!;
      if (!isAlignment(align)) return false;
      const nid = hasNode ? numbers[2]! : -1;
      const from = numbers[fromAt]!;
      const maxAddr = numbers[fromAt + 1]!;
      const op = 'alloc';
      const record: MemblockOperation = isNode(nid)
        ? { op, kernelName, size, align, nid, from, maxAddr, caller, line }
        : { op, kernelName, size, align, from, maxAddr, caller, line };
      draft.keepOwn(draft.operations, record, line);
      return true;
    },
  };
}

function region(list: MemblockList, hasNode: boolean): Shape {
  const flagsAt = hasNode ? 5 : 4;
  return {
    text: `${list}[0x%x]%_[0x%x-0x%x], 0x%x bytes${hasNode ? ' on node %d' : ''} flags: 0x%x`,
    take(fields, draft, line) {
      const { numbers } = fields;
      const regions = draft.dumps.at(-1)?.[list];
      const flags = numbers[flagsAt]!;
      if (regions === undefined || regions.length !== numbers[0]) return false;
      if (!fields.isRange(1) || flags > MAX_FLAGS) return false;
      const start = numbers[1]!;
      const end = numbers[2]! + 1;
      if (numbers[3] !== end - start) return false;
      const nid = hasNode ? numbers[4]! : -1;
      const record: MemblockRegionLine = isNode(nid)
        ? { start, end, nid, flags, line }
        : { start, end, flags, line };
      draft.keepOwn(regions, record, line);
      return true;
    },
  };
}

function count(list: MemblockList): Shape {
  return {
    text: `${list}.cnt  = 0x%x`,
    take({ numbers }, draft) {
      const dump = draft.dumps.at(-1);
      if (dump === undefined) return false;
      dump.counts[list] = numbers[0]!;
      draft.records++;
      return true;
    },
  };
}

const sizes: Shape = {
  text: 'memory size = 0x%x reserved size = 0x%x',
  take({ numbers }, draft) {
    const dump = draft.dumps.at(-1);
    if (dump === undefined) return false;
    dump.memorySize = numbers[0]!;
    dump.reservedSize = numbers[1]!;
    draft.records++;
    return true;
  },
};

const LISTS = ['memory', 'reserved', 'physmem'] as const;

/** Shapes of memblock's lines. */
export const MEMBLOCK_SHAPES: readonly Shape[] = [
  ...Object.entries(OPERATIONS).flatMap(([name, op]) =>
    DETAILS.map((details) => operation(name, op, details)),
  ),
  ...REQUESTS.flatMap((name) => [request(name, false), request(name, true)]),
  ...LISTS.flatMap((list) => [region(list, false), region(list, true), count(list)]),
  sizes,
];
