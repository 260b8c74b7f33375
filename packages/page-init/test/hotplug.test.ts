import { expect, test } from '@jest/globals';
import { Memmap, PageState, SectionFlag } from '@bootmem/memmap';
import { initEarly } from '@bootmem/page-init';
import { DeviceMemory, MemoryHotplug, type MemoryHotplugOptions } from '@bootmem/page-init/device';
import { SECTION, TINY, tinyPlan } from './machines.js';

const RAM = [{ startPfn: 0, endPfn: 280, nid: 0 }];
const NORMAL = 2;

function machine(options: Partial<MemoryHotplugOptions> = {}): {
  memmap: Memmap;
  hotplug: MemoryHotplug;
  devices: DeviceMemory;
  taken: [number, number][];
  sink: { freeBlocks(start: number, end: number): number };
} {
  const plan = tinyPlan({ memory: RAM, defer: false });
  const memmap = Memmap.create({
    ranges: plan.sections,
    geometry: TINY,
    maxPfn: 4096,
    storage: 'shared',
  });
  initEarly(plan, memmap);
  const devices = new DeviceMemory({ memmap, memory: RAM });
  const hotplug = new MemoryHotplug({ memmap, subsections: devices.subsections, ...options });
  const taken: [number, number][] = [];
  const sink = {
    freeBlocks: (start: number, end: number): number => {
      taken.push([start, end]);
      return end - start;
    },
  };
  return { memmap, hotplug, devices, taken, sink };
}

test('adding touches no descriptor; onlining initialises a block and hands it over', () => {
  const { memmap, hotplug, taken, sink } = machine({ blockPages: 2 * SECTION });
  hotplug.add({ startPfn: 640, endPfn: 896 }, 1);
  expect(memmap.countInState(640, 896, PageState.UNINITIALISED)).toBe(256);
  expect(hotplug.online(640, NORMAL, sink)).toBe(128);
  expect(taken).toEqual([
    [640, 704],
    [704, 768],
  ]);
  expect(memmap.nid(700)).toBe(1);
  expect(memmap.pageblocks.migratetype(640)).toBe(1);
  expect(memmap.sectionFlags(10) & SectionFlag.ONLINE).toBe(SectionFlag.ONLINE);
  expect(memmap.sectionFlags(12) & SectionFlag.ONLINE).toBe(0);
  expect(memmap.countInState(768, 896, PageState.UNINITIALISED)).toBe(128);
});

test.each([
  ['off', [0, 0]],
  ['single', [0, 0]],
  ['each', [8, 8]],
] as const)(
  'memmap on memory %s: two blocks keep %j pages for themselves',
  (memmapOnMemory, kept) => {
    const { memmap, hotplug, sink } = machine({ memmapOnMemory, descriptorBytes: 512 });
    hotplug.add({ startPfn: 640, endPfn: 768 }, 0);
    expect([640, 704].map((start) => SECTION - hotplug.online(start, NORMAL, sink))).toEqual(kept);
    expect(memmap.pageblocks.migratetype(640)).toBe(memmapOnMemory === 'each' ? 0 : 1);
  },
);

test('memmap on memory, single block: its first pages are reserved and never handed over', () => {
  const { memmap, hotplug, taken, sink } = machine({
    memmapOnMemory: 'single',
    descriptorBytes: 512,
  });
  hotplug.add({ startPfn: 640, endPfn: 704 }, 0);
  expect(hotplug.online(640, NORMAL, sink)).toBe(56);
  expect(taken).toEqual([[648, 704]]);
  expect(memmap.state(640)).toBe(PageState.RESERVED);
});

test('offline, remove, add again', () => {
  const { memmap, hotplug, sink } = machine();
  hotplug.add({ startPfn: 640, endPfn: 704 }, 0);
  hotplug.online(640, NORMAL, sink);
  expect(() => {
    hotplug.offline(640);
  }).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_STATE' }));
  expect(() => {
    hotplug.remove(640);
  }).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_STATE' }));
  memmap.setRange(640, 704, PageState.OFFLINE);
  hotplug.offline(640);
  expect(memmap.state(640)).toBe(PageState.UNINITIALISED);
  hotplug.remove(640);
  expect(memmap.isPresent(640)).toBe(false);
  expect(() => {
    hotplug.remove(640);
  }).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_STATE' }));
  hotplug.add({ startPfn: 640, endPfn: 704 }, 0);
  expect(hotplug.online(640, NORMAL, sink)).toBe(64);
});

test('ranges that are not whole blocks, or there already, are refused', () => {
  const { memmap, hotplug, devices } = machine();
  expect(() => {
    hotplug.add({ startPfn: 640, endPfn: 700 }, 0);
  }).toThrow('Block size [0x40000] unaligned hotplug range: start 0x280000, size 0x3c000');
  expect(() => {
    hotplug.add({ startPfn: 0, endPfn: 64 }, 0);
  }).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_PRESENT' }));
  memmap.addMemory(640, 648);
  expect(() => {
    hotplug.add({ startPfn: 640, endPfn: 704 }, 0);
  }).toThrow(expect.objectContaining({ code: 'ERR_MEMMAP_PRESENT' }));
  expect(devices.subsections.isActive(690)).toBe(false);
  expect(() => machine({ blockPages: 100 })).toThrow(
    expect.objectContaining({ code: 'ERR_PAGE_INIT_ARGUMENT' }),
  );
});

// If anything went over the pages, subsections or sections of these ranges first, the test would not end.
test.each([
  [0x1000, 2 ** 52],
  [2 ** 40, 2 ** 52],
  [4096 - 128, 4096 + 128],
])('[%d, %d) outside the memmap is refused before anything is looked at', (startPfn, endPfn) => {
  const { devices, hotplug } = machine();
  const outside = expect.objectContaining({ code: 'ERR_DEVICE_ARGUMENT' }) as unknown;
  const caught = (call: () => unknown): unknown => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };
  const ranges = [{ startPfn, endPfn }];
  const request = { name: 'far', type: 'generic', ranges } as const;
  expect(caught(() => devices.memremapPages(request))).toEqual(outside);
  expect(caught(() => devices.memremapPagesAsync(request))).toEqual(outside);
  const add = (): void => {
    hotplug.add({ startPfn, endPfn }, 0);
  };
  expect(caught(add)).toEqual(outside);
  // Nothing was taken: what lies inside can be added.
  hotplug.add({ startPfn: 4096 - 128, endPfn: 4096 }, 0);
});

test('a subsection in use is named, wherever it lies in a larger range', () => {
  const { hotplug } = machine();
  hotplug.add({ startPfn: 1024, endPfn: 1024 + SECTION }, 0);
  const size = 8 * SECTION;
  for (const startPfn of [1024, 1024 - 2 * SECTION, 1024 - 7 * SECTION]) {
    expect(() => {
      hotplug.add({ startPfn, endPfn: startPfn + size }, 0);
    }).toThrow('subsection of pfn 1024 is in use');
  }
  hotplug.remove(1024);
  hotplug.add({ startPfn: 1024 - SECTION, endPfn: 1024 - SECTION + size }, 0);
});
