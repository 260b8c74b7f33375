/**
 * Functions of the program that a call runs (`warn`, `log`, `accept`): they may throw, or edit the lists, and what is said of a
 * call holds all the same. And arguments, options and states of another kind than they must have.
 */
import { expect, test } from '@jest/globals';
import { Memblock, type MemblockOptions, type MemblockState, MemFlags } from '@bootmem/memblock';

import { codeOf, spans } from './helpers.js';

/** Edits that meet regions of other nodes and flags, fill the arrays, allocate, and cut. */
const EDITS: readonly ((map: Memblock<string>) => void)[] = [
  (map) => void map.add(0x10_0000, 0x100_0000, { nid: 0 }),
  (map) => void map.add(0x400_0000, 0x10_0000, { nid: 1, flags: MemFlags.HOTPLUG }),
  ...Array.from({ length: 9 }, (_, i) => (map: Memblock<string>) => {
    map.reserve(0x20_0000 + i * 0x1_0000, 0x100, { nid: i % 3, payload: `r${i}` });
  }),
  (map) => void map.reserve(0x20_0000, 0x9_0000, { nid: 1, payload: 'over all' }),
  (map) => void map.add(0, 0x500_0000, { nid: 2, payload: 'gaps' }),
  (map) => void map.alloc(0x3000, { align: 0 }),
  (map) => void map.free(0x21_0000, 0x1_0080),
  ...Array.from({ length: 12 }, (_, i) => (map: Memblock<string>) => {
    map.remove(0x30_0000 + i * 0x2000, 0x1000);
  }),
];

/** Makes all edits; one that throws is made again. @returns the state, and how often a function was called */
function make(throwAt: number, options: MemblockOptions = {}): [MemblockState, number] {
  let calls = 0;
  const called = (): void => {
    calls++;
    if (calls === throwAt) throw new Error('from outside');
  };
  const map = new Memblock<string>({
    ...options,
    debug: true,
    log: called,
    warn: called,
    accept: called,
  });
  for (const edit of EDITS) {
    try {
      edit(map);
    } catch (error) {
      expect((error as Error).message).toBe('from outside');
      map.verify();
      edit(map);
    }
  }
  map.verify();
  return [map.toState(), calls];
}

test.each<[string, MemblockOptions]>([
  ['arrays without bound', {}],
  ['arrays that grow', { capacity: { memory: 4, reserved: 4, resizable: true } }],
  ['the release before', { profile: '6.1', capacity: { memory: 5, reserved: 4, resizable: true } }],
])('%s: whichever call of a function throws, the edit can be made again', (_, options) => {
  const [state, calls] = make(0, options);
  expect(calls).toBeGreaterThan(30);
  for (let at = 1; at <= calls; at++) expect([at, make(at, options)[0]]).toEqual([at, state]);
});

test('a warning comes before anything has changed', () => {
  const seen: string[][] = [];
  const map: Memblock<string> = new Memblock<string>({
    warn: () => {
      seen.push(spans(map.regions('memory')));
      throw new Error('strict');
    },
  });
  map.add(0x1000, 0x1000, { nid: 1 });
  map.add(0x4000, 0x1000, { nid: 0 });
  const before = map.toState();
  expect(() => map.add(0, 0x8000, { nid: 1, payload: 'all' })).toThrow('strict');
  expect(map.toState()).toEqual(before);
  expect(seen).toEqual([['1000-2000', '4000-5000']]);
});

test('a warning may edit the list that it is about', () => {
  const map: Memblock = new Memblock({
    warn: () => {
      map.remove(0x1000, 0x1000);
      map.add(0x6000, 0x1000, { nid: 1 });
    },
  });
  map.add(0x1000, 0x1000, { nid: 0 });
  map.add(0, 0x8000, { nid: 1 });
  expect(spans(map.regions('memory'))).toEqual(['0-8000']);
  expect(map.physMemSize).toBe(0x8000);
  map.verify();
});

test('what cannot be accepted is not taken', () => {
  const map = new Memblock({
    accept: () => {
      throw new Error('no');
    },
  });
  map.add(0x1000, 0x10_0000);
  map.reserve(0x8_0000, 0x1000);
  const before = map.toState();
  expect(() => map.alloc(0x1000)).toThrow('no');
  expect(() => map.alloc(0)).toThrow('no');
  expect(() => map.reserveMem('4096:4096:oops')).toThrow('no');
  expect(map.toState()).toEqual(before);
});

const KINDS: readonly unknown[] = [5, 'x', null, 5n, Symbol('s'), true];
const refused = 'ERR_MEMBLOCK_ARGUMENT';

test.each(['log', 'warn', 'accept', 'caller', 'capacity'])(
  'the option %s is of its kind',
  (name) => {
    for (const value of KINDS) expect(codeOf(() => new Memblock({ [name]: value }))).toBe(refused);
  },
);

test.each(['numa', 'debug', 'movableNode', 'mirroredKernelcore', 'oddAlignment', 'direction'])(
  'the option %s is of its kind',
  (name) => {
    for (const value of [...KINDS.slice(0, 5), {}]) {
      expect(codeOf(() => new Memblock({ [name]: value }))).toBe(refused);
    }
  },
);

test('options, attributes, columns, types and states are of their kind', () => {
  const map = new Memblock();
  map.add(0, 0x1000, { payload: 1 });
  const state = map.toState();
  for (const value of KINDS as never[]) {
    for (const call of [
      () => new Memblock(value),
      () => map.add(0x2000, 1, value),
      () => map.reserve(0x2000, 1, value),
      () => map.addMany({ bases: [0x2000], sizes: [1] }, value),
      () => map.reserveMany(value),
      () => map.addMany({ bases: value, sizes: value }),
      () => map.regions(value),
      () => map.payloadAt(value, 0),
      () => {
        map.setPayload(0, 1, value, 2);
      },
      () => Memblock.restore(value),
      () => Memblock.restore({ ...state, memory: value }),
      () => Memblock.restore({ ...state, reserved: [value] }),
      () => Memblock.restore({ ...state, physmem: [value] }),
      () => Memblock.restore({ ...state, payloads: [value] }),
      () => Memblock.restore({ ...state, named: [value] }),
      () =>
        Memblock.restore({
          ...state,
          named: [
            { name: value, start: 0, size: 0 },
            { name: 'n', start: -1, size: value },
          ],
        }),
      () => Memblock.restore({ ...state, direction: value }),
    ]) {
      expect([call.toString(), codeOf(call)]).toEqual([call.toString(), refused]);
    }
  }
  for (const value of [5, 'x', 5n] as never[]) {
    for (const field of ['named', 'payloads', 'physmem', 'hasMirror', 'resizable'] as const) {
      expect(codeOf(() => Memblock.restore({ ...state, [field]: value }))).toBe(refused);
    }
  }
  expect(map.toState()).toEqual(state);
});
