/**
 * What each operation of a trace does with a {@link Memblock}, and how its answer is written.
 */
import { MemFlags } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import type { RegionType } from '../base/types.js';
import type { RangeCursor } from '../list/range-cursor.js';
import type { Memblock } from '../memblock.js';
import { rangesOverlap } from '../parts/queries.js';

/** Arguments with every word translated; read by name and kind. */
export interface Arguments {
  readonly address: (name: string) => number;
  readonly page: (name: string) => number;
  readonly number: (name: string) => number;
  readonly flag: (name: string) => boolean;
  readonly text: (name: string) => string;
  readonly list: (name: string) => RegionType;
  readonly optionalList: (name: string) => RegionType | undefined;
}

/** How an answer is written: decides which of its words are addresses and which are page numbers. */
export type AnswerKind = 'plain' | 'address' | 'pages';

/** An operation: what it does, and the kind of its answer. Answers hold our numbers instead of words. */
interface Operation {
  readonly kind: AnswerKind;
  readonly run: (memblock: Memblock, args: Arguments, print: (text: string) => void) => unknown;
}

const MAX_FREED_LISTED = 1000;
const EXHAUSTED = -12;

const status = (done: boolean): number => (done ? 0 : EXHAUSTED);
const found = (address: number | undefined): number => address ?? 0;

function collect(cursor: RangeCursor): number[][] {
  const ranges: number[][] = [];
  while (cursor.next()) ranges.push([cursor.start, cursor.end, cursor.nid]);
  return ranges;
}

function reserveEach(memblock: Memblock, args: Arguments): number[][] {
  const cursor = memblock.freeRangeCursor({
    nid: args.number('nid'),
    flags: args.number('flags'),
    reverse: args.flag('reverse'),
  });
  const ranges: number[][] = [];
  const where = args.text('where');
  while (ranges.length < args.number('limit') && cursor.next()) {
    const { start, end, nid } = cursor;
    const length = end - start;
    const size = Math.min(args.address('size'), length);
    const rest = length - size;
    const offset = where === 'low' ? 0 : where === 'high' ? rest : Math.floor(rest / 2);
    memblock.reserve(start + offset, size);
    ranges.push([start, end, nid]);
  }
  return ranges;
}

function releaseAll(memblock: Memblock, args: Arguments): unknown {
  const freed: number[][] = [];
  const reservedRanges: unknown[] = [];
  let calls = 0;
  const pages = memblock.releaseFreeRanges(
    {
      freePages: (pfn, order) => {
        if (calls++ < MAX_FREED_LISTED) freed.push([pfn, order]);
      },
      reserveRange: (start, end, nid) => reservedRanges.push([start, end, nid]),
    },
    { maxLowPfn: args.page('max_low_pfn') },
  );
  return { pages, freed_calls: calls, freed, reserved_init: reservedRanges };
}

function reserveMem(memblock: Memblock, args: Arguments): number {
  try {
    return memblock.reserveMem(args.text('param')) === undefined ? EXHAUSTED : 1;
  } catch (error) {
    if (error instanceof MemblockError && error.code === 'ERR_MEMBLOCK_RESERVATION') {
      return error.details['errno'] as number;
    }
    throw error;
  }
}

const bounds = (args: Arguments): { align: number; min: number; max: number; nid: number } => ({
  align: args.address('align'),
  min: args.address('min_addr'),
  max: args.address('max_addr'),
  nid: args.number('nid'),
});

type Call = (memblock: Memblock, args: Arguments) => unknown;

const marking =
  (edit: 'mark' | 'clear', flag: number): Call =>
  (memblock, args) =>
    status(memblock[edit](args.address('base'), args.address('size'), flag));

const walking =
  (type: RegionType, without: RegionType | undefined, reverse: boolean): Call =>
  (memblock, args) =>
    collect(
      memblock.rangeCursor(type, without, {
        nid: args.number('nid'),
        flags: args.number('flags'),
        reverse,
      }),
    );

const plain = (run: Operation['run']): Operation => ({ kind: 'plain', run });
const address = (run: Operation['run']): Operation => ({ kind: 'address', run });
const pages = (run: Operation['run']): Operation => ({ kind: 'pages', run });

/** Every operation of the trace format by name. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: plain((m, a) => status(m.add(a.address('base'), a.address('size')))),
  add_node: plain((m, a) =>
    status(
      m.add(a.address('base'), a.address('size'), {
        nid: a.number('nid'),
        flags: a.number('flags'),
      }),
    ),
  ),
  remove: plain((m, a) => status(m.remove(a.address('base'), a.address('size')))),
  reserve: plain((m, a) => status(m.reserve(a.address('base'), a.address('size')))),
  phys_free: plain((m, a) => status(m.free(a.address('base'), a.address('size')))),
  free: plain((m, a) => {
    // A null pointer is no memory.
    if (a.address('base') !== 0) m.free(a.address('base'), a.address('size'));
    return null;
  }),
  mark_hotplug: plain(marking('mark', MemFlags.HOTPLUG)),
  clear_hotplug: plain(marking('clear', MemFlags.HOTPLUG)),
  mark_mirror: plain(marking('mark', MemFlags.MIRROR)),
  mark_nomap: plain(marking('mark', MemFlags.NOMAP)),
  clear_nomap: plain(marking('clear', MemFlags.NOMAP)),
  reserved_mark_noinit: plain(marking('mark', MemFlags.RSRV_NOINIT)),
  set_node: plain((m, a) =>
    status(m.setNode(a.address('base'), a.address('size'), a.list('type'), a.number('nid'))),
  ),
  phys_alloc: address((m, a) =>
    found(m.physAlloc(a.address('size'), { align: a.address('align') })),
  ),
  phys_alloc_range: address((m, a) =>
    found(
      m.allocRange(a.address('size'), {
        align: a.address('align'),
        start: a.address('start'),
        end: a.address('end'),
      }),
    ),
  ),
  phys_alloc_try_nid: address((m, a) =>
    found(m.physAllocPreferNid(a.address('size'), a.number('nid'), { align: a.address('align') })),
  ),
  alloc_range_nid: address((m, a) =>
    found(
      m.allocRangeNid(a.address('size'), {
        align: a.address('align'),
        start: a.address('start'),
        end: a.address('end'),
        nid: a.number('nid'),
        exact: a.flag('exact_nid'),
      }),
    ),
  ),
  alloc_try_nid: address((m, a) => found(m.allocPreferNid(a.address('size'), bounds(a)))),
  alloc_try_nid_raw: address((m, a) => found(m.allocPreferNidRaw(a.address('size'), bounds(a)))),
  alloc_exact_nid_raw: address((m, a) => found(m.allocExactNid(a.address('size'), bounds(a)))),
  alloc: address((m, a) => found(m.alloc(a.address('size'), { align: a.address('align') }))),
  alloc_raw: address((m, a) => found(m.allocRaw(a.address('size'), { align: a.address('align') }))),
  alloc_from: address((m, a) =>
    found(m.allocFrom(a.address('size'), a.address('min_addr'), { align: a.address('align') })),
  ),
  alloc_node: address((m, a) =>
    found(m.allocNode(a.address('size'), a.number('nid'), { align: a.address('align') })),
  ),
  find_in_range: address((m, a) =>
    found(
      m.findPreferMirror(a.address('size'), {
        align: a.address('align'),
        start: a.address('start'),
        end: a.address('end'),
      }),
    ),
  ),
  find_in_range_node: address((m, a) =>
    found(
      m.findInRange(a.address('size'), {
        align: a.address('align'),
        start: a.address('start'),
        end: a.address('end'),
        nid: a.number('nid'),
        flags: a.number('flags'),
      }),
    ),
  ),
  set_bottom_up: plain((m, a) => {
    m.direction = a.flag('enable') ? 'bottom-up' : 'top-down';
    return null;
  }),
  bottom_up: plain((m) => m.direction === 'bottom-up'),
  has_mirror: plain((m) => m.hasMirror),
  set_current_limit: plain((m, a) => {
    m.currentLimit = a.address('limit');
    return null;
  }),
  get_current_limit: address((m) => m.currentLimit),
  allow_resize: plain((m) => {
    m.allowResize();
    return null;
  }),
  trim_memory: plain((m, a) => {
    m.trimMemory(a.address('align'));
    return null;
  }),
  cap_memory_range: plain((m, a) => {
    m.capMemoryRange(a.address('base'), a.address('size'));
    return null;
  }),
  mem_limit_remove_map: plain((m, a) => {
    m.memLimitRemoveMap(a.address('limit'));
    return null;
  }),
  enforce_memory_limit: plain((m, a) => {
    m.enforceMemoryLimit(a.address('limit'));
    return null;
  }),
  is_memory: plain((m, a) => m.isMemory(a.address('addr'))),
  is_map_memory: plain((m, a) => m.isMapMemory(a.address('addr'))),
  is_reserved: plain((m, a) => m.isReserved(a.address('addr'))),
  is_region_memory: plain((m, a) => m.isRegionMemory(a.address('base'), a.address('size'))),
  is_region_reserved: plain((m, a) => m.isRegionReserved(a.address('base'), a.address('size'))),
  overlaps_region: plain((m, a) =>
    m.overlaps(a.list('type'), a.address('base'), a.address('size')),
  ),
  addrs_overlap: plain((_m, a) =>
    rangesOverlap(
      { base: a.address('base1'), size: a.address('size1') },
      { base: a.address('base2'), size: a.address('size2') },
    ),
  ),
  search_pfn_nid: pages((m, a) => {
    const owner = m.searchPfnNid(a.page('pfn'));
    return owner === undefined ? [-1, null, null] : [owner.nid, owner.startPfn, owner.endPfn];
  }),
  start_of_DRAM: address((m) => m.startOfDram),
  end_of_DRAM: address((m) => m.endOfDram),
  phys_mem_size: address((m) => m.physMemSize),
  reserved_size: address((m) => m.reservedSize),
  estimated_nr_free_pages: pages((m) => m.estimatedFreePages()),
  validate_numa_coverage: plain((m, a) => m.validateNumaCoverage(a.address('threshold_bytes'))),
  for_each_free_mem_range: address(walking('memory', 'reserved', false)),
  for_each_free_mem_range_reverse: address(walking('memory', 'reserved', true)),
  for_each_mem_range: address((m) => [...m.memRanges()].map((r) => [r.start, r.end])),
  for_each_mem_range_rev: address((m) =>
    [...m.memRanges({ reverse: true })].map((r) => [r.start, r.end]),
  ),
  for_each_reserved_mem_range: address((m) => [...m.reservedRanges()].map((r) => [r.start, r.end])),
  __for_each_mem_range: address((m, a) =>
    walking(a.list('type_a'), a.optionalList('type_b'), false)(m, a),
  ),
  __for_each_mem_range_rev: address((m, a) =>
    walking(a.list('type_a'), a.optionalList('type_b'), true)(m, a),
  ),
  for_each_mem_pfn_range: pages((m, a) =>
    [...m.pfnRanges({ nid: a.number('nid') })].map((r) => [r.startPfn, r.endPfn, r.nid]),
  ),
  region_pfns: pages((m) => {
    const of = (type: RegionType): number[][] =>
      m.regionPfns(type).map((r) => [r.startPfn, r.endPfn]);
    return { memory: of('memory'), reserved: of('reserved') };
  }),
  reserve_each_free: address(reserveEach),
  dump_all: plain((m) => {
    m.printDump();
    return null;
  }),
  debugfs_show: plain((m, a, print) => {
    print(m.debugFile(a.list('type')));
    return null;
  }),
  free_all: { kind: 'plain', run: releaseAll },
  reserve_mem_param: plain(reserveMem),
  reserve_mem_find_by_name: address((m, a) => {
    const entry = m.findReservation(a.text('name'));
    return entry === undefined ? [0, null, null] : [1, entry.start, entry.size];
  }),
  reset_attributes: plain((m) => {
    m.direction = 'top-down';
    m.currentLimit = Number.MAX_SAFE_INTEGER;
    return null;
  }),
};
