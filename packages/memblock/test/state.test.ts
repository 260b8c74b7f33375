/** State as data, texts, checks, and building in bulk. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  Memblock,
  MemblockError,
  MemFlags,
  PHYS_ADDR_MAX,
  profileForRelease,
  diffStates,
  type MemblockState,
} from '@bootmem/memblock';
import { parseDump, stateOfDump } from '@bootmem/memblock/replay';
import { codeOf, MIB, spans } from './helpers.js';

function sample(options = {}): Memblock {
  const memblock = new Memblock({ maxNodes: 16, ...options });
  memblock.add(0x1000, 0x9ec00, { nid: 0 });
  memblock.add(MIB, 63 * MIB, { nid: 1, flags: MemFlags.HOTPLUG | MemFlags.MIRROR });
  memblock.reserve(0, 0x10000);
  memblock.reserveMem('64K:4096:log');
  memblock.addPhysmem(0, 64 * MIB);
  return memblock;
}

test('a state makes an equal object, also through JSON', () => {
  const memblock = sample({ capacity: { resizable: true }, direction: 'bottom-up' });
  memblock.trimMemory(4096);
  const state = JSON.parse(JSON.stringify(memblock)) as MemblockState;
  const copy = Memblock.restore(state, { maxNodes: 16, capacity: {} });
  expect(copy.toState()).toEqual(memblock.toState());
  expect(copy.alloc(4096)).toBe(memblock.alloc(4096));
  expect(copy.dump(true)).toBe(memblock.dump(true));
  expect(copy.findReservation('log')).toEqual(memblock.findReservation('log'));
  copy.verify();
  expect(diffStates(copy.toState(), memblock.toState())).toEqual([]);
});

test('a bare state takes its totals from the regions', () => {
  const region = { base: 0x1000, size: 0x1000, flags: 0, nid: 0 };
  const memblock = Memblock.restore(
    { memory: [region], reserved: [region, { ...region, base: 0x2000 }] },
    { capacity: { reserved: 1 } },
  );
  expect(memblock.physMemSize).toBe(0x1000);
  expect(memblock.reservedSize).toBe(0x2000);
  // More regions than the array has room for: it is as large as it must be.
  expect(memblock.arrayCapacity('reserved')).toBe(2);
  memblock.verify();
});

test('a state that contradicts itself is refused', () => {
  const region = { base: 0x1000, size: 0x1000, flags: 0, nid: 0 };
  for (const memory of [
    [region, region],
    [{ ...region, base: 0x4000 }, region],
    [{ ...region, size: 0 }],
    [{ ...region, base: PHYS_ADDR_MAX }],
  ]) {
    expect(codeOf(() => Memblock.restore({ memory, reserved: [] }))).toBe('ERR_MEMBLOCK_FORMAT');
  }
  for (const bad of [
    { ...region, base: -1 },
    { ...region, size: 0.5 },
    { ...region, flags: -1 },
    { ...region, nid: 5000 },
  ]) {
    expect(codeOf(() => Memblock.restore({ memory: [bad], reserved: [] }))).toBe(
      'ERR_MEMBLOCK_ARGUMENT',
    );
  }
});

test('differences of two states, in readable form', () => {
  const left = sample();
  const right = sample();
  right.add(128 * MIB, MIB, { nid: 2 });
  right.free(0, 0x8000);
  right.direction = 'bottom-up';
  right.setNode(0x1000, 0x1000, 'memory', 5);
  expect(diffStates(left.toState(), right.toState())).toEqual(
    [
      'memory: [0x1000, 0x9fc00) nid 0 flags 0x0 -> [0x1000, 0x2000) nid 5 flags 0x0',
      'memory: + [0x2000, 0x9fc00) nid 0 flags 0x0',
      'memory: + [0x8000000, 0x8100000) nid 2 flags 0x0',
      'reserved: [0x0, 0x10000) nid -1 flags 0x0 -> - ',
      'reserved: + [0x8000, 0x10000) nid -1 flags 0x0',
      'memoryTotal: 0x3f9ec00 -> 0x409ec00',
      'reservedTotal: 0x20000 -> 0x18000',
      'direction: top-down -> bottom-up',
    ].map((line) => line.replace(' -> - ', ' is gone')),
  );
});

test('the configuration in the kernel wording', () => {
  const memblock = new Memblock({ profile: '6.12' });
  memblock.add(0x1000, 0x9ec00, { nid: 0 });
  memblock.add(MIB, MIB);
  memblock.mark(MIB, MIB, MemFlags.NOMAP);
  memblock.trimMemory(4096);
  const text = [
    'MEMBLOCK configuration:',
    ' memory size = 0x000000000019ec00 reserved size = 0x0000000000000000',
    ' memory.cnt  = 0x2',
    ' memory[0x0]\t[0x0000000000001000-0x000000000009efff], 0x000000000009e000 bytes on node 0 flags: 0x0',
    ' memory[0x1]\t[0x0000000000100000-0x00000000001fffff], 0x0000000000100000 bytes flags: 0x4',
    ' reserved.cnt  = 0x0',
    '',
  ].join('\n');
  expect(memblock.dump()).toBe(text);
  const read = parseDump(`noise\n<6>[    0.000000] ${text.replaceAll('\n', '\r\n')}behind`);
  expect(read).toMatchObject({ memorySize: 0x19ec00, reservedSize: 0, reserved: [] });
  const copy = Memblock.restore(stateOfDump(read, 1024), { profile: '6.12' });
  expect(copy.dump()).toBe(text);
  const old = new Memblock({ profile: '6.1' });
  expect(old.dump()).toContain(' memory.cnt  = 0x1\n memory[0x0]\t[0x0000000000000000-0xffff');
  expect(parseDump(old.dump()).memory).toEqual([]);
  const printed: string[] = [];
  const full = sample({ log: (line: string) => printed.push(line) });
  full.printDump(true);
  expect(printed).toEqual([full.dump(true)]);
  expect(parseDump(full.dump(true)).physmem).toHaveLength(1);
  expect(stateOfDump(parseDump(full.dump(true)), 16).physmem).toEqual(full.regions('physmem'));
});

test('a damaged configuration is refused', () => {
  const good = sample().dump();
  for (const bad of [
    'nothing here',
    'MEMBLOCK configuration:\n memory.cnt  = 0x0\n',
    good.replace('memory.cnt  = 0x2', 'memory.cnt  = 0x3'),
    good.replace('0x0000000000001000-', '0x7777000000001000-'),
  ]) {
    expect(codeOf(() => parseDump(bad))).toBe('ERR_MEMBLOCK_FORMAT');
  }
});

test('the debug file: index, range, node, flag names', () => {
  const memblock = sample();
  expect(memblock.debugFile('memory')).toBe(
    '   0: 0x0000000000001000..0x000000000009fbff    0 NONE\n' +
      '   1: 0x0000000000100000..0x0000000003ffffff    1 HOTPLUG\n',
  );
  expect(sample({ profile: '6.12' }).debugFile('memory')).toContain('    1 HOTPLUG|MIRROR\n');
  memblock.add(128 * MIB, MIB, { flags: 0x100 });
  expect(memblock.debugFile('memory')).toContain('   x UNKNOWN\n');
});

test('resetting nodes writes the "no node" of the release', () => {
  for (const [profile, nid] of [
    ['6.1', 16],
    ['6.12', -1],
  ] as const) {
    const memblock = sample({ profile });
    memblock.resetNodes();
    for (const type of ['memory', 'reserved'] as const) {
      expect(memblock.regions(type).every((region) => region.nid === nid)).toBe(true);
    }
  }
});

test('profiles by release', () => {
  const rows = Object.entries({
    '2.6.18': '2.6.32',
    '5.10.0': '2.6.32',
    '6.1.0-50-amd64': '2.6.32',
    '6.8': '6.8',
    '6.9': '6.8',
    '6.12.100+deb12': '6.12',
    '6.14': '6.12',
    '6.18': '6.16',
    '7.0': '6.16',
    '7.2': '7.1',
    '7.0.0-rc3': '6.16',
  });
  for (const [release, row] of rows) expect(profileForRelease(release).release).toBe(row);
  for (const text of ['no number', 'latest', '', undefined]) {
    expect(profileForRelease(text)).toBe(profileForRelease('9.9'));
  }
  expect(profileForRelease('6.7').earlyResize).toBe('fail');
  expect(profileForRelease('6.8').earlyResize).toBe('panic');
});

test('errors carry a code and the values', () => {
  try {
    new Memblock().add(-1, 1);
  } catch (error) {
    expect(error).toBeInstanceOf(MemblockError);
    expect((error as MemblockError).details).toEqual({ name: 'base', value: -1 });
  }
  expect.assertions(2);
});

const range = fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 12 }));

test('many at once give the list that one by one gives', () => {
  fc.assert(
    fc.property(
      fc.array(range),
      fc.array(range),
      fc.integer({ min: 0, max: 2 }),
      fc.constantFrom(1, 4096, 2 ** 40),
      (first, many, nid, unit) => {
        const bulk = new Memblock();
        const single = new Memblock();
        for (const memblock of [bulk, single]) {
          for (const [at, size] of first) {
            memblock.add(at * unit, size * unit, { nid: at % 3 });
            memblock.reserve(at * unit, size * unit);
          }
        }
        const columns = {
          bases: many.map(([at]) => at * unit),
          sizes: many.map(([, size]) => size * unit),
        };
        bulk.addMany(columns, { nid });
        bulk.reserveMany(columns);
        for (const [at, size] of many) {
          single.add(at * unit, size * unit, { nid });
          single.reserve(at * unit, size * unit);
        }
        bulk.verify();
        expect(bulk.toState()).toEqual(single.toState());
      },
    ),
    { numRuns: 300 },
  );
});

test('many at once: large lists, scattered addresses, simulated arrays', () => {
  const count = 5000;
  const memblock = new Memblock();
  // Bytes spread over the whole space: value and index do not fit into one number.
  const bases = Float64Array.from(
    { length: count },
    (_item, k) => ((k * 7919) % count) * 2 ** 40 + 1,
  );
  memblock.reserveMany({ bases, sizes: new Float64Array(count).fill(3) });
  expect(memblock.regionCount('reserved')).toBe(count);
  memblock.verify();
  memblock.reserveMany({ bases: [0], sizes: [PHYS_ADDR_MAX] });
  expect(memblock.regionCount('reserved')).toBe(1);
  memblock.addMany({ bases: [], sizes: [] });
  expect(memblock.regionCount('memory')).toBe(0);
  const simulated = new Memblock({ capacity: { reserved: 4, resizable: true } });
  simulated.addMany({ bases: [MIB], sizes: [MIB] });
  expect(
    simulated.reserveMany({
      bases: [1, 3, 5, 7, 9].map((k) => k * 4096),
      sizes: Array(5).fill(1) as number[],
    }),
  ).toBe(true);
  expect(simulated.arrayCapacity('reserved')).toBe(8);
  const full = new Memblock({ capacity: { memory: 2, resizable: true } });
  expect(full.addMany({ bases: [1, 3, 5], sizes: [1, 1, 1] })).toBe(false);
});

test('many at once: bad columns throw before anything changes', () => {
  const memblock = new Memblock();
  for (const columns of [
    { bases: [1, 2], sizes: [1] },
    { bases: [1, -1], sizes: [1, 1] },
    { bases: [1, 2], sizes: [1, NaN] },
  ]) {
    expect(codeOf(() => memblock.addMany(columns))).toBe('ERR_MEMBLOCK_ARGUMENT');
  }
  expect(codeOf(() => memblock.addMany({ bases: [1], sizes: [1] }, { nid: 5000 }))).toBe(
    'ERR_MEMBLOCK_ARGUMENT',
  );
  expect(memblock.regionCount('memory')).toBe(0);
});

test('lists of many chunks shrink again, and windows over chunks are replaced', () => {
  const memblock = new Memblock();
  for (let k = 0; k < 2000; k++) memblock.reserve(k * 0x10000, 0x1000);
  memblock.verify();
  // Cut a window that begins and ends inside chunks.
  memblock.free(100 * 0x10000 + 0x800, 1500 * 0x10000);
  expect(memblock.regionCount('reserved')).toBe(501);
  memblock.verify();
  // Fill across chunks, then make the pieces alike.
  memblock.reserve(0, 1700 * 0x10000, { nid: 1 });
  memblock.verify();
  memblock.setNode(0, PHYS_ADDR_MAX, 'reserved', 1);
  // One from 0 to 1700 and beyond, 299 single ones behind it.
  expect(spans(memblock.regions('reserved')).length).toBe(300);
  memblock.verify();
  for (let k = 1999; k >= 0; k -= 2) memblock.free(k * 0x10000, 0x1000);
  memblock.verify();
  for (let k = 1998; k >= 0; k -= 2) memblock.free(k * 0x10000, 0x1000);
  memblock.free(0, 1700 * 0x10000);
  expect(memblock.regionCount('reserved')).toBe(0);
  for (let k = 600; k >= 0; k--) memblock.reserve(k * 0x10000, 0x1000);
  expect(memblock.regionCount('reserved')).toBe(601);
  memblock.verify();
});
