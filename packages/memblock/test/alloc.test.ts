/** Allocation in both directions: the families of the kernel's own suite. */
import { describe, expect, test } from '@jest/globals';
import {
  ALLOC_ANYWHERE,
  ALLOC_NOLEAKTRACE,
  LOW_ADDRESS_LIMIT,
  Memblock,
  MemFlags,
  PHYS_ADDR_MAX,
  type Direction,
} from '@bootmem/memblock';
import { codeOf, expectAllFree, KIB, MIB, oneRegion, SIZE, spans, START } from './helpers.js';

const END = START + SIZE;
const align = 64;

describe.each<Direction>(['top-down', 'bottom-up'])('%s', (direction) => {
  const down = direction === 'top-down';
  const make = (options = {}): Memblock => oneRegion({ direction, ...options });
  /** The address that a piece of `size` bytes gets in an empty [low, high). */
  const edge = (low: number, high: number, size: number): number => (down ? high - size : low);

  test('alloc takes the first bytes at the end that is allocated from', () => {
    const memblock = make();
    expect(memblock.alloc(2 * KIB)).toBe(edge(START, END, 2 * KIB));
    expect(memblock.reservedSize).toBe(2 * KIB);
    memblock.free(edge(START, END, 2 * KIB), 2 * KIB);
    expectAllFree(memblock);
  });

  // |   ....   |rrr|   a reservation elsewhere is left alone; one at the edge is joined with
  test('alloc next to a reservation at the edge', () => {
    const memblock = make({ profile: '6.12' });
    memblock.reserve(edge(START, END, KIB), KIB);
    const found = memblock.alloc(KIB)!;
    expect(found).toBe(down ? END - 2 * KIB : START + KIB);
    expect(memblock.regionCount('reserved')).toBe(1);
    const late = make();
    late.reserve(edge(START, END, KIB), KIB);
    late.alloc(KIB);
    // From 6.15 on an allocation is marked as the kernel's and does not join a plain reservation.
    expect(late.regionCount('reserved')).toBe(2);
  });

  test('alloc passes over a hole that is too small', () => {
    const memblock = make();
    const hole = edge(START, END, KIB);
    memblock.reserve(down ? hole - KIB : hole + KIB, KIB);
    expect(memblock.alloc(2 * KIB)).toBe(down ? hole - 3 * KIB : hole + 2 * KIB);
    expect(memblock.alloc(KIB)).toBe(hole);
  });

  test('alloc fills an exact hole and fails when only smaller ones are left', () => {
    const memblock = make();
    for (let k = 0; k < 8; k++) memblock.reserve(START + k * 4 * KIB, 3 * KIB);
    expect(memblock.alloc(2 * KIB)).toBeUndefined();
    expect(memblock.alloc(KIB)).toBe(down ? END - KIB : START + 3 * KIB);
    memblock.reserve(START, SIZE);
    expect(memblock.alloc(1)).toBeUndefined();
  });

  test('nothing fits where no memory is, or too little', () => {
    expect(new Memblock({ direction }).alloc(KIB)).toBeUndefined();
    expect(make().alloc(SIZE + 1)).toBeUndefined();
    expect(make().alloc(SIZE)).toBe(START);
  });

  test('a fit never spans two regions that touch', () => {
    const memblock = new Memblock({ direction });
    memblock.add(START, KIB, { nid: 0 });
    memblock.add(START + KIB, KIB, { nid: 1 });
    expect(memblock.alloc(KIB + 64)).toBeUndefined();
    expect(memblock.alloc(KIB)).toBeDefined();
  });

  test('page 0 is never handed out', () => {
    const memblock = new Memblock({ direction });
    memblock.add(0, 8 * KIB);
    expect(memblock.alloc(4 * KIB)).toBe(4 * KIB);
    expect(memblock.alloc(1)).toBeUndefined();
  });

  test('the result is aligned, the size need not be', () => {
    const memblock = make();
    const found = memblock.alloc(100, { align: KIB })!;
    expect(found).toBe(down ? END - KIB : START);
    expect(memblock.regionAt('reserved', found)!.size).toBe(100);
  });

  test('allocFrom prefers its lower bound and gives it up', () => {
    const memblock = make();
    expect(memblock.allocFrom(KIB, START + 100, { align: KIB })).toBe(
      down ? END - KIB : START + KIB,
    );
    expect(memblock.allocFrom(KIB, END - 512, { align: KIB })).toBe(down ? END - 2 * KIB : START);
    expect(memblock.allocFrom(SIZE, END)).toBeUndefined();
  });

  test('the upper bound is hard, the lower is not', () => {
    const memblock = make();
    const narrow = { align, min: START + KIB, max: START + KIB + 512 };
    expect(memblock.allocPreferNid(512, narrow)).toBe(START + KIB);
    // Nothing is left there: below it instead, never above.
    expect(memblock.allocPreferNid(512, narrow)).toBe(down ? START + KIB - 512 : START);
    expect(memblock.allocPreferNid(512, { max: START })).toBeUndefined();
    expect(memblock.allocPreferNidRaw(512, { max: START + 512 - 1 })).toBeUndefined();
  });

  test('the current limit holds for all but the range family without limit', () => {
    const memblock = make();
    memblock.currentLimit = START + 4 * KIB;
    expect(memblock.alloc(KIB)!).toBeLessThan(START + 4 * KIB);
    expect(memblock.allocPreferNid(KIB, { max: ALLOC_ANYWHERE })!).toBeLessThan(START + 4 * KIB);
    expect(memblock.allocRange(KIB, { end: ALLOC_NOLEAKTRACE })!).toBeLessThan(START + 4 * KIB);
    const free = memblock.allocRange(KIB, { start: START + 8 * KIB, end: ALLOC_ANYWHERE })!;
    expect(free).toBe(edge(START + 8 * KIB, END, KIB));
    expect(memblock.allocRange(KIB, { start: START + 8 * KIB })).toBeUndefined();
  });

  test('allocLow stays below 4 GiB', () => {
    const memblock = make();
    memblock.add(8 * 1024 * MIB, MIB);
    expect(memblock.allocLow(KIB)! + KIB).toBeLessThanOrEqual(LOW_ADDRESS_LIMIT);
  });

  test('removable, unmapped and driver memory is passed over', () => {
    for (const [flag, options] of [
      [MemFlags.NOMAP, {}],
      [MemFlags.DRIVER_MANAGED, {}],
      [MemFlags.HOTPLUG, { movableNode: true }],
    ] as const) {
      const memblock = make(options);
      memblock.mark(START, SIZE, flag);
      expect(memblock.alloc(KIB)).toBeUndefined();
      expect(memblock.findInRange(KIB, { flags: flag })).toBe(edge(START, END, KIB));
    }
    const movable = make();
    movable.mark(START, SIZE, MemFlags.HOTPLUG);
    expect(movable.alloc(KIB)).toBeDefined();
  });

  test('scratch memory only', () => {
    const memblock = make();
    memblock.setScratchOnly(true);
    expect(memblock.alloc(KIB)).toBeUndefined();
    memblock.mark(START + KIB, 2 * KIB, MemFlags.KHO_SCRATCH);
    expect(memblock.alloc(KIB)).toBe(edge(START + KIB, START + 3 * KIB, KIB));
  });

  // node 0: mirrored and plain, node 1: mirrored and plain
  test('mirrored on the node, mirrored elsewhere, the node, anywhere', () => {
    const printed: string[] = [];
    const memblock = new Memblock({
      direction,
      mirroredKernelcore: true,
      log: (text) => printed.push(text),
    });
    for (const nid of [0, 1]) memblock.add(MIB + nid * 4 * KIB, 4 * KIB, { nid });
    memblock.mark(MIB, 2 * KIB, MemFlags.MIRROR);
    memblock.mark(MIB + 4 * KIB, 2 * KIB, MemFlags.MIRROR);
    const place = (nid: number): readonly [number | undefined, boolean | undefined] => {
      const found = memblock.allocNode(2 * KIB, nid);
      if (found === undefined) return [undefined, undefined];
      const region = memblock.regionAt('memory', found)!;
      return [region.nid, (region.flags & MemFlags.MIRROR) !== 0];
    };
    expect([place(0), place(0), place(0), place(0), place(0)]).toEqual([
      [0, true],
      [1, true],
      [0, false],
      [1, false],
      [undefined, undefined],
    ]);
    expect(printed).toHaveLength(3);
  });

  test('size 0 finds a place and takes nothing', () => {
    const memblock = make();
    expect(memblock.alloc(0)).toBe(down ? END : START);
    // A range below the limits counts as an empty one at their lower end.
    expect(memblock.findInRange(0, { start: END, end: END + 4 * KIB })).toBe(
      down ? END : undefined,
    );
    expect(memblock.reservedSize).toBe(0);
  });

  test('many reservations: the same answers as by looking at every hole', () => {
    const memblock = new Memblock({ direction });
    memblock.add(MIB, 64 * MIB);
    // Holes of 1 KiB but for three large ones.
    for (let k = 0; k < 1000; k++) {
      if (k % 300 !== 150) memblock.reserve(MIB + k * 4 * KIB, 3 * KIB);
    }
    memblock.reserve(MIB + 4000 * KIB, 61 * MIB - 4000 * KIB + 3 * MIB);
    const wanted = (k: number): number => MIB + k * 4 * KIB;
    const order = down ? [750, 450, 150] : [150, 450, 750];
    expect(order.map(() => memblock.alloc(4 * KIB, { align: 4 * KIB }))).toEqual(order.map(wanted));
    expect(memblock.alloc(4 * KIB)).toBeUndefined();
    // Windows that begin and end within a chunk.
    for (const k of [3, 130, 400, 999]) {
      const start = wanted(k) + 3 * KIB;
      expect(memblock.allocRange(KIB, { start, end: start + KIB })).toBe(start);
      expect(memblock.allocRange(KIB, { start, end: start + KIB })).toBeUndefined();
    }
    memblock.verify();
  });
});

test.each<Direction>(['top-down', 'bottom-up'])(
  '%s: a hole of just the size is found',
  (direction) => {
    const memblock = new Memblock({ direction });
    memblock.add(MIB, 4 * MIB);
    // Holes of 1 KiB, and one of 2 KiB deep inside.
    for (let k = 0; k < 1024; k++) {
      if (k === 500) memblock.reserve(MIB + k * 4 * KIB, 2 * KIB);
      else memblock.reserve(MIB + k * 4 * KIB, 3 * KIB);
    }
    expect(memblock.alloc(2 * KIB)).toBe(MIB + 500 * 4 * KIB + 2 * KIB);
    expect(memblock.alloc(2 * KIB)).toBeUndefined();
  },
);

test('a node is a wish, an exact node is not', () => {
  const memblock = new Memblock();
  for (const nid of [0, 1, 2]) memblock.add(MIB * (nid + 1), MIB, { nid });
  expect(memblock.allocNode(KIB, 1)).toBe(3 * MIB - KIB);
  expect(memblock.allocExactNid(2 * MIB, { nid: 1 })).toBeUndefined();
  memblock.reserve(2 * MIB, MIB);
  expect(memblock.allocExactNid(KIB, { nid: 1 })).toBeUndefined();
  expect(memblock.allocNode(KIB, 1)).toBe(4 * MIB - KIB);
  expect(memblock.physAllocPreferNid(KIB, 0)).toBe(2 * MIB - KIB);
  expect(memblock.physAllocPreferNid(KIB, 1)).toBe(4 * MIB - 2 * KIB);
  // The lower bound is dropped for an exact node as well; no node is any node.
  expect(memblock.allocExactNid(KIB, { nid: 0, min: 3 * MIB })).toBe(2 * MIB - 2 * KIB);
  expect(memblock.allocExactNid(KIB, { nid: -1 })).toBe(4 * MIB - 3 * KIB);
  expect(memblock.allocExactNid(KIB, { nid: 9 })).toBeUndefined();
  expect(memblock.allocRangeNid(KIB, { nid: 7, exact: true })).toBeUndefined();
  expect(memblock.allocRangeNid(KIB, { nid: 7 })).toBeDefined();
  // A request larger than any node's memory, though all of it together would do.
  expect(memblock.allocNode(MIB + KIB, 0)).toBeUndefined();
});

test('an allocation records its node and that the kernel took it', () => {
  const memblock = new Memblock();
  memblock.add(MIB, MIB, { nid: 2 });
  const found = memblock.allocNode(KIB, 2)!;
  expect(memblock.regionAt('reserved', found)).toMatchObject({
    nid: 2,
    flags: MemFlags.RSRV_KERN,
  });
  const fallback = memblock.allocNode(KIB, 0)!;
  expect(memblock.regionAt('reserved', fallback)).toMatchObject({ nid: -1 });
  expect(memblock.reservedKernSize(PHYS_ADDR_MAX)).toBe(2 * KIB);
  expect(memblock.reservedKernSize(PHYS_ADDR_MAX, 2)).toBe(KIB);
  expect(memblock.reservedKernSize(found + 512)).toBe(KIB + 512);
  expect(memblock.estimatedFreePages()).toBe((MIB - 2 * KIB - 2 * KIB) / 4096);
});

test('every allocated range is accepted before it is handed out', () => {
  const accepted: [number, number][] = [];
  const memblock = oneRegion({ accept: (base, size) => accepted.push([base, size]) });
  const found = memblock.alloc(KIB)!;
  expect(accepted).toEqual([[found, KIB]]);
});

test('alignment 0 stands for the cache line and warns', () => {
  const heard: string[] = [];
  const memblock = oneRegion({ cacheLineSize: 128, warn: ({ kind }) => heard.push(kind) });
  expect(memblock.alloc(1, { align: 0 })).toBe(END - 128);
  expect(memblock.physAlloc(1)).toBe(END - 256);
  expect(heard).toEqual(['no-alignment']);
});

test('other alignments are refused, or applied as a mask', () => {
  expect(codeOf(() => oneRegion().alloc(1, { align: 48 }))).toBe('ERR_MEMBLOCK_ALIGNMENT');
  expect(
    codeOf(() => {
      oneRegion().trimMemory(0);
    }),
  ).toBe('ERR_MEMBLOCK_ALIGNMENT');
  const mask = oneRegion({ oddAlignment: 'mask' });
  // 47 as a mask keeps the bit 16 clear only by chance of the address.
  const down = mask.alloc(1, { align: 48 })!;
  expect(BigInt(down) & 47n).toBe(0n);
  mask.direction = 'bottom-up';
  expect(BigInt(mask.findInRange(1, { align: 48, start: START + 3 })!)).toBe(
    ((BigInt(START) + 2n) | 47n) + 1n,
  );
  expect(mask.findInRange(1, { align: 0 })).toBeDefined();
});

test('allocOrThrow throws what the kernel panics with', () => {
  const printed: string[] = [];
  const memblock = oneRegion({ log: (text) => printed.push(text), caller: () => 'setup_arch' });
  expect(memblock.allocOrThrow(KIB)).toBe(END - KIB);
  expect(codeOf(() => memblock.allocOrThrow(MIB))).toBe('ERR_MEMBLOCK_OUT_OF_MEMORY');
  expect(printed).toEqual(['setup_arch: Failed to allocate 0x0000000000100000 bytes\n']);
});

test('finding takes nothing, and prefers mirrored memory once there is any', () => {
  const memblock = oneRegion({ mirroredKernelcore: true });
  expect(memblock.findPreferMirror(KIB)).toBe(END - KIB);
  memblock.mark(START, 2 * KIB, MemFlags.MIRROR);
  expect(memblock.findPreferMirror(KIB)).toBe(START + KIB);
  expect(memblock.findPreferMirror(4 * KIB, { align: 0 })).toBe(END - 4 * KIB);
  expect(memblock.findPreferMirror(MIB)).toBeUndefined();
  expect(memblock.reservedSize).toBe(0);
});

test('debug lines: the request, then what it got', () => {
  const lines: string[] = [];
  const log = (text: string): void => {
    lines.push(text);
  };
  const late = oneRegion({ debug: true, log });
  late.alloc(KIB, { align: 64 });
  late.allocNode(KIB, 1);
  late.reserve(START, 0);
  late.add(START, KIB, { nid: 1, flags: 1 });
  expect(lines).toEqual([
    'memblock_add: [0x0000000001000000-0x0000000001007fff] <caller>\n',
    'memblock_alloc_try_nid: 1024 bytes align=0x40 nid=-1 from=0x0000000000000000 max_addr=0x0000000000000000 <caller>\n',
    '__memblock_reserve: [0x0000000001007c00-0x0000000001007fff] nid=-1 flags=20 <caller>\n',
    'memblock_alloc_try_nid: 1024 bytes align=0x40 nid=1 from=0x0000000000000000 max_addr=0x0000000000000000 <caller>\n',
    '__memblock_reserve: [0x0000000001007800-0x0000000001007bff] nid=-1 flags=20 <caller>\n',
    '__memblock_reserve: [0x0000000001000000-0x0000000000ffffff] nid=-1 flags=0 <caller>\n',
    'memblock_add_node: [0x0000000001000000-0x00000000010003ff] nid=1 flags=1 <caller>\n',
  ]);
  lines.length = 0;
  const early = new Memblock({ debug: true, log, profile: '6.12', caller: () => 'here+0x1/0x2' });
  early.reserve(0, 0);
  early.allocExactNid(2 ** 52 + 1, { max: ALLOC_ANYWHERE });
  early.addPhysmem(0x1000, 0x1000);
  expect(lines).toEqual([
    'memblock_reserve: [0x0000000000000000-0xffffffffffffffff] here+0x1/0x2\n',
    'memblock_alloc_exact_nid_raw: 18442240474082181121 bytes align=0x40 nid=-1 from=0x0000000000000000 max_addr=0xffffffffffffffff here+0x1/0x2\n',
    'memblock_physmem_add: [0x0000000000001000-0x0000000000001fff] here+0x1/0x2\n',
  ]);
});

test('bad arguments throw before anything changes', () => {
  const memblock = oneRegion();
  const before = memblock.toState();
  const bad = [NaN, 1.5, -1, 2 ** 53, Infinity, '7' as unknown as number];
  for (const value of bad) {
    for (const work of [
      () => memblock.add(value, 1),
      () => memblock.add(1, value),
      () => memblock.reserve(value, 1),
      () => memblock.remove(1, value),
      () => memblock.free(value, 1),
      () => memblock.addPhysmem(value, 1),
      () => memblock.mark(value, 1, MemFlags.NOMAP),
      () => memblock.setNode(1, value, 'memory', 0),
      () => memblock.alloc(value),
      () => memblock.alloc(1, { align: value }),
      () => memblock.allocRange(1, { start: value }),
      () => memblock.allocRange(1, { end: value }),
      () => memblock.allocFrom(1, value),
      () => memblock.isMemory(value),
      () => memblock.isMapMemory(value),
      () => memblock.regionAt('memory', value),
      () => memblock.searchPfnNid(value),
      () => {
        memblock.enforceMemoryLimit(value);
      },
      () => {
        memblock.memLimitRemoveMap(value);
      },
      () => {
        memblock.capMemoryRange(value, 1);
      },
      () => (memblock.currentLimit = value),
    ]) {
      expect(codeOf(work)).toBe('ERR_MEMBLOCK_ARGUMENT');
    }
  }
  for (const nid of [-2, 1025, 1.5, NaN]) {
    expect(codeOf(() => memblock.add(1, 1, { nid }))).toBe('ERR_MEMBLOCK_ARGUMENT');
    expect(codeOf(() => memblock.setNode(1, 1, 'memory', nid))).toBe('ERR_MEMBLOCK_ARGUMENT');
  }
  for (const flags of [-1, 0x10000, 0.5]) {
    expect(codeOf(() => memblock.add(1, 1, { flags }))).toBe('ERR_MEMBLOCK_ARGUMENT');
  }
  for (const flag of [0, 3, 0x80, 1.5, -1]) {
    expect(codeOf(() => memblock.mark(1, 1, flag))).toBe('ERR_MEMBLOCK_ARGUMENT');
    expect(codeOf(() => memblock.clear(1, 1, flag))).toBe('ERR_MEMBLOCK_ARGUMENT');
  }
  expect(codeOf(() => memblock.allocNode(1, NaN))).toBe('ERR_MEMBLOCK_ARGUMENT');
  expect(codeOf(() => [...memblock.freeRanges({ nid: 0.5 })])).toBe('ERR_MEMBLOCK_ARGUMENT');
  expect(codeOf(() => memblock.regions('ram' as 'memory'))).toBe('ERR_MEMBLOCK_ARGUMENT');
  expect(codeOf(() => (memblock.direction = 'up' as Direction))).toBe('ERR_MEMBLOCK_ARGUMENT');
  expect(memblock.toState()).toEqual(before);
  expect(spans(memblock.regions('memory'))).toEqual(['1000000-1008000']);
});

test('bad options throw', () => {
  const options = [
    { pageSize: 3000 },
    { cacheLineSize: 0 },
    { maxNodes: 0 },
    { maxNodes: 40_000 },
    { profile: 2.4 as unknown as string },
    { currentLimit: -1 },
    { direction: 'sideways' as Direction },
    { capacity: { memory: 0 } },
    { capacity: { reserved: 1.5 } },
  ];
  for (const option of options) expect(codeOf(() => new Memblock(option))).toMatch(/^ERR_MEMBLOCK/);
});
