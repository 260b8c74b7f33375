import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Memmap, Migratetype } from '@bootmem/memmap';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import {
  buddyinfoOf,
  formatBuddyinfo,
  formatMemInfo,
  formatPagetypeinfo,
  formatZoneinfo,
  fragmentationOf,
  memInfoOf,
  pagetypeinfoOf,
  zoneinfoOf,
} from '@bootmem/buddy-allocator/reports';
import { profileForRelease, statThreshold } from '@bootmem/buddy-allocator/zones';

// Node 0: DMA with a hole, DMA32. Node 1: Normal with a Movable zone. All of it handed over but 256 pages.
let allocator: PageAllocator;

beforeEach(() => {
  const ranges = [
    { startPfn: 0x0, endPfn: 0x9000 },
    { startPfn: 0x100000, endPfn: 0x108000 },
  ];
  const memmap = Memmap.create({ ranges });
  allocator = PageAllocator.create(memmap, [
    { nid: 0, zone: 'DMA', startPfn: 1, endPfn: 0x1000, presentPages: 0xf00 },
    { nid: 0, zone: 'DMA32', startPfn: 0x1000, endPfn: 0x9000, presentPages: 0x8000 },
    { nid: 1, zone: 'Normal', startPfn: 0x100000, endPfn: 0x104000, presentPages: 0x4000 },
    { nid: 1, zone: 'Movable', startPfn: 0x104000, endPfn: 0x108000, presentPages: 0x4000 },
  ]);
  const id = (nid: number, zone: 'DMA' | 'DMA32' | 'Normal' | 'Movable'): number =>
    allocator.zone(nid, zone)!.core.zoneId;
  memmap.initReservedRange(0, 0x100, id(0, 'DMA'));
  memmap.initRange(0x100, 0x1000, id(0, 'DMA'));
  memmap.initRange(0x1000, 0x9000, id(0, 'DMA32'));
  memmap.initRange(0x100000, 0x104000, id(1, 'Normal'));
  memmap.initRange(0x104000, 0x108000, id(1, 'Movable'));
  memmap.pageblocks.setRange(0x100, 0x9000, Migratetype.MOVABLE);
  memmap.pageblocks.setRange(0x100000, 0x108000, Migratetype.MOVABLE);
  allocator.freeBlocks(0x100, 0x1000);
  allocator.freeBlocks(0x1000, 0x9000);
  allocator.freeBlocks(0x100000, 0x104000);
  allocator.freeBlocks(0x104000, 0x108000);
  allocator.setupMarks({ minFreeKbytes: 1024 });
});

afterEach(() => {
  allocator.close();
});

test('buddyinfo lists zones by node and height, with blocks as they lie', () => {
  expect(formatBuddyinfo(buddyinfoOf(allocator))).toBe(
    [
      'Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 ',
      'Node 0, zone    DMA32      0      0      0      0      0      0      0      0      0      0     32 ',
      'Node 1, zone   Normal      0      0      0      0      0      0      0      0      0      0     16 ',
      'Node 1, zone  Movable      0      0      0      0      0      0      0      0      0      0     16 ',
      '',
    ].join('\n'),
  );
});

test('pagetypeinfo counts pageblocks at the stride of the zone, and free blocks by type', () => {
  const [dma, dma32] = pagetypeinfoOf(allocator);
  // The block with pfn 0 was never set: its first page is not memory.
  expect(dma!.pageblocks).toEqual([1, 7, 0, 0, 0]);
  expect(dma!.free[0]![8]).toBe(1);
  expect(dma!.free[1]!.slice(8)).toEqual([0, 1, 3]);
  expect(dma32!.pageblocks).toEqual([0, 64, 0, 0, 0]);
  const text = formatPagetypeinfo(pagetypeinfoOf(allocator));
  expect(text.match(/^Page block order: 9$/gm)).toHaveLength(2);
});

test('an unmovable request turns a pageblock, and reports show it', () => {
  const pfn = allocator.allocPages(8, { nid: 0, zone: 'DMA32', migratetype: 0 })!;
  expect(pfn).toBeDefined();
  const [, dma32] = pagetypeinfoOf(allocator);
  expect(dma32!.pageblocks.slice(0, 2)).toEqual([2, 62]);
  const [, line] = buddyinfoOf(allocator);
  expect(line!.free.slice(8)).toEqual([1, 1, 31]);
  allocator.freePages(pfn, 8);
});

test('zoneinfo has all configured zones, marks, reserves and one page set per attached thread', () => {
  const second = PageAllocator.attach(allocator.toHandle());
  const reports = zoneinfoOf(allocator, {
    nodeCounters: (nid) => ({ nr_dirty: nid + 40 }),
    zoneCounters: (_nid, zone) => ({ nr_mlock: zone === 'DMA' ? 3 : 0 }),
  });
  expect(reports.map(({ nid, zone }) => `${nid} ${zone}`)).toEqual([
    '0 DMA',
    '0 DMA32',
    '0 Normal',
    '0 Movable',
    '0 Device',
    '1 DMA',
    '1 DMA32',
    '1 Normal',
    '1 Movable',
    '1 Device',
  ]);
  const [dma, dma32] = reports;
  expect(dma).toMatchObject({
    startPfn: 1,
    spannedPages: 0xfff,
    presentPages: 0xf00,
    managedPages: 0xf00,
    freePages: 0xf00,
    protection: [0, 128, 128, 128, 128],
  });
  expect(dma32!.counters['nr_free_pages_blocks']).toBe(0x8000);
  expect(dma32!.pagesets).toHaveLength(2);
  expect(dma32!.pagesets[0]!.threshold).toBe(statThreshold(0x8000, 2));
  expect(dma32!.min).toBeGreaterThan(0);
  expect(dma32!.low).toBeGreaterThan(dma32!.min);
  const text = formatZoneinfo(reports, profileForRelease('6.19'));
  expect(text).toContain('      nr_dirty     40\n');
  expect(text).toContain('      nr_mlock     3\n');
  expect(text).toContain('Node 0, zone   Normal\n  pages free     0\n');
  second.close();
  expect(zoneinfoOf(allocator)[1]!.pagesets).toHaveLength(1);
});

test('pages in a cache are in no free count but in the page set', () => {
  const pfn = allocator.allocPages(0, { nid: 0, zone: 'DMA32', migratetype: 1 })!;
  const free = buddyinfoOf(allocator)[1]!.free.reduce((sum, n, order) => sum + n * 2 ** order, 0);
  const { pagesets, freePages } = zoneinfoOf(allocator)[1]!;
  expect(freePages).toBe(free);
  expect(pagesets[0]!.count).toBe(0x8000 - 1 - free);
  const info = memInfoOf(allocator);
  expect(info.zones[1]!.localPcp).toBe(pagesets[0]!.count);
  expect(info.totals['free_pcp']).toBe(pagesets[0]!.count);
  allocator.freePages(pfn, 0);
  allocator.drain();
  expect(zoneinfoOf(allocator)[1]!.pagesets[0]!.count).toBe(0);
});

test('Mem-Info sums up the zones', () => {
  const info = memInfoOf(allocator, { zoneCounters: () => ({ mlocked: 2 }) });
  expect(info.ramPages).toBe(0xf00 + 0x8000 + 0x4000 + 0x4000);
  expect(info.highmemOrMovablePages).toBe(0x4000);
  expect(info.reservedPages).toBe(0);
  const text = formatMemInfo(info);
  expect(text).toContain(
    'Node 0 DMA: 0*4kB 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB ' +
      '1*1024kB (U) 1*2048kB (M) 3*4096kB (M) = 15360kB\n',
  );
  expect(text).toContain(' mlocked:8kB ');
  expect(text).toContain('lowmem_reserve[]: 0 128 128 128 128\n');
});

test('fragmentation of untouched zones is nil', () => {
  const [, dma32] = fragmentationOf(allocator);
  expect(dma32!.unusable).toEqual(new Array(11).fill(0));
  expect(dma32!.fragmentation).toEqual(new Array(11).fill(-1000));
});
