import { describe, expect, test } from '@jest/globals';
import { Memmap, PageState, SectionFlag } from '@bootmem/memmap';
import { initEarly, profileForRelease } from '@bootmem/page-init';
import {
  type DeviceBackend,
  DeviceMemory,
  type DeviceMemoryOptions,
  type LogLine,
  type PagemapRequest,
} from '@bootmem/page-init/device';
import { Altmap } from '../dist/device/altmap.js';
import { MappingReferences } from '../dist/device/references.js';
import { TINY, tinyPlan } from './machines.js';

const PROFILE_LATEST = profileForRelease();
const PROFILE_6_12 = profileForRelease('6.12');
const PROFILE_5_7 = profileForRelease('5.7');

/** RAM in [0, 280): sections 0..4, the last in part; room for devices up to 4096. */
const RAM = [{ startPfn: 0, endPfn: 280, nid: 0 }];

interface Bench {
  memmap: Memmap;
  devices: DeviceMemory;
  lines: LogLine[];
}

function machine(options: Partial<DeviceMemoryOptions> = {}): Bench {
  const plan = tinyPlan({ memory: RAM, defer: false });
  const memmap = Memmap.create({
    ranges: plan.sections,
    geometry: TINY,
    maxPfn: 2 ** 20,
    storage: 'shared',
  });
  initEarly(plan, memmap);
  const lines: LogLine[] = [];
  const devices = new DeviceMemory({
    memmap,
    memory: RAM,
    descriptorBytes: 64,
    onLog: (line) => lines.push(line),
    ...options,
  });
  return { memmap, devices, lines };
}

const span = (startPfn: number, endPfn: number): { startPfn: number; endPfn: number } => ({
  startPfn,
  endPfn,
});

const pmem = (changes: Partial<PagemapRequest> = {}): PagemapRequest => ({
  name: 'pmem0',
  type: 'generic',
  ranges: [span(640, 1280)],
  ...changes,
});

const code = (name: string): unknown => expect.objectContaining({ code: name });

describe('mapping', () => {
  test('every device page gets node, zone, reserved state, page map, count, and a movable pageblock', () => {
    const { memmap, devices } = machine();
    const mapping = devices.memremapPages(pmem({ nid: 3 }));
    for (let pfn = 640; pfn < 1280; pfn++) {
      expect(memmap.state(pfn)).toBe(PageState.DEVICE);
      expect(memmap.refcount(pfn)).toBe(1);
      if (pfn % 8 === 0) expect(memmap.pageblocks.migratetype(pfn)).toBe(1);
    }
    expect(memmap.nid(640)).toBe(3);
    expect(memmap.pgmapIndex(700)).toBe(mapping.index);
    expect(memmap.driverWord(700)).toBe(0);
    expect(mapping.references.count).toBe(640);
    expect(devices.zoneSpan(3)).toEqual({ startPfn: 640, endPfn: 1280 });
    expect(devices.zoneSpan(0)).toBeUndefined();
  });

  test.each([
    ['generic', 1, true],
    ['fs-dax', 0, true],
    ['pci-p2pdma', 0, true],
    ['coherent', 0, false],
    ['private', 0, false],
  ] as const)('type %s starts at count %i', (type, count, bulk) => {
    const { memmap, devices } = machine();
    const ops = { migrateToRam: (): void => undefined, folioFree: (): void => undefined };
    const mapping = devices.memremapPages(pmem({ type, owner: 'driver', ops }));
    expect(memmap.refcount(640)).toBe(count);
    expect(mapping.references.count).toBe(bulk ? 640 : 0);
  });

  test('fs-dax pages start at count 1 before 6.15', () => {
    const { memmap, devices } = machine({ profile: PROFILE_6_12 });
    devices.memremapPages(pmem({ type: 'fs-dax' }));
    expect(memmap.refcount(640)).toBe(1);
  });

  test('log lines: device name in 4.20, function name later, at another level at last; pages without the altmap', () => {
    for (const [profile, level, pattern] of [
      [profileForRelease('4.20'), 'info', /^pmem0 initialised, 600 pages in \d+ms$/],
      [PROFILE_5_7, 'info', /^memmap_init_zone_device initialised 600 pages in \d+ms$/],
      [PROFILE_LATEST, 'debug', /^memmap_init_zone_device initialised 600 pages in \d+ms$/],
    ] as const) {
      const { devices, lines } = machine({ profile });
      devices.memremapPages(pmem({ altmap: { reserve: 4, free: 36 } }));
      expect(lines).toEqual([{ level, text: expect.stringMatching(pattern) as unknown }]);
    }
  });

  test('several ranges are one mapping; a failure in the second leaves nothing of the first', () => {
    const { memmap, devices } = machine();
    const two = pmem({ ranges: [span(640, 704), span(1024, 1088)] });
    const mapping = devices.memremapPages(two);
    expect(mapping.references.count).toBe(128);
    expect(devices.mappedRanges).toBe(2);
    const again = pmem({ ranges: [span(2048, 2112), span(1056, 1120)] });
    expect(() => devices.memremapPages(again)).toThrow(code('ERR_DEVICE_CONFLICT'));
    expect(memmap.isPresent(2048)).toBe(false);
    expect(devices.mappedRanges).toBe(2);
  });
});

describe('the hotplug lock', () => {
  /** Words of the table that differ after what is done while the lock is held. */
  function changedUnderLock(sections: number): { changed: number; holds: number } {
    const memmap = Memmap.create({
      ranges: [{ startPfn: 0, endPfn: 64 }],
      geometry: TINY,
      maxPfn: 2 ** 20,
    });
    const table = new Int32Array(memmap.toHandle().table);
    const counts = { changed: 0, holds: 0 };
    const devices = new DeviceMemory({
      memmap,
      memory: [{ startPfn: 0, endPfn: 64 }],
      lock: {
        withLock(body) {
          const before = table.slice();
          const result = body();
          counts.holds++;
          for (let i = 0; i < table.length; i++) if (table[i] !== before[i]) counts.changed++;
          return result;
        },
      },
    });
    const ranges = [span(6400, 6400 + 64 * sections - 8)];
    void devices.release(devices.memremapPagesAsync(pmem({ ranges })));
    void devices.release(devices.memremapPages(pmem({ ranges: [span(640, 1280)] })));
    return counts;
  }

  test('is held for nothing that grows with the device: no word of the memmap changes, whatever the size', () => {
    for (const sections of [1, 40, 4000]) expect(changedUnderLock(sections).changed).toBe(0);
    expect(changedUnderLock(4000).holds).toBe(changedUnderLock(1).holds);
  });
});

describe('altmap', () => {
  test('nothing is initialised or made present under the lock; the reserve never gets descriptors', () => {
    const plan = tinyPlan({ memory: RAM, defer: false });
    const memmap = Memmap.create({ ranges: plan.sections, geometry: TINY, maxPfn: 4096 });
    initEarly(plan, memmap);
    const inLock: number[] = [];
    const devices = new DeviceMemory({
      memmap,
      memory: RAM,
      lock: {
        withLock: (body) => {
          const before = memmap.usage().sections;
          const result = body();
          for (let pfn = 640; pfn < 1280; pfn++) if (memmap.isPresent(pfn)) inLock.push(pfn);
          expect(memmap.usage().sections).toBe(before);
          return result;
        },
      },
    });
    const mapping = devices.memremapPages(pmem({ altmap: { reserve: 4, free: 36 } }));
    expect(inLock).toEqual([]);
    const states = [640, 643, 644, 679, 680].map((pfn) => memmap.state(pfn));
    expect(states).toEqual([0, 0, PageState.RESERVED, PageState.RESERVED, PageState.DEVICE]);
    expect(mapping.pages).toBe(600);
    expect(mapping.references.count).toBe(600);
    expect(devices.lookup(644)).toBeUndefined();
  });

  test('storage is taken in aligned blocks, then single pages, and given back whole', () => {
    // 262144 pages of 64-byte descriptors are 4096 pages; 510 are lost to align the first 2 MiB block.
    const altmap = new Altmap(0x100000, { reserve: 2, free: 4606 });
    expect(altmap.populate(0x40000, 64, 4096)).toBe(4096);
    expect([altmap.alloc, altmap.align, altmap.offset]).toEqual([4096, 510, 4608]);
    expect(altmap.give(4096)).toBe(0);
    expect(altmap.align).toBe(0);
    const small = new Altmap(0, { reserve: 1, free: 10 });
    expect(small.populate(640, 64, 4096)).toBe(10);
    expect(new Altmap(0, { reserve: 1, free: 9 }).populate(640, 64, 4096)).toBeUndefined();
  });

  test('offset equal to the size leaves no device page; larger is refused', () => {
    const { devices, memmap } = machine();
    const mapping = devices.memremapPages(pmem({ altmap: { reserve: 600, free: 40 } }));
    expect([mapping.pages, mapping.references.count]).toEqual([0, 0]);
    expect(memmap.state(1279)).toBe(PageState.RESERVED);
    const other = machine();
    // Also where other things are wrong, and whatever the compound page: the sizes are looked at first.
    for (const altmap of [
      { reserve: 600, free: 41 },
      { reserve: 1e15, free: 0 },
      { reserve: 0, free: Infinity },
      { reserve: Number.NaN, free: 1 },
      { reserve: 0.5, free: 0.5 },
    ]) {
      for (const changes of [{}, { vmemmapShift: 6 }, { ranges: [span(64, 704)] }]) {
        expect(() => other.devices.memremapPages(pmem({ altmap, ...changes }))).toThrow(
          expect.objectContaining({
            code: 'ERR_DEVICE_ARGUMENT',
            message: expect.stringContaining('altmap') as unknown,
            details: { name: 'pmem0', errno: 'EINVAL' },
          }),
        );
      }
    }
    expect(other.devices.mappedRanges).toBe(0);
    expect(other.memmap.zones.idOf(0, 5)).toBeUndefined();
  });

  test('storage too small for the memmap is refused, and nothing stays behind', () => {
    const { devices, memmap } = machine();
    expect(() => devices.memremapPages(pmem({ altmap: { reserve: 0, free: 9 } }))).toThrow(
      code('ERR_DEVICE_ARGUMENT'),
    );
    expect(memmap.isPresent(640)).toBe(false);
    expect(devices.mappedRanges).toBe(0);
  });

  test('an altmap without reserve and storage leaves all pages to the device', () => {
    const { devices } = machine({ descriptorBytes: 0 });
    expect(devices.memremapPages(pmem({ altmap: { reserve: 0, free: 0 } })).pages).toBe(640);
  });
});

describe('refusals', () => {
  const ops = { folioFree: (): void => undefined };
  test.each<[string, Partial<PagemapRequest>]>([
    ['no range', { ranges: [] }],
    ['an empty range', { ranges: [span(640, 640)] }],
    ['a negative shift', { vmemmapShift: -1 }],
    ['a shift above 1 GiB', { vmemmapShift: 19 }],
    ['an unknown type', { type: 'public' as 'generic' }],
    ['private memory without migrateToRam', { type: 'private', ops, owner: 1 }],
    ['coherent memory without folioFree', { type: 'coherent', owner: 1 }],
    ['coherent memory without an owner', { type: 'coherent', ops }],
    [
      'an altmap for two ranges',
      { altmap: { reserve: 0, free: 1 }, ranges: [span(640, 704), span(768, 832)] },
    ],
    ['compound pages that the range cuts', { vmemmapShift: 6, ranges: [span(648, 712)] }],
    ['a broken altmap', { altmap: { reserve: -1, free: 1 } }],
  ])('%s', (_name, changes) => {
    const { devices } = machine();
    expect(() => devices.memremapPages(pmem(changes))).toThrow(code('ERR_DEVICE_ARGUMENT'));
    expect(devices.mappedRanges).toBe(0);
  });

  test.each([
    ['at its first page', span(600, 704)],
    ['at its last page', span(1216, 1344)],
    ['around it', span(576, 1344)],
    ['strictly inside it', span(704, 768)],
  ])('an existing mapping is hit %s', (_name, range) => {
    const { devices } = machine();
    devices.memremapPages(pmem());
    expect(() => devices.memremapPages(pmem({ ranges: [range] }))).toThrow(
      code('ERR_DEVICE_CONFLICT'),
    );
  });

  test.each([
    ['full', span(64, 128)],
    ['partial', span(256, 320)],
  ])('%s overlap with RAM', (overlap, range) => {
    const { devices } = machine();
    try {
      devices.memremapPages(pmem({ ranges: [range] }));
      throw new Error('mapped');
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_DEVICE_RAM', details: { overlap, errno: 'ENXIO' } });
    }
  });

  test('a range that is not whole subsections is misaligned', () => {
    const { devices } = machine();
    expect(() => devices.memremapPages(pmem({ ranges: [span(641, 1280)] }))).toThrow(
      'Misaligned __add_pages start: 0x281 end: 0x4ff',
    );
  });

  test('the same subsection twice is EEXIST', () => {
    const { devices } = machine();
    devices.subsections.activate(span(640, 648));
    expect(() => devices.memremapPages(pmem())).toThrow(code('ERR_DEVICE_PRESENT'));
    expect(devices.mappedRanges).toBe(0);
    devices.subsections.deactivate(span(640, 648));
    expect(devices.memremapPages(pmem()).pages).toBe(640);
  });

  test('a range that the map has already is refused and undone', () => {
    const { devices, memmap } = machine();
    memmap.addMemory(640, 648);
    expect(() => devices.memremapPages(pmem())).toThrow(code('ERR_MEMMAP_PRESENT'));
    expect(devices.subsections.isActive(700)).toBe(false);
  });
});

describe('unwinding', () => {
  /** A backend that records every call and throws at the n-th. */
  function failing(at: number): { backend: DeviceBackend; open: Set<string>; calls: () => number } {
    const open = new Set<string>();
    let calls = 0;
    const act =
      (name: string): (() => void) =>
      () => {
        if (++calls === at) throw new Error(`failure ${at}`);
        open.add(name);
      };
    const back =
      (name: string): (() => void) =>
      () => {
        expect(open.delete(name)).toBe(true);
      };
    const backend: DeviceBackend = {
      localNid: () => 1,
      addressable: () => {
        if (++calls === at) return false;
        return true;
      },
      trackAttributes: act('attributes'),
      untrackAttributes: back('attributes'),
      addShadow: act('shadow'),
      removeShadow: back('shadow'),
      mapLinear: act('linear'),
      unmapLinear: back('linear'),
    };
    return { backend, open, calls: () => calls };
  }

  test('every failure point leaves no mapping, no descriptor, no open step, no reference', () => {
    for (let at = 1; at <= 4; at++) {
      const { backend, open } = failing(at);
      const { devices, memmap } = machine({ backend });
      expect(() => devices.memremapPages(pmem())).toThrow();
      expect([...open]).toEqual([]);
      expect(devices.mappedRanges).toBe(0);
      expect(memmap.isPresent(640)).toBe(false);
      expect(devices.subsections.bits(10)).toBe(0n);
      // And the same range can be mapped afterwards.
      expect(devices.memremapPages(pmem()).nid).toBe(1);
    }
  });

  test('a success and its release make and take back every step once; private memory is not mapped linearly', async () => {
    for (const type of ['generic', 'private'] as const) {
      const { backend, open, calls } = failing(99);
      const { devices } = machine({ backend });
      const ops = { migrateToRam: (): void => undefined, folioFree: (): void => undefined };
      const mapping = devices.memremapPages(pmem({ type, ops, owner: 1 }));
      expect([...open]).toEqual(
        type === 'private' ? ['attributes'] : ['attributes', 'shadow', 'linear'],
      );
      await devices.release(mapping);
      expect([...open]).toEqual([]);
      expect(calls()).toBe(type === 'private' ? 2 : 4);
    }
  });

  test('a step that cannot be taken back keeps none of the others', async () => {
    const { backend, open } = failing(99);
    const wrong = new Error('no way back');
    const { devices, memmap } = machine({
      backend: {
        ...backend,
        unmapLinear: () => {
          throw wrong;
        },
      },
    });
    const mapping = devices.memremapPages(pmem());
    await expect(devices.release(mapping)).rejects.toBe(wrong);
    expect([...open]).toEqual(['linear']);
    expect(devices.mappedRanges).toBe(0);
    expect(memmap.isPresent(640)).toBe(false);
    expect(devices.subsections.bits(10)).toBe(0n);
  });

  test('what went wrong first is told where going back fails too', () => {
    const wrong = new Error('no shadow');
    const { devices } = machine({
      backend: {
        addShadow: () => {
          throw wrong;
        },
        untrackAttributes: () => {
          throw new Error('no way back');
        },
      },
    });
    expect(() => devices.memremapPages(pmem())).toThrow(wrong);
    expect(devices.mappedRanges).toBe(0);
  });

  test('a failure while pages are initialised takes the whole mapping back', () => {
    // 16 sections fit the map; the mapping needs more descriptors than there are slots.
    const memmap = Memmap.create({
      ranges: RAM,
      geometry: TINY,
      maxPfn: 4096,
      capacitySections: 8,
      populate: 'ondemand',
    });
    const devices = new DeviceMemory({ memmap, memory: RAM });
    expect(() => devices.memremapPages(pmem())).toThrow(code('ERR_MEMMAP_CAPACITY'));
    expect(devices.mappedRanges).toBe(0);
    expect(devices.subsections.isActive(640)).toBe(false);
  });
});

describe('release', () => {
  test('waits for the last user, then nothing is found any more', async () => {
    const { devices, memmap } = machine();
    const mapping = devices.memremapPages(pmem());
    expect(devices.lookup(700)).toBe(mapping);
    let released = false;
    const release = devices.release(mapping).then(() => {
      released = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(released).toBe(false);
    expect(devices.lookup(700)).toBeUndefined();
    expect(await devices.resolve(700)).toBeUndefined();
    mapping.references.put();
    await release;
    expect(mapping.references.count).toBe(0);
    expect(devices.mappedRanges).toBe(0);
    expect(memmap.isPresent(640)).toBe(false);
    await expect(devices.release(mapping)).rejects.toMatchObject({ code: 'ERR_DEVICE_STATE' });
  });

  test('what was mapped can be mapped again, and the storage is free again', async () => {
    const { devices, memmap, lines } = machine();
    const request = pmem({ altmap: { reserve: 4, free: 36 } });
    const first = devices.memremapPages(request);
    const altmap = first.ranges[0]?.altmap;
    expect(altmap?.alloc).toBe(10);
    await devices.release(first);
    expect(altmap?.alloc).toBe(0);
    expect(lines.filter((line) => line.level === 'warn')).toEqual([]);
    devices.memremapPages(request);
    expect(memmap.state(680)).toBe(PageState.DEVICE);
  });

  test('storage that was not all given back is warned about', async () => {
    const { devices, lines } = machine();
    const mapping = devices.memremapPages(pmem({ altmap: { reserve: 4, free: 36 } }));
    // Descriptors of 64 pages: one page of storage, held by somebody for good.
    mapping.ranges[0]!.altmap!.populate(64, 64, 4096);
    await devices.release(mapping);
    expect(lines.at(-1)).toEqual({ level: 'warn', text: 'failed to free all reserved pages' });
  });

  test('references: more are never dropped than taken', () => {
    const references = new MappingReferences();
    expect(references.tryGet(2)).toBe(true);
    expect(() => {
      references.put(3);
    }).toThrow(code('ERR_DEVICE_STATE'));
    references.kill();
    expect(references.tryGet()).toBe(false);
    expect(references.live).toBe(false);
  });
});

describe('a section shared with RAM', () => {
  // RAM ends at 280, its section at 320: subsections 288..320 are free (8 pages each).
  test('a device uses free subsections of it; RAM pages stay online pages, device pages are none', async () => {
    const { devices, memmap } = machine();
    expect(memmap.state(290)).toBe(PageState.RESERVED);
    const hole = memmap.zoneId(290);
    const mapping = devices.memremapPages(pmem({ ranges: [span(288, 320)] }));
    expect(memmap.state(290)).toBe(PageState.DEVICE);
    expect(memmap.sectionFlags(4) & SectionFlag.DEVICE).toBe(SectionFlag.DEVICE);
    expect([devices.isOnlinePage(279), devices.isOnlinePage(290)]).toEqual([true, false]);
    await devices.release(mapping);
    expect(memmap.state(290)).toBe(PageState.RESERVED);
    expect(memmap.zoneId(290)).toBe(hole);
    expect(memmap.sectionFlags(4) & SectionFlag.DEVICE).toBe(0);
    expect(memmap.state(279)).toBe(PageState.BODY);
  });

  test('the taint stays while another device uses the section', async () => {
    const { devices, memmap } = machine();
    const one = devices.memremapPages(pmem({ ranges: [span(288, 296)] }));
    const two = devices.memremapPages(pmem({ ranges: [span(304, 312)] }));
    await devices.release(one);
    expect(memmap.sectionFlags(4) & SectionFlag.DEVICE).toBe(SectionFlag.DEVICE);
    await devices.release(two);
    expect(memmap.sectionFlags(4) & SectionFlag.DEVICE).toBe(0);
  });

  test('all pages of an early section are valid, of an added one only those in use', () => {
    const { devices } = machine();
    devices.memremapPages(pmem({ ranges: [span(640, 648)] }));
    const { subsections } = devices;
    expect([subsections.isValid(319), subsections.isValid(641), subsections.isValid(650)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([devices.isOnlinePage(641), devices.isOnlinePage(5000)]).toEqual([false, false]);
  });

  test('compound pages there are never deduplicated', () => {
    const { devices, memmap } = machine({ descriptorBytes: 2048 });
    devices.memremapPages(pmem({ ranges: [span(288, 320)], vmemmapShift: 5 }));
    expect(memmap.countInState(288, 320, PageState.DEVICE_TAIL)).toBe(31);
  });
});

describe('compound pages', () => {
  test('heads count 1, tails 0 and know their head; references count compound pages', () => {
    const { devices, memmap } = machine({ sharedTails: false });
    const mapping = devices.memremapPages(pmem({ vmemmapShift: 4 }));
    expect(memmap.countInState(640, 1280, PageState.DEVICE)).toBe(40);
    expect(memmap.countInState(640, 1280, PageState.DEVICE_TAIL)).toBe(600);
    expect(mapping.references.count).toBe(40);
    expect(mapping.pageInfo(655)).toMatchObject({
      headPfn: 640,
      tail: true,
      refcount: 0,
      ownDescriptor: true,
    });
    expect(mapping.pageInfo(656)).toMatchObject({ headPfn: 656, tail: false, refcount: 1 });
  });

  test('tails beyond the first memmap pages share descriptors and are not initialised', () => {
    // 1024-byte descriptors: 2 memmap pages hold 8 of them; 64-page compound pages.
    const { devices, memmap } = machine({ descriptorBytes: 1024 });
    const mapping = devices.memremapPages(pmem({ vmemmapShift: 6 }));
    expect(memmap.countInState(640, 1280, PageState.UNINITIALISED)).toBe(10 * (64 - 8));
    expect(mapping.pageInfo(640 + 60)).toMatchObject({
      headPfn: 640,
      tail: true,
      ownDescriptor: false,
    });
    expect(mapping.descriptorPfn(640 + 60)).toBe(640 + 4);
    expect(mapping.descriptorPfn(640 + 7)).toBe(640 + 7);
    // Every pageblock of a compound page larger than a pageblock is movable, not only its first.
    for (let pfn = 640; pfn < 1280; pfn += 8) expect(memmap.pageblocks.migratetype(pfn)).toBe(1);
  });

  test('a compound page larger than a section is one unit', () => {
    const { devices, memmap } = machine({ sharedTails: false });
    const mapping = devices.memremapPages(pmem({ vmemmapShift: 7, ranges: [span(640, 1280)] }));
    expect(mapping.ranges[0]?.init.unitPages).toBe(128);
    expect(memmap.countInState(640, 1280, PageState.DEVICE)).toBe(5);
  });
});

describe('folios of private memory', () => {
  const ops = { migrateToRam: (): void => undefined };
  const freed: [number, number][] = [];
  const request = pmem({
    type: 'private',
    owner: 'gpu',
    ops: { ...ops, folioFree: (pfn, order) => freed.push([pfn, order]) },
  });

  test('order 3, then order 0, then order 2: nothing of the earlier folio stays', async () => {
    const { devices, memmap } = machine();
    const mapping = devices.memremapPages(request);
    expect(mapping.initFolio(640, 3)).toBe(true);
    expect(mapping.pageInfo(645)).toMatchObject({ headPfn: 640, tail: true });
    expect(memmap.refcount(640)).toBe(1);
    mapping.freeFolio(640);
    expect(memmap.countInState(640, 648, PageState.DEVICE_IDLE)).toBe(8);
    expect(mapping.initFolio(644)).toBe(true);
    expect(mapping.pageInfo(645)).toMatchObject({ headPfn: 645, tail: false, refcount: 0 });
    expect(() => mapping.initFolio(644, 2)).toThrow(code('ERR_DEVICE_STATE'));
    mapping.freeFolio(644);
    expect(mapping.initFolio(644, 2)).toBe(true);
    expect(mapping.references.count).toBe(1);
    mapping.freeFolio(644);
    expect(freed).toEqual([
      [640, 3],
      [644, 0],
      [644, 2],
    ]);
    await devices.release(mapping);
  });

  test('misuse is refused: unaligned, outside, not handed out, dying', async () => {
    const { devices } = machine();
    const mapping = devices.memremapPages(request);
    expect(() => mapping.initFolio(641, 1)).toThrow(code('ERR_DEVICE_ARGUMENT'));
    expect(() => mapping.initFolio(639)).toThrow(code('ERR_DEVICE_STATE'));
    expect(() => mapping.initFolio(1024, 9)).toThrow(code('ERR_DEVICE_ARGUMENT'));
    expect(() => {
      mapping.freeFolio(640);
    }).toThrow(code('ERR_DEVICE_STATE'));
    mapping.references.kill();
    expect(mapping.initFolio(640)).toBe(false);
    await Promise.resolve();
  });
});
