// Typed arrays through a pool: what arrives is what structured clone would give, and nobody writes beyond his room.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/view-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
afterEach(() => pool.close());

const KINDS = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];
/** An array of this kind, its bytes all different. */
function filled(kind: (typeof KINDS)[number], length: number): ArrayBufferView {
  const array = new kind(length);
  const bytes = new Uint8Array(array.buffer);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = (i * 37 + 11) & 0xff;
  return array;
}
/** What can be seen of a view. */
function seen(view: unknown): unknown {
  if (!ArrayBuffer.isView(view)) return view;
  const { buffer, byteOffset, byteLength } = view;
  return {
    tag: Object.prototype.toString.call(view),
    made: view.constructor.name,
    byteOffset,
    byteLength,
    whole: buffer.byteLength,
    memory: Object.prototype.toString.call(buffer),
    resizable: (buffer as { resizable?: boolean }).resizable,
    bytes: Buffer.from(buffer as ArrayBuffer).toString('latin1'),
  };
}

describe.each([
  ['in order', 2, 'submission'],
  ['without an order', 2, 'none'],
  ['on the calling thread', 0, 'submission'],
] as const)('%s', (_way, threads, order) => {
  test('each kind and size arrives as a clone would, there and back', async () => {
    pool = createWorkPool({ threads });
    await using same = pool.series<Any>({ fn: { module, name: 'same' }, order, window: 16 });
    await using look = pool.series<Any>({ fn: { module, name: 'look' }, order, window: 16 });
    for (const kind of KINDS) {
      const values = [0, 1, 7, 8, 63, 1000, 40_000].map((length) => filled(kind, length));
      const results = await Promise.all(values.map((value) => same.run(value)));
      expect(results.map(seen)).toEqual(values.map((value) => seen(structuredClone(value))));
      const there = await Promise.all(values.map((value) => look.run(value)));
      for (const [i, found] of there.entries()) {
        expect(found).toMatchObject({
          memory: '[object ArrayBuffer]',
          whole: values[i]!.byteLength,
        });
      }
    }
  });

  test('what a clone does not copy plainly is left to it', async () => {
    pool = createWorkPool({ threads });
    await using same = pool.series<Any>({ fn: { module, name: 'same' }, order });
    const buffer = filled(Uint16Array, 64).buffer;
    const resizable = new ArrayBuffer(16, { maxByteLength: 64 });
    class Own extends Float32Array {
      readonly note = 'mine';
    }
    for (const value of [
      new Uint16Array(buffer, 4, 8),
      new Float64Array(buffer, 8),
      new DataView(buffer, 2, 3),
      new Int32Array(resizable),
      new Int32Array(resizable, 4),
      new Own([1, 2, 3]),
      Object.assign(new Int8Array([1, 2]), { length2: 9 }),
    ]) {
      expect(seen(await same.run(value))).toEqual(seen(structuredClone(value)));
    }
    const shared = new Int32Array(new SharedArrayBuffer(16));
    const result = (await same.run(shared)) as Int32Array;
    result[2] = 77;
    expect(shared[2]).toBe(77);
    const gone = new Float64Array(4);
    structuredClone(gone, { transfer: [gone.buffer] });
    await expect(same.run(gone)).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
  });

  test('the array is the function’s own, and so is the caller’s', async () => {
    pool = createWorkPool({ threads });
    await using wipe = pool.series<Any>({ fn: { module, name: 'wipe' }, order, window: 4 });
    const value = new Float64Array([1, 2, 3]);
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => wipe.run(value)));
    expect(value).toEqual(new Float64Array([1, 2, 3]));
    for (const result of results) expect(result).toEqual(new Float64Array([0, 2, 3]));
    expect(new Set(results.map((result) => (result as Float64Array).buffer)).size).toBe(6);
  });

  test('arrays that say something else of themselves: nobody’s bytes but their own', async () => {
    pool = createWorkPool({ threads });
    await using same = pool.series<Any>({ fn: { module, name: 'same' }, order, window: 8 });
    await using lies = pool.series<Any>({ fn: { module, name: 'lies' }, order, window: 8 });
    const told = [1, 4096];
    const values = told.flatMap((lie) =>
      [Uint8Array, Float64Array].flatMap((kind) =>
        [1, 200].map((n) => {
          const value = new kind(n).fill(7);
          for (const key of ['length', 'byteLength', 'byteOffset', 'buffer', 'constructor']) {
            Object.defineProperty(value, key, { value: lie });
          }
          return value;
        }),
      ),
    );
    const neighbours = Array.from({ length: 4 }, (_, i) => `neighbour ${i} `.repeat(20));
    const runs = [...values, ...neighbours].map((value) => same.run(value));
    const results = await Promise.all(runs);
    expect(results.slice(0, 8).map((r) => [...(r as Uint8Array)])).toEqual(
      [1, 200, 1, 200, 1, 200, 1, 200].map((n) => Array.from({ length: n }, () => 7)),
    );
    expect(results.slice(8)).toEqual(neighbours);
    const found = (await Promise.all([1, 200, 5000].map((n) => lies.run(n)))) as Uint8Array[];
    expect(found.map((array) => array.length)).toEqual([1, 200, 5000]);
  });
});
