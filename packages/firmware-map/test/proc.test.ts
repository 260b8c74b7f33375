import { describe as group, expect, test } from '@jest/globals';
import { mergeDescriptions, parseIdList } from '@bootmem/firmware-map';
import { codes, describe, fixture } from './helpers.js';

group('/proc and /sys files', () => {
  test.each([
    ['iomem.txt', 'iomem'],
    ['firmware_memmap.txt', 'firmware-memmap'],
    ['zoneinfo.txt', 'zoneinfo'],
    ['buddyinfo.txt', 'buddyinfo'],
    ['pagetypeinfo.txt', 'pagetypeinfo'],
    ['meminfo.txt', 'meminfo'],
    ['nodes.txt', 'nodes'],
  ])('%s is known as %s without being told', (name, format) => {
    const description = describe(fixture(name));
    expect(description.source.format).toBe(format);
    expect(description.problems).toEqual([]);
  });

  test('iomem keeps nesting', () => {
    const { proc } = describe(fixture('iomem.txt'));
    expect(proc.iomem?.map(({ name, depth }) => [name, depth])).toContainEqual(['Kernel code', 1]);
    expect(proc.iomem?.[5]).toEqual({
      start: 0x100000000,
      end: 0x140000000,
      name: 'System RAM',
      depth: 0,
      line: 6,
    });
  });

  test('the firmware memmap has words of its own', () => {
    const { proc } = describe(fixture('firmware_memmap.txt'));
    expect(proc.firmwareMemmap?.map(({ kind }) => kind)).toEqual([
      'usable',
      'reserved',
      'usable',
      'acpi-data',
      'acpi-nvs',
      'usable',
      'persistent',
      'soft-reserved',
    ]);
    expect(codes(describe('0 0x0 0xfff Something New\n1 0x1000 0x1fff System RAM'))).toEqual([
      'UNKNOWN_KIND',
    ]);
  });

  test('zoneinfo: pages, watermarks, protection, counters, page sets, start', () => {
    const zones = describe(fixture('zoneinfo.txt')).proc.zoneinfo!;
    expect(zones).toHaveLength(4);
    expect(zones[0]).toEqual({
      nid: 0,
      zone: 'DMA',
      line: 1,
      free: 3840,
      boost: 0,
      min: 17,
      low: 21,
      high: 25,
      promo: 29,
      spanned: 4095,
      present: 3998,
      managed: 3840,
      cma: 0,
      protection: [0, 968, 968, 968],
      startPfn: 1,
      pcpHigh: 0,
      pcpBatch: 1,
      counters: expect.objectContaining({ nr_inactive_anon: 0, nr_free_pages: 3840, numa_hit: 10 }),
    });
    expect(zones[1]).toMatchObject({ pcpHigh: 480, pcpBatch: 63, high: 1650, startPfn: 4096 });
    expect(zones[2]!.counters).toMatchObject({ nr_unaccepted: 1024 });
    expect(zones[3]).not.toHaveProperty('startPfn');
  });

  test('buddyinfo and pagetypeinfo, with counts that are capped', () => {
    expect(describe(fixture('buddyinfo.txt')).proc.buddyinfo?.[1]).toMatchObject({
      nid: 0,
      zone: 'DMA32',
      counts: [1, 3, 2, 2, 3, 1, 4, 3, 2, 3, 470],
    });
    const info = describe(fixture('pagetypeinfo.txt')).proc.pagetypeinfo!;
    expect(info).toMatchObject({ pageblockOrder: 9, pagesPerBlock: 512 });
    expect(info.free[1]).toMatchObject({
      type: 'Movable',
      capped: true,
      counts: [100000, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3],
    });
    expect(info.blocks[0]!.counts).toEqual({
      Unmovable: 1,
      Movable: 7,
      Reclaimable: 0,
      HighAtomic: 0,
      Isolate: 0,
    });
  });

  test('meminfo and nodes', () => {
    expect(describe(fixture('meminfo.txt')).proc.meminfo).toEqual({
      MemTotal: 6012356,
      MemFree: 5936316,
      HugePages_Total: 0,
      Unaccepted: 4096,
    });
    const description = describe(fixture('nodes.txt'));
    expect(description.proc.nodes).toEqual([
      { nid: 0, cpus: [0, 1, 4], distances: [10, 20], memTotalKb: 1000000, line: 3 },
      { nid: 1, cpus: [], distances: [20, 10], memTotalKb: 1048576, line: 10 },
    ]);
    expect(description.numa.distances).toEqual([
      [10, 20],
      [20, 10],
    ]);
  });

  test('numbers out of range are errors on their line', () => {
    const far = '99999999999999999999';
    expect(codes(describe(`${fixture('buddyinfo.txt')}Node 0, zone DMA ${far} 0`))).toEqual([
      'BAD_NUMBER',
    ]);
    expect(codes(describe(`${fixture('zoneinfo.txt')}Node 5000, zone DMA\n`))).toEqual([
      'BAD_NUMBER',
    ]);
    expect(codes(describe(`--- /sys/devices/system/node/node0/cpulist\n9-1\n`))).toEqual([
      'BAD_NUMBER',
    ]);
  });

  test('a log and files behind it in one input', () => {
    const description = describe(
      fixture('x86-2n.dmesg') + fixture('zoneinfo.txt') + fixture('buddyinfo.txt'),
    );
    expect(description.source.format).toBe('boot-log');
    expect([description.proc.zoneinfo?.length, description.proc.buddyinfo?.length]).toEqual([4, 3]);
  });

  test('merging fills in what the first does not say, and names whose problem it is', () => {
    const log = describe(fixture('x86-2n.dmesg'));
    const bad = describe(`${fixture('buddyinfo.txt')}Node 5000, zone DMA 1`, { name: 'buddyinfo' });
    const merged = mergeDescriptions(
      log,
      describe(fixture('zoneinfo.txt')),
      bad,
      describe(fixture('x86-7.x.dmesg')),
    );
    expect(merged).toMatchObject({
      kernel: log.kernel,
      source: log.source,
      options: log.options,
      printed: log.printed,
    });
    expect(merged.firmware.map).toEqual(log.firmware.map);
    expect(merged.proc).toMatchObject({ zoneinfo: { length: 4 }, buddyinfo: { length: 3 } });
    expect(merged.problems.at(-1)?.message).toMatch(/^buddyinfo: /);
  });

  test.each([
    ['', []],
    ['3', [3]],
    ['0-2,8', [0, 1, 2, 8]],
    ['x', undefined],
    ['3-1', undefined],
    ['0-70000', undefined],
    ['1,,2', undefined],
  ])('the list "%s" is %p', (text, ids) => {
    expect(parseIdList(text)).toEqual(ids);
  });
});
