// Shapes that the codec expects: it tries the one that came behind the last, so all of these come in turn with what they are taken for.
import { isDeepStrictEqual } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { NOT_PLAIN, decodePlain, encodePlain } from '../../dist/values/plain-codec.js';
import { plainRoom } from '../../dist/values/object-names.js';
import { Random } from '../../../../tools/kit/random.mjs';

const ROOM = 1 << 16;
const room = plainRoom(ROOM);
const pass = (value: unknown): unknown => {
  expect(encodePlain(value, room, 0, ROOM)).toBeGreaterThan(0);
  return decodePlain(room, 0);
};

afterEach(() => {
  delete (Object.prototype as { b?: number }).b;
});

test('what is expected is not believed: shapes with a name more, less, or in another order', () => {
  const makers = [
    () => ({}),
    () => ({ a: 1 }),
    () => ({ a: 1, b: 2 }),
    () => ({ b: 2, a: 1 }),
    () => ({ a: 1, b: 2, c: 3 }),
    () => ({ a: 1, c: { a: 1, b: 2 } }),
    () => ({ 1: 'one', a: 1 }),
    () => ({ a: undefined, b: undefined }),
    () => JSON.parse('{"a":1,"__proto__":{"b":2}}') as object,
  ];
  const random = new Random(5);
  for (let n = 0; n < 2000; n += 1) {
    const value = [random.pick(makers)(), random.pick(makers)(), random.pick(makers)()];
    const read = pass(value) as object[];
    expect(isDeepStrictEqual(read, value)).toBe(true);
    expect(read.map((o) => Object.keys(o))).toEqual(value.map((o) => Object.keys(o)));
  }
});

test('what all objects have by a careless program is no property of one', () => {
  pass([{ a: 1 }, { a: 1, b: 2 }]);
  Object.defineProperty(Object.prototype, 'b', { value: 7, enumerable: true, configurable: true });
  for (let n = 0; n < 3; n += 1) {
    const read = pass([{ a: 1 }, { a: 1, c: 2 }]) as object[];
    expect(read.map((o) => Object.keys(o))).toEqual([['a'], ['a', 'c']]);
  }
});

test('properties that are not enumerable, and symbols, are not seen; an object without the fast kind of properties is', () => {
  const value: Record<PropertyKey, unknown> = { a: 1, gone: 2, b: 3, [Symbol('s')]: 4 };
  delete value['gone'];
  Object.defineProperty(value, 'hidden', { value: 1 });
  for (let n = 0; n < 3; n += 1) expect(pass([value, n])).toStrictEqual([{ a: 1, b: 3 }, n]);
});

test('a getter that takes properties away, or adds some, while they are read', () => {
  for (let n = 0; n < 3; n += 1) {
    const value = {
      a: 1,
      get b() {
        delete (this as { c?: number }).c;
        Object.assign(this, { later: 1 });
        return 2;
      },
      c: 3,
      d: 4,
    };
    expect(pass(value)).toStrictEqual({ a: 1, b: 2, d: 4 });
    // The same names, and nothing happens.
    expect(pass({ a: 1, b: 2, c: 3, d: 4 })).toStrictEqual({ a: 1, b: 2, c: 3, d: 4 });
  }
});

test('each getter is called once', () => {
  let calls = 0;
  const value = {
    get a() {
      calls += 1;
      return [calls];
    },
  };
  for (let n = 1; n < 4; n += 1) expect(pass(value)).toStrictEqual({ a: [n] });
});

test('arrays with holes or properties of their own are more than plain, however many of each', () => {
  const extra = Object.assign([1, 2], { more: 3 });
  const hole: number[] = [1];
  hole[2] = 3;
  const both = Object.assign(hole.slice(), { more: 3 });
  for (const value of [extra, hole, both, /b/.exec('abc'), new Array(3)]) {
    expect(encodePlain(value, room, 0, ROOM)).toBe(NOT_PLAIN);
    expect(encodePlain({ value }, room, 0, ROOM)).toBe(NOT_PLAIN);
  }
  expect(pass([1, undefined, 3])).toStrictEqual([1, undefined, 3]);
});

test('numbers at the borders of their forms', () => {
  const borders = [27, 28, 31, 32, 53].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);
  const all = [0, -0, ...borders, ...borders.map((n) => -n)];
  expect(isDeepStrictEqual(pass(all), all)).toBe(true);
});

test('short texts of the same words, and thousands of others between them', () => {
  const units = ['', '\u0000', 'a', '\u00ff', 'ab', '\u0000\u0000', 'a\u0000'];
  const random = new Random(9);
  for (let n = 0; n < 4000; n += 1) {
    const value = Array.from({ length: 4 }, () => {
      let text = '';
      while (text.length < random.below(14)) text += random.pick(units) || String(n);
      return text;
    });
    expect(pass(value)).toStrictEqual(value);
  }
  // The same words, and only the length tells.
  const ends = ['ab', 'ab\u0000', 'ab\u0000\u0000', 'abcd', 'abcd\u0000'];
  for (let n = 0; n < 3; n += 1) expect(pass(ends)).toStrictEqual(ends);
  for (let length = 0; length < 16; length += 1) {
    for (const unit of ['\u0000', 'x', '\u00ff', '\u0100', '\ud800']) {
      for (const last of ['', '\u0000', '\u4e2d']) {
        const value = unit.repeat(length) + last;
        expect(pass([value, value])).toStrictEqual([value, value]);
      }
    }
  }
});

test('nothing of a value is kept when it is written', async () => {
  const value = new WeakRef({ at: [{}] });
  pass(value.deref());
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let n = 0; n < 10 && value.deref() !== undefined; n += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    gc();
  }
  expect(value.deref()).toBeUndefined();
});
