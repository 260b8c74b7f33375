// Values of odd kinds, there and back: what arrives is what structured clone makes of them; what it refuses is a coded error
// of that job, and nothing else is harmed.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { Series, WorkPool } from '@bootmem/padata';

type Any = (input: unknown) => unknown;
const module = new URL('../fixtures/series-jobs.mjs', import.meta.url);
let pool: WorkPool;
let same: Series<Any>;
beforeAll(() => {
  pool = createWorkPool({ threads: 1 });
  same = pool.series<Any>({ fn: { module, name: 'same' } });
});
afterAll(() => pool.close());

const EMPTY_WASM = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
const { Module: Wasm } = (
  globalThis as unknown as { WebAssembly: { Module: new (code: Uint8Array) => object } }
).WebAssembly;
/** Its kind, as far as one can ask: tests run in a realm of their own, so classes are compared by name. */
const kindOf = (value: unknown) => Object.prototype.toString.call(value);

test.each<[string, unknown]>([
  ['-0', -0],
  ['NaN', NaN],
  ['undefined', undefined],
  ['a lone surrogate', '\ud800 and \udfff'],
  ['a hole', [1, , 3]], // eslint-disable-line no-sparse-arrays
  ['undefined fields', { a: undefined, b: null }],
  ['a field __proto__', JSON.parse('{"__proto__":{"x":1},"y":2}')],
  ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ['a wrapped bigint', Object(1n)],
  ['an expression', /a.b/giu],
  ['the last date', new Date(8.64e15)],
  ['a map in a set', new Set([new Map([[NaN, new Set([-0])]])])],
  ['a view of a part', new DataView(new ArrayBuffer(8), 2, 4)],
  ['floats', new Float64Array([NaN, -0, Infinity])],
  ['an array with a name', Object.assign([1, 2], { name: 'x' })],
])('%s arrives as what structured clone makes of it', async (_name, value) => {
  const clone: unknown = structuredClone(value);
  const back = await same.run(value);
  expect(kindOf(back)).toBe(kindOf(clone));
  expect(back).toEqual(clone);
  if (typeof value === 'number') expect(Object.is(back, clone)).toBe(true);
  if (Array.isArray(value))
    expect(Object.keys(back as object)).toEqual(Object.keys(clone as object));
});

test('a cycle and an object met twice keep their shape', async () => {
  const inner = { n: 1 };
  const value: Record<string, unknown> = { a: inner, b: inner };
  value['self'] = value;
  const back = (await same.run(value)) as Record<string, unknown>;
  expect(back['self']).toBe(back);
  expect(back['a']).toBe(back['b']);
});

test('memory that is shared stays shared wherever it lies; modules and keys arrive as what they are', async () => {
  const shared = new SharedArrayBuffer(8);
  const back = (await same.run(new Map([[1, { shared }]]))) as Map<
    number,
    { shared: typeof shared }
  >;
  new Int32Array(shared)[0] = 7;
  expect(new Int32Array(back.get(1)!.shared)[0]).toBe(7);
  const wasm = await same.run([new Wasm(EMPTY_WASM)]);
  expect(kindOf((wasm as unknown[])[0])).toBe('[object WebAssembly.Module]');
  const algorithm = { name: 'AES-GCM', length: 128 };
  const key = await crypto.subtle.generateKey(algorithm, false, ['encrypt']);
  expect(kindOf(await same.run(key))).toBe('[object CryptoKey]');
});

test.each<[string, () => [unknown, unknown[]?]]>([
  [
    'a port that is gone',
    () => {
      const { port1 } = new MessageChannel();
      structuredClone(port1, { transfer: [port1] as never });
      return [port1, [port1]];
    },
  ],
  ['a port that is not handed over', () => [new MessageChannel().port1]],
  [
    'a buffer that is handed over twice',
    () => {
      const buffer = new ArrayBuffer(8);
      return [buffer, [buffer, buffer]];
    },
  ],
  ['a stream', () => [new ReadableStream()]],
  ['a weak map', () => [{ deep: new WeakMap() }]],
])('%s is a coded error of its job', async (_name, make) => {
  const [input, transfer] = make();
  const job = same.run(input, transfer === undefined ? {} : { transfer });
  await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
  expect(await same.run(1)).toBe(1);
});
