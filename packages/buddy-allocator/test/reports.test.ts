import { expect, test } from '@jest/globals';
import { MIGRATETYPE_NAMES } from '@bootmem/memmap';
import {
  formatBuddyinfo,
  formatFragmentationIndex,
  formatMemInfo,
  formatPagetypeinfo,
  formatUnusableIndex,
  formatZoneinfo,
  bootLines,
  type MemInfo,
  type ZoneinfoReport,
} from '@bootmem/buddy-allocator/reports';
import { fragmentationIndex, unusableIndex } from '../dist/reports/fragmentation.js';
import type { MemInfoZone } from '../dist/reports/mem-info.js';
import { profileForRelease } from '@bootmem/buddy-allocator/zones';

const orders = (counts: Record<number, number>): number[] =>
  Array.from({ length: 11 }, (_, order) => counts[order] ?? 0);

test('buddyinfo lines end with a space', () => {
  const text = formatBuddyinfo([
    { nid: 0, zone: 'DMA', free: orders({ 9: 1, 10: 3 }) },
    { nid: 1, zone: 'Movable', free: orders({ 0: 1234567 }) },
  ]);
  expect(text).toBe(
    'Node 0, zone      DMA      0      0      0      0      0      0      0      0      0      1      3 \n' +
      'Node 1, zone  Movable 1234567      0      0      0      0      0      0      0      0      0      0 \n',
  );
});

test('pagetypeinfo repeats its header for every node and stops counting at 100000', () => {
  const empty = orders({});
  const zone = (nid: number, first: number) => ({
    nid,
    zone: 'Normal' as const,
    free: [empty, orders({ 0: first }), empty, empty, empty],
    pageblocks: [1, 7, 0, 0, 0],
  });
  const text = formatPagetypeinfo([zone(0, 99999), zone(1, 100000)]);
  const lines = text.split('\n');
  expect(lines.filter((line) => line === 'Page block order: 9')).toHaveLength(2);
  expect(lines.slice(0, 6)).toEqual([
    'Page block order: 9',
    'Pages per block:  512',
    '',
    'Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 ',
    'Node    0, zone   Normal, type    Unmovable      0      0      0      0      0      0      0      0      0      0      0 ',
    'Node    0, zone   Normal, type      Movable  99999      0      0      0      0      0      0      0      0      0      0 ',
  ]);
  expect(text).toContain('Node    1, zone   Normal, type      Movable >100000      0 ');
  expect(lines.slice(9, 13)).toEqual([
    '',
    'Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic      Isolate ',
    'Node 0, zone   Normal            1            7            0            0            0 ',
    'Page block order: 9',
  ]);
});

test('pagetypeinfo with CMA, other geometry and page owners', () => {
  const text = formatPagetypeinfo(
    [
      {
        nid: 0,
        zone: 'DMA',
        free: [[1, 2]],
        pageblocks: [1, 2, 3, 4, 5, 6],
        mixedPageblocks: [0, 1, 0, 0, 0, 0],
      },
    ],
    { migratetypes: MIGRATETYPE_NAMES, pageblockOrder: 1, maxOrder: 1 },
  );
  expect(text).toContain('Page block order: 1\nPages per block:  2\n');
  expect(text).toContain('type          CMA      0      0 \n');
  expect(text).toContain('type    Unmovable      1      2 \n');
  expect(
    text.endsWith(
      '\nNumber of mixed blocks    Unmovable      Movable  Reclaimable   HighAtomic          CMA      Isolate \n' +
        'Node 0, zone      DMA            0            1            0            0            0            0 \n',
    ),
  ).toBe(true);
});

const zoneReport = (changes: Partial<ZoneinfoReport>): ZoneinfoReport => ({
  nid: 0,
  zone: 'DMA',
  freePages: 3584,
  boost: 0,
  min: 67,
  low: 83,
  high: 99,
  promo: 115,
  spannedPages: 4095,
  presentPages: 3998,
  managedPages: 3840,
  cmaPages: 0,
  protection: [0, 2938],
  counters: {},
  nodeCounters: {},
  pagesets: [],
  nodeUnreclaimable: false,
  startPfn: 1,
  ...changes,
});

test('zoneinfo of an empty zone ends with its protection', () => {
  const text = formatZoneinfo(
    [zoneReport({ zone: 'Movable', presentPages: 0, min: 32, startPfn: 0 })],
    profileForRelease('6.12'),
  );
  expect(text).toBe(
    [
      'Node 0, zone  Movable',
      '  pages free     3584',
      '        boost    0',
      '        min      32',
      '        low      83',
      '        high     99',
      '        promo    115',
      '        spanned  4095',
      '        present  0',
      '        managed  3840',
      '        cma      0',
      '        protection: (0, 2938)',
      '',
    ].join('\n'),
  );
});

test('zoneinfo of 6.19: promo, wide page set labels, unknown counters last, high-atomic tail', () => {
  const text = formatZoneinfo(
    [
      zoneReport({
        counters: { nr_mlock: 7, my_counter: 3 },
        numa: { numa_hit: 9 },
        pagesets: [
          { cpu: 2, count: 5, high: 83, batch: 1, highMin: 4, highMax: 120, threshold: 6 },
        ],
        nodeUnreclaimable: true,
        reservedHighatomic: 512,
        freeHighatomic: 100,
      }),
    ],
    profileForRelease('6.19'),
  );
  expect(text).toContain('Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 0\n');
  expect(text).toContain('\n      nr_free_pages 3584\n      nr_free_pages_blocks 0\n');
  expect(text).toContain('\n      nr_mlock     7\n');
  expect(text).toContain('\n      nr_unaccepted 0\n      my_counter   3\n      numa_hit     9\n');
  expect(text.slice(text.indexOf('\n  pagesets'))).toBe(
    [
      '',
      '  pagesets',
      '    cpu: 2',
      '              count:    5',
      '              high:     83',
      '              batch:    1',
      '              high_min: 4',
      '              high_max: 120',
      '  vm stats threshold: 6',
      '  node_unreclaimable:  1',
      '  start_pfn:           1',
      '  reserved_highatomic: 512',
      '  free_highatomic:     100',
      '',
    ].join('\n'),
  );
});

test('zoneinfo prints node counters once, under the first populated zone', () => {
  const text = formatZoneinfo(
    [
      zoneReport({ presentPages: 0 }),
      zoneReport({ zone: 'DMA32' }),
      zoneReport({ zone: 'Normal' }),
      zoneReport({ nid: 1, zone: 'Normal', nodeCounters: { nr_dirty: 5 } }),
    ],
    profileForRelease('6.1'),
  );
  expect(text.split('per-node stats')).toHaveLength(3);
  expect(text.indexOf('per-node stats')).toBeGreaterThan(text.indexOf('DMA32'));
  expect(text).toContain('\n      nr_dirty     5\n');
  expect(text).not.toContain('numa_hit');
  expect(text).not.toContain('promo ');
});

// Free memory of 100 pages: 4 single pages, 16 blocks of order 1, 4 of order 4.
const FREE = orders({ 0: 4, 1: 16, 4: 4 });

test('unusable index: the part of free memory in blocks that are too small', () => {
  expect(unusableIndex(FREE, 0)).toBe(0);
  expect(unusableIndex(FREE, 1)).toBe(40);
  expect(unusableIndex(FREE, 4)).toBe(360);
  expect(unusableIndex(FREE, 5)).toBe(1000);
  expect(unusableIndex(orders({}), 3)).toBe(1000);
});

test('fragmentation index: towards 0 no memory, towards 1000 fragmented, -1000 would succeed', () => {
  expect(fragmentationIndex(FREE, 4)).toBe(-1000);
  // 24 blocks hold 100 pages, 3 requests of 32 pages: 1000 - (1000 + 3125) / 24.
  expect(fragmentationIndex(FREE, 5)).toBe(1000 - 171);
  // One page free, a big request: lack of memory.
  expect(fragmentationIndex(orders({ 0: 1 }), 10)).toBe(0);
  // A thousand single pages: fragmentation.
  expect(fragmentationIndex(orders({ 0: 1000 }), 9)).toBe(998);
  expect(fragmentationIndex(orders({}), 3)).toBe(0);
  expect(fragmentationIndex(FREE, 11)).toBe(0);
});

test('index tables', () => {
  const zones = [{ nid: 0, zone: 'DMA32' as const, free: FREE }];
  expect(formatUnusableIndex(zones)).toBe(
    'Node 0, zone    DMA32 0.000 0.040 0.360 0.360 0.360 1.000 1.000 1.000 1.000 1.000 1.000 \n',
  );
  expect(formatFragmentationIndex(zones)).toBe(
    'Node 0, zone    DMA32 -1.000 -1.000 -1.000 -1.000 -1.000  0.829  0.894  0.926  0.943  0.951  0.955 \n',
  );
});

const memZone: MemInfoZone = {
  nid: 0,
  zone: 'DMA32',
  freePages: 703,
  boost: 10,
  min: 40,
  low: 50,
  high: 60,
  reservedHighatomic: 512,
  freeHighatomic: 3,
  presentPages: 1000,
  managedPages: 900,
  counters: { active_anon: 1, zspages: 2, writepending: 3 },
  freePcp: 7,
  localPcp: 5,
  freeCma: 0,
  lowmemReserve: [0, 0, 956],
  free: [
    { blocks: 3, types: 0b000111 },
    { blocks: 0, types: 0 },
    { blocks: 1, types: 0b001000 },
    { blocks: 2, types: 0b110000 },
  ],
};

const MEM_INFO: MemInfo = {
  totals: { active_anon: 1, isolated_file: 2, free: 703, free_pcp: 7 },
  nodes: [{ nid: 0, counters: { kernel_stack: 4, Balloon: 0 }, allUnreclaimable: false }],
  zones: [memZone],
  pagecachePages: 11,
  swap: { cachePages: 0, freeKbytes: 100, totalKbytes: 200 },
  ramPages: 1000,
  highmemOrMovablePages: 0,
  reservedPages: 100,
  hwpoisonedPages: 0,
};

test('Mem-Info: pages for the machine, kB below, KB for high-atomic, letters of types with blocks', () => {
  expect(formatMemInfo(MEM_INFO)).toBe(
    [
      'Mem-Info:',
      'active_anon:1 inactive_anon:0 isolated_anon:0',
      ' active_file:0 inactive_file:0 isolated_file:2',
      ' unevictable:0 dirty:0 writeback:0',
      ' slab_reclaimable:0 slab_unreclaimable:0',
      ' mapped:0 shmem:0 pagetables:0',
      ' sec_pagetables:0 bounce:0',
      ' kernel_misc_reclaimable:0',
      ' free:703 free_pcp:7 free_cma:0',
      'Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:0kB unevictable:0kB' +
        ' isolated(anon):0kB isolated(file):0kB mapped:0kB dirty:0kB writeback:0kB shmem:0kB' +
        ' shmem_thp:0kB shmem_pmdmapped:0kB anon_thp:0kB kernel_stack:16kB pagetables:0kB' +
        ' sec_pagetables:0kB all_unreclaimable? no Balloon:0kB',
      'Node 0 DMA32 free:2812kB boost:40kB min:160kB low:200kB high:240kB' +
        ' reserved_highatomic:2048KB free_highatomic:12KB active_anon:4kB inactive_anon:0kB' +
        ' active_file:0kB inactive_file:0kB unevictable:0kB writepending:12kB zspages:8kB' +
        ' present:4000kB managed:3600kB mlocked:0kB bounce:0kB free_pcp:28kB local_pcp:20kB' +
        ' free_cma:0kB',
      'lowmem_reserve[]: 0 0 956',
      'Node 0 DMA32: 3*4kB (UME) 0*8kB 1*16kB (H) 2*32kB (CI) = 92kB',
      '11 total pagecache pages',
      '0 pages in swap cache',
      'Free swap  = 100kB',
      'Total swap = 200kB',
      '1000 pages RAM',
      '0 pages HighMem/MovableOnly',
      '100 pages reserved',
      '0 pages hwpoisoned',
      '',
    ].join('\n'),
  );
});

test('Mem-Info without balloon, with CMA, of a node that reclaim gave up on', () => {
  const text = formatMemInfo({
    ...MEM_INFO,
    nodes: [{ nid: 3, counters: {}, allUnreclaimable: true }],
    cmaReservedPages: 8,
  });
  expect(text).toContain('Node 3 active_anon:0kB');
  expect(text).toContain(' all_unreclaimable? yes\n');
  expect(text).toContain('100 pages reserved\n8 pages cma reserved\n0 pages hwpoisoned\n');
});

test('the Memory: line', () => {
  expect(
    bootLines.memory({
      available: 3812644,
      total: 8020472,
      kernelCode: 14343,
      rwdata: 2338,
      rodata: 9116,
      init: 2820,
      bss: 17356,
      reserved: 324032,
      cmaReserved: 0,
    }),
  ).toBe(
    'Memory: 3812644K/8020472K available (14343K kernel code, 2338K rwdata, 9116K rodata, ' +
      '2820K init, 17356K bss, 324032K reserved, 0K cma-reserved)',
  );
});
