// Values that say something else of themselves than they are, and objects that all others stem from.
import { afterEach, expect, test } from '@jest/globals';
import { NOT_PLAIN, NO_ROOM, decodePlain, encodePlain } from '../../dist/values/plain-codec.js';
import { plainRoom } from '../../dist/values/object-names.js';

const ROOM = 1 << 12;
const room = plainRoom(ROOM);
const encode = (value: unknown, limit = ROOM): number => encodePlain(value, room, 0, limit);
const pass = (value: unknown): unknown => {
  expect(encode(value)).toBeGreaterThan(0);
  return decodePlain(room, 0);
};
const named = ['fixed', 'answered'] as const;

afterEach(() => {
  for (const name of named) Reflect.deleteProperty(Object.prototype, name);
});

test.each([0, 3, 1000, -5, 2 ** 40])(
  'bytes are as many as they are, not as they say: %d',
  (length) => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => i);
    const before = [...bytes];
    Object.defineProperty(bytes, 'length', { value: length });
    Object.defineProperty(bytes, 'constructor', { value: null });
    room.words.fill(-1);
    const end = encode([bytes, 'behind']);
    expect(room.words.subarray(end >> 2).every((word) => word === -1)).toBe(true);
    expect(decodePlain(room, 0)).toEqual([Uint8Array.from(before), 'behind']);
  },
);

test('properties that a getter took away are not there', () => {
  const make = () => ({
    get first() {
      for (const name of ['second', 'fourth']) Reflect.deleteProperty(this, name);
      return 1;
    },
    toString: 0,
    second: 2,
    third: { third: 3 },
    fourth: 4,
    fifth: 5,
  });
  expect(Object.entries(pass([make(), 6]) as object[])).toStrictEqual(
    Object.entries(structuredClone([make(), 6])),
  );
  // Where the room ends at any word, it says so.
  const end = encode(make());
  for (let limit = 0; limit < end; limit += 4) expect(encode(make(), limit)).toBe(NO_ROOM);
});

test('bytes whose memory was handed over are refused, empty ones are not', () => {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  expect(encode({ bytes })).toBe(NOT_PLAIN);
  expect(pass({ bytes: new Uint8Array(0) })).toEqual({ bytes: new Uint8Array(0) });
});

test('Buffers and arrays of a subclass arrive as what a clone of them is', () => {
  class Other extends Uint8Array {}
  const { buffer, other } = pass({ buffer: Buffer.from('abc'), other: new Other(2) }) as {
    buffer: Uint8Array;
    other: Uint8Array;
  };
  expect(buffer.constructor).toBe(Uint8Array);
  expect(buffer).toEqual(Uint8Array.of(97, 98, 99));
  expect(other.constructor).toBe(Uint8Array);
});

test('names that all objects have are properties of their own', () => {
  let answered = 0;
  Object.defineProperty(Object.prototype, 'fixed', { value: 1, configurable: true });
  Object.defineProperty(Object.prototype, 'answered', {
    set: () => (answered += 1),
    configurable: true,
  });
  const value = JSON.parse('{"fixed":2,"answered":3,"toString":4,"__proto__":5}') as object;
  const read = pass(value) as object;
  expect(Object.entries(read)).toEqual(Object.entries(value));
  expect(answered).toBe(0);
});

test.each([1, 2, 15, 16, 17, 40])(
  'names that all objects get after their shape was read %d times are properties of their own',
  (times) => {
    const value = JSON.parse(`{"fixed":2,"answered":3,"n${times}":4,"__proto__":5}`) as object;
    for (let i = 0; i < times; i += 1) pass(value);
    let answered = 0;
    Object.defineProperty(Object.prototype, 'fixed', { value: 1, configurable: true });
    Object.defineProperty(Object.prototype, 'answered', {
      set: () => (answered += 1),
      configurable: true,
    });
    for (let i = 0; i < 20; i += 1) {
      const read = pass(value);
      expect(Object.getOwnPropertyDescriptors(read)).toEqual(
        Object.getOwnPropertyDescriptors(structuredClone(value)),
      );
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    }
    expect(answered).toBe(0);
  },
);

test('objects of a shape are made one by one, however often it was read', () => {
  const values = Array.from({ length: 40 }, (_, i) => ({ one: i, other: { one: -i, other: [i] } }));
  expect(pass(values)).toEqual(values);
  const [first, second] = pass(values) as Record<string, unknown>[];
  first!['one'] = 'changed';
  Reflect.deleteProperty(first!, 'other');
  expect(second).toEqual(values[1]);
  expect(pass(values)).toEqual(values);
});

test('more shapes than have a template are read as well, in their order and with any name', () => {
  const names = [
    '10',
    '2',
    'é',
    '\ud800',
    '"',
    '\\',
    '',
    '__proto__',
    'constructor',
    '\0',
    '4294967295',
  ];
  for (let shape = 0; shape < 100; shape += 1) {
    const value = JSON.parse(
      `{${[...names, `n${shape}`].map((name, i) => `${JSON.stringify(name)}:${i}`).join()}}`,
    ) as object;
    for (let i = 0; i < 18; i += 1) {
      expect(Object.entries(pass(value) as object)).toEqual(Object.entries(value));
    }
  }
});

test('a getter that all objects have is none of what was read', () => {
  const value = JSON.parse('{"get":1,"value":2,"constructor":3}') as object;
  Object.defineProperty(Object.prototype, 'get', { value: () => 7, configurable: true });
  try {
    expect(Object.entries(pass(value) as object)).toEqual(Object.entries(value));
  } finally {
    Reflect.deleteProperty(Object.prototype, 'get');
  }
});
