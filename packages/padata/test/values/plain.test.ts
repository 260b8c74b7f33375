// Plain data in bytes: what is read is what structured clone would give, in exactly the room that it takes.
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { NOT_PLAIN, NO_ROOM, decodePlain, encodePlain } from '../../dist/values/plain-codec.js';
import { textBytes } from '../../dist/text/text.node.js';
import type { PlainRoom } from '../../dist/values/object-names.js';
import { Random } from '../../../../tools/kit/random.mjs';

const ROOM = 1 << 20;
function memory(): PlainRoom {
  const shared = new SharedArrayBuffer(ROOM);
  return { text: textBytes(shared, 0, ROOM), words: new Int32Array(shared) };
}
const bytes = memory();

function anyText(random: Random): string {
  const length = random.pick([0, 1, 5, 12, 13, 40, 300]);
  const unit = random.pick(['a', '\u00e9', '\u4e2d', '\ud800', '__proto__', '\u0000']);
  return unit.repeat(length);
}
function anyValue(random: Random, depth: number): unknown {
  const kind = random.below(depth > 4 ? 8 : 11);
  switch (kind) {
    case 0:
      return random.pick([null, undefined, true, false]);
    case 1:
      return random.pick([0, -0, 1, -1, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53]);
    case 2:
      return random.below(1000) - 500;
    case 3:
      return random.below(1_000_000) / 7;
    case 4:
      return new Uint8Array(random.below(40)).fill(random.below(256));
    case 5:
    case 6:
    case 7:
      return anyText(random);
    case 8:
      return Array.from({ length: random.below(6) }, () => anyValue(random, depth + 1));
    default: {
      const names = Array.from({ length: random.below(6) }, () =>
        random.pick(['a', 'b', 'id', '10', '', '\u4e2d', 'constructor', anyText(random)]),
      );
      return Object.fromEntries(
        // An assignment of `__proto__` makes no property, `fromEntries` does.
        names.map((name) => [name, anyValue(random, depth + 1)]),
      );
    }
  }
}

test.each(Array.from({ length: 8 }, (_, seed) => seed))(
  'any plain value comes back, and needs the room that it takes (seed %i)',
  (seed) => {
    const random = new Random(seed);
    for (let n = 0; n < 250; n += 1) {
      const value = anyValue(random, 0);
      const offset = 4 * random.below(3);
      const end = encodePlain(value, bytes, offset, ROOM);
      expect(end).toBeGreaterThan(offset);
      expect(isDeepStrictEqual(decodePlain(bytes, offset), value)).toBe(true);
      // Smaller rooms say so, whatever part of the value is the one without room.
      const most = end - offset;
      for (const room of [0, 1, most >> 1, most - 9, most - 1]) {
        if (room < 0 || room >= most - 11) continue;
        expect(encodePlain(value, bytes, offset, offset + room)).toBe(NO_ROOM);
      }
    }
  },
);

test('shapes that differ in one name, or where it ends, are not taken for each other', () => {
  const shapes = [
    { ab: 1, c: 2 },
    { a: 1, bc: 2 },
    { a: 1, bd: 2 },
    { ac: 1, b: 2 },
    { c: 1, ab: 2 },
    { a: 1, b: 2, c: 3 },
    { 'a\u00e9': 1, c: 2 },
    { 'a\u4e2d': 1, c: 2 },
    {},
    { '': 1 },
    { '': 1, a: 2 },
    JSON.parse('{"__proto__":1,"a":2}') as object,
    JSON.parse('{"a":1,"__proto__":{"b":3}}') as object,
  ];
  const random = new Random(3);
  for (let n = 0; n < 500; n += 1) {
    const value = [random.pick(shapes), random.pick(shapes), random.pick(shapes).constructor.name];
    const copy = (shape: unknown): object => JSON.parse(JSON.stringify(shape)) as object;
    const again = [copy(value[0]), copy(value[1]), value[2]];
    expect(encodePlain(again, bytes, 0, ROOM)).toBeGreaterThan(0);
    const read = decodePlain(bytes, 0) as object[];
    expect(isDeepStrictEqual(read, again)).toBe(true);
    expect(read.slice(0, 2).map((o) => Object.keys(o))).toEqual(
      again.slice(0, 2).map((o) => Object.keys(o as object)),
    );
  }
});

test('names beyond what is remembered, thousands of them in turn', () => {
  for (let n = 0; n < 3000; n += 1) {
    const value = { [`name ${n}`]: n, [`x${'y'.repeat(n)}`]: -n };
    encodePlain(value, bytes, 0, ROOM);
    expect(decodePlain(bytes, 0)).toStrictEqual(value);
  }
});

test('many objects, and deep ones, are plain; one that is met twice, however late, is not', () => {
  const many = Array.from({ length: 500 }, (_, id) => ({ id, tags: ['a'] }));
  expect(encodePlain(many, bytes, 0, ROOM)).toBeGreaterThan(0);
  expect(decodePlain(bytes, 0)).toStrictEqual(many);
  for (const twice of [many[0]!, many[11]!, many[12]!, many[499]!, many[499]!.tags]) {
    expect(encodePlain([...many, twice], bytes, 0, ROOM)).toBe(NOT_PLAIN);
  }
  let deep: unknown = 1;
  for (let i = 0; i < 200; i += 1) deep = { deep };
  encodePlain(deep, bytes, 0, ROOM);
  expect(decodePlain(bytes, 0)).toStrictEqual(deep);
  for (let i = 0; i < 100; i += 1) deep = [deep];
  expect(encodePlain(deep, bytes, 0, ROOM)).toBe(NOT_PLAIN);
  expect(encodePlain({ at: new Map() }, bytes, 0, ROOM)).toBe(NOT_PLAIN);
});
