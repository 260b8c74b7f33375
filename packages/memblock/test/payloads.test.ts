/** Payloads: who has an address, whatever becomes of the regions, which are the same with payloads and without. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  diffStates,
  Memblock,
  MemFlags,
  type MemblockOptions,
  PHYS_ADDR_MAX,
} from '@bootmem/memblock';

import { codeOf, spans } from './helpers.js';

interface Device {
  readonly name: string;
}
const uart: Device = { name: 'uart' };
const rtc: Device = { name: 'rtc' };

/** `base-end name` of every range, in hexadecimal. */
const shown = (map: Memblock<Device>, type: 'memory' | 'reserved' = 'memory'): string[] =>
  map
    .payloads(type)
    .map(
      ({ base, size, payload }) =>
        `${base.toString(16)}-${(base + size).toString(16)} ${payload.name}`,
    );

test('each address of a region has the payload it came with; others have none', () => {
  const map = new Memblock<Device>();
  map.add(0x1000, 0x1000, { payload: uart });
  map.add(0x2000, 0x1000, { payload: rtc });
  map.add(0x3000, 0x1000);
  // One region, as in the kernel; two owners.
  expect(spans(map.regions('memory'))).toEqual(['1000-4000']);
  expect(map.payloadAt('memory', 0x1fff)).toEqual({ base: 0x1000, size: 0x1000, payload: uart });
  expect(map.payloadAt('memory', 0x2000)?.payload).toBe(rtc);
  for (const address of [0, 0xfff, 0x3000, 0x4000, PHYS_ADDR_MAX]) {
    expect(map.payloadAt('memory', address)).toBeUndefined();
  }
  expect(map.payloadAt('reserved', 0x1000)).toBeUndefined();
});

//   there   |-- uart --|      |-- none --|
//   added       [-------------- rtc -------------)
//   then    |-- uart --|- rtc -|          |- rtc -|
test('what is there keeps its payload, or that it has none: an addition fills the gaps', () => {
  const map = new Memblock<Device>();
  map.add(0x1000, 0x1000, { payload: uart });
  map.add(0x3000, 0x1000);
  map.add(0x1800, 0x3000, { payload: rtc });
  expect(shown(map)).toEqual(['1000-2000 uart', '2000-3000 rtc', '4000-4800 rtc']);
  expect(spans(map.regions('memory'))).toEqual(['1000-4800']);
});

test('flags, nodes and splits leave payloads alone; what is removed loses its own for good', () => {
  const map = new Memblock<Device>();
  map.add(0x1000, 0x8000, { payload: uart, nid: 0 });
  map.mark(0x2000, 0x1000, MemFlags.NOMAP);
  map.setNode(0x4000, 0x1000, 'memory', 1);
  expect(map.regions('memory')).toHaveLength(5);
  expect(shown(map)).toEqual(['1000-9000 uart']);
  map.remove(0x3000, 0x2000);
  expect(shown(map)).toEqual(['1000-3000 uart', '5000-9000 uart']);
  map.add(0x3000, 0x2000, { nid: 0 });
  expect(map.payloadAt('memory', 0x3000)).toBeUndefined();
  map.enforceMemoryLimit(0x4000);
  expect(shown(map)).toEqual(['1000-3000 uart']);
  const odd = new Memblock<Device>();
  odd.add(0x1800, 0x3000, { payload: rtc });
  odd.trimMemory(0x1000);
  expect(shown(odd)).toEqual(['2000-4000 rtc']);
  map.verify();
});

test('setPayload gives what is in the list another owner, takes it away, and adds nothing', () => {
  const map = new Memblock<Device>();
  map.setPayload(0, 0x1000, 'memory', undefined);
  map.setPayload(0, 0x10000, 'memory', uart);
  expect(shown(map)).toEqual([]);
  map.reserve(0x1000, 0x1000);
  map.reserve(0x3000, 0x1000, { payload: rtc });
  map.setPayload(0, 0x3800, 'reserved', uart);
  expect(shown(map, 'reserved')).toEqual(['1000-2000 uart', '3000-3800 uart', '3800-4000 rtc']);
  map.setPayload(0x1800, 0x1900, 'reserved', undefined);
  expect(shown(map, 'reserved')).toEqual(['1000-1800 uart', '3100-3800 uart', '3800-4000 rtc']);
  expect(spans(map.regions('reserved'))).toEqual(['1000-2000', '3000-4000']);
  map.free(0x3000, 0xa00);
  expect(shown(map, 'reserved')).toEqual(['1000-1800 uart', '3a00-4000 rtc']);
});

test('names are payloads, too: touching ranges of the same value are one', () => {
  const map = new Memblock<string | number>();
  map.add(0x1000, 0x1000, { payload: 'a' });
  map.add(0x2000, 0x1000, { payload: 'a' });
  map.add(0x3000, 0x1000, { payload: NaN });
  map.add(0x4000, 0x1000, { payload: NaN });
  expect(map.payloads('memory')).toEqual([
    { base: 0x1000, size: 0x2000, payload: 'a' },
    { base: 0x3000, size: 0x2000, payload: NaN },
  ]);
  expect(map.payloadAt('memory', 0x4321)?.base).toBe(0x3000);
});

test('many ranges at once, a state, and the texts', () => {
  const map = new Memblock<Device>();
  map.add(0x2000, 0x1000, { payload: uart });
  map.addMany({ bases: [0x1000, 0x2800], sizes: [0x1000, 0x1000] }, { payload: rtc, nid: 3 });
  expect(shown(map)).toEqual(['1000-2000 rtc', '2000-3000 uart', '3000-3800 rtc']);
  map.reserveMany({ bases: [1], sizes: [2] }, { payload: uart });
  const again = Memblock.restore<Device>(structuredClone(map.toState()));
  expect([shown(again), shown(again, 'reserved')]).toEqual([shown(map), shown(map, 'reserved')]);
  expect(again.regions('memory')).toEqual(map.regions('memory'));
  expect('payloads' in new Memblock().toState()).toBe(false);
  const lines: string[] = [];
  const spoken = new Memblock<Device>({ debug: true, log: (text) => lines.push(text) });
  spoken.add(0x1000, 0x1000, { payload: uart });
  spoken.add(0x3000, 0x1000, { payload: uart, nid: 2 });
  expect(lines[0]).toMatch(/^memblock_add: /);
  expect(lines[1]).toMatch(/^memblock_add_node: .* nid=2 flags=0/);
});

test('states that differ in payloads only differ', () => {
  const map = new Memblock<unknown>();
  map.add(0, 0x3000);
  map.setPayload(0x1000, 0x1000, 'memory', uart);
  const before = map.toState();
  expect(diffStates(before, Memblock.restore(before).toState())).toEqual([]);
  map.setPayload(0x1000, 0x800, 'memory', { ...uart });
  expect(diffStates(before, map.toState())).toEqual([
    'memory: payload of [0x1000, 0x2000) is gone',
    '+ memory: payload of [0x1000, 0x1800)',
    '+ memory: payload of [0x1800, 0x2000)',
  ]);
  map.setPayload(0x1000, 0x1000, 'memory', undefined);
  expect(diffStates(map.toState(), before)).toEqual(['+ memory: payload of [0x1000, 0x2000)']);
});

test('a mistake changes nothing, and a full array attaches nothing', () => {
  const map = new Memblock<Device>({ capacity: { memory: 1, resizable: true } });
  for (const work of [
    (): unknown => map.add(-1, 5, { payload: uart }),
    (): unknown => map.add(0, 5, { payload: uart, flags: 0.5 }),
    () => {
      map.setPayload(0, NaN, 'memory', uart);
    },
    () => {
      map.setPayload(0, 1, 'pci' as 'memory', uart);
    },
    (): unknown => map.payloadAt('memory', 0.5),
    (): unknown => map.payloads('pci' as 'memory'),
  ]) {
    expect(codeOf(work)).toBe('ERR_MEMBLOCK_ARGUMENT');
  }
  expect(map.add(0x1000, 0x1000, { payload: uart })).toBe(true);
  // There is no room for an array of two.
  map.reserve(0, PHYS_ADDR_MAX);
  expect(map.add(0x4000, 0x1000, { payload: rtc })).toBe(false);
  expect(shown(map)).toEqual(['1000-2000 uart']);
});

test('payloads that nothing has any more are let go', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const map = new Memblock<object>();
  const gone = Array.from({ length: 1000 }, (_, i) => {
    const device = { i };
    map.add(0x1000, 0x1000, { payload: device });
    map.remove(0x1000, 0x1000);
    return new WeakRef(device);
  });
  // A weak reference that was made holds its object to the end of this turn.
  await new Promise((resolve) => setTimeout(resolve));
  collect();
  expect(gone.filter((one) => one.deref() !== undefined).length).toBeLessThan(200);
});

const CELLS = 40;
const cell = fc.integer({ min: 0, max: CELLS - 1 });
const length = fc.integer({ min: 0, max: 12 });
const owner = fc.constantFrom(undefined, 'a', 'b', 'c');
type Model = (string | undefined)[];
interface Both {
  readonly map: Memblock<string>;
  readonly plain: Memblock;
  /** By cell: not in the list (''), or its payload. */
  model: Model;
}
type Step = (both: Both) => void;

const range = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => from + i).filter((i) => i < CELLS);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ from: cell, count: length, payload: owner })
    .map(({ from, count, payload }): Step => ({ map, plain, model }) => {
      const end = Math.min(from + count, CELLS);
      map.add(from * 64, (end - from) * 64, payload === undefined ? {} : { payload });
      plain.add(from * 64, (end - from) * 64, {});
      for (const i of range(from, count)) if (model[i] === '') model[i] = payload;
    }),
  fc
    .record({ from: cell, count: length })
    .map(({ from, count }): Step => ({ map, plain, model }) => {
      for (const one of [map, plain]) one.remove(from * 64, count * 64);
      for (const i of range(from, count)) model[i] = '';
    }),
  fc
    .record({ from: cell, count: length, payload: owner })
    .map(({ from, count, payload }): Step => ({ map, model }) => {
      map.setPayload(from * 64, count * 64, 'memory', payload);
      for (const i of range(from, count)) if (model[i] !== '') model[i] = payload;
    }),
  fc.record({ from: cell, count: length }).map(({ from, count }): Step => ({ map, plain }) => {
    for (const one of [map, plain]) one.mark(from * 64, count * 64, MemFlags.HOTPLUG);
  }),
  fc.record({ from: cell, count: length }).map(({ from, count }): Step => (both) => {
    for (const one of [both.map, both.plain]) one.capMemoryRange(from * 64, count * 64);
    if (count > 0 && both.model.some((value) => value !== '')) {
      both.model = both.model.map((value, i) => (i < from || i >= from + count ? '' : value));
    }
  }),
);

const options: MemblockOptions = { pageSize: 64 };

test('random edits: payloads are those of a map of cells, regions those without payloads', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const both: Both = {
        map: new Memblock<string>(options),
        plain: new Memblock(options),
        model: Array.from({ length: CELLS }, () => ''),
      };
      for (const run of steps) {
        run(both);
        const { map, plain, model } = both;
        expect(map.regions('memory')).toEqual(plain.regions('memory'));
        const seen: Model = Array.from({ length: CELLS }, (_, i) =>
          map.isMemory(i * 64) ? map.payloadAt('memory', i * 64 + 63)?.payload : '',
        );
        expect(seen).toEqual(model);
        let end = -1;
        let before: string | undefined;
        for (const { base, size, payload } of map.payloads('memory')) {
          expect(base > end || payload !== before).toBe(true);
          [end, before] = [base + size, payload];
        }
        map.verify();
      }
    }),
    { numRuns: 300 },
  );
});
