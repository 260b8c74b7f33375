// The readers of recorded boots that several packages' tests and all conformance runs rest on: every file of
// the recordings in the repository reads back, and what can be cross-checked agrees.
import { expect, test } from '@jest/globals';
import {
  NID_NONE,
  OracleError,
  expandPageblocks,
  fixtureOracle,
  listBoots,
  listPfns,
  readConstants,
  readFreeLists,
  readMemblock,
  readMemoryBlocks,
  readStructPages,
  readZoneinfo,
} from '@bootmem-tools/oracle';

const dir = fixtureOracle('boots')!;
const rows = listBoots(dir).map((boot) => [boot.name, boot] as const);

test.each(rows)('%s: list counts and totals agree with the lists', (_name, boot) => {
  expect(boot.points('freelists')).toEqual(['P5', 'P6', 'P7']);
  for (const point of boot.points('freelists')) {
    const { lists, totalFreePages } = boot.freeLists(point);
    const totals = new Map<string, number>();
    for (const list of lists) {
      const pfns = [...listPfns(list)];
      expect(pfns).toHaveLength(list.count);
      expect(pfns.every((pfn) => pfn % 2 ** list.order === 0)).toBe(true);
      const zone = `${list.nid}/${list.zone}`;
      totals.set(zone, (totals.get(zone) ?? 0) + list.count * 2 ** list.order);
    }
    for (const [zone, pages] of totals) expect(totalFreePages.get(zone)).toBe(pages);
  }
});

test.each(rows)('%s: memory, zones and blocks agree with each other', (_name, boot) => {
  const { memory, reserved } = boot.memblock('P4');
  expect(memory.regions).toHaveLength(memory.count);
  expect(reserved.regions).toHaveLength(reserved.count);
  expect(reserved.regions.some((region) => region.nid === NID_NONE)).toBe(true);
  const zones = boot.zones('P5');
  const managed = zones.nodes.flatMap((node) => node.zones.map((zone) => zone.managed));
  expect(managed.length).toBe(zones.nodes.length * 5);
  const { blockSize, blocks } = boot.memoryBlocks();
  expect(blockSize).toBe(128 * 1024 * 1024);
  const nids = new Set(blocks.flatMap((block) => block.nids));
  expect([...nids].sort()).toEqual(zones.nodes.map((node) => node.nid));
  expect(boot.nodes().map((node) => node.nid)).toEqual(zones.nodes.map((node) => node.nid));
  expect(boot.numaMeminfo().at(-1)!.end).toBe(zones.maxPfn * 4096);
});

test.each(rows)('%s: sections hold 64 pageblocks, /proc files have all zones', (_name, boot) => {
  for (const section of boot.sections('P5')) expect(expandPageblocks(section)).toHaveLength(64);
  const nodes = boot.zones('P7').nodes.length;
  expect(boot.zoneinfo()).toHaveLength(nodes * 5);
  const populated = boot.zoneinfo().filter((zone) => zone.stats.length > 0);
  const names = populated.map(({ nid, zone }) => `${nid} ${zone}`);
  expect(boot.buddyinfo().map(({ nid, zone }) => `${nid} ${zone}`)).toEqual(names);
  const types = boot.pagetypeinfo().flatMap((node) => node.blocks);
  expect(types.map(({ nid, zone }) => `${nid} ${zone}`)).toEqual(names);
  expect(boot.iomem().some((line) => line.name === 'Kernel code' && line.depth === 1)).toBe(true);
  expect(boot.firmwareMemmap().some((entry) => entry.type === 'System RAM')).toBe(true);
  expect(boot.sysctl().get('watermark_scale_factor')).toBe('10');
  expect(boot.dmesg().some((line) => line.startsWith('Zone ranges:'))).toBe(true);
});

test.each(rows)('%s: runs of page descriptors follow each other', (_name, boot) => {
  const runs = boot.points('structpages').flatMap((point) => [...boot.structPages(point)]);
  expect(runs.length > 0).toBe(boot.name !== 'k61-4n-odd');
  let end = 0;
  for (const run of runs) {
    expect(run.start).toBeGreaterThanOrEqual(end);
    end = run.start + run.count;
  }
});

test('releases and constants', () => {
  expect(rows.map(([, boot]) => boot.meta().kernel.split('.', 2).join('.'))).toEqual([
    '6.1',
    '6.1',
    '6.12',
  ]);
  const constants = readConstants(dir);
  for (const [, boot] of rows) {
    expect(constants[boot.meta().kernel]!.sizeof['page']).toBe(64);
  }
  expect(fixtureOracle('corpus')).toBeUndefined();
});

test.each<[string, () => unknown]>([
  [
    'a memblock region',
    () =>
      readMemblock('bottom_up=0 current_limit=0x0\nmemory cnt=1 max=1 total_size=0x1\nmemory[0] x'),
  ],
  ['a memblock header', () => readMemblock('nothing')],
  ['a free list', () => readFreeLists('node 0 zone DMA order x')],
  ['a page run', () => [...readStructPages('0 1 node=0')]],
  ['a zoneinfo item', () => readZoneinfo('Node 0, zone DMA\n  ???')],
  ['zoneinfo without a zone', () => readZoneinfo('  pages free 3')],
  ['a memory block', () => readMemoryBlocks('--- block_size_bytes\n8\n--- name x\nmemory0')],
])('%s that is not of the known form is refused by name', (_what, read) => {
  expect(read).toThrow(OracleError);
});

test('64-bit all ones read as no limit', () => {
  const text = [
    'bottom_up=1 current_limit=0xffffffffffffffff',
    'memory cnt=1 max=128 total_size=0x0',
    'memory[0] 0x0 0x0 nid=-1 flags=0x0',
    'reserved cnt=1 max=128 total_size=0x1000',
    'reserved[0] 0x0 0x1000 nid=none flags=0x10',
  ].join('\n');
  const state = readMemblock(text);
  expect(state).toMatchObject({ bottomUp: true, currentLimit: Infinity });
  expect(state.memory.regions).toEqual([]);
  expect(state.reserved.regions).toEqual([{ base: 0, size: 4096, nid: NID_NONE, flags: 16 }]);
});
