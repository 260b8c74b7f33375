// Which values are announced before they are sent: all that may nest more than fifty levels deep, and long buffers.
import { expect, test } from '@jest/globals';
import { isHeavy } from '../../dist/values/heavy.js';

/** So many holders in each other. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = wrap(value);
  return value;
}

test.each<[string, (inner: unknown) => unknown]>([
  ['objects', (inner) => ({ a: 1, inner })],
  ['arrays', (inner) => [inner]],
  ['maps, as values', (inner) => new Map([['a', inner]])],
  ['maps, as keys', (inner) => new Map([[inner, 'a']])],
  ['sets', (inner) => new Set([inner])],
  ['causes', (inner) => new Error('x', { cause: inner })],
  ['fields of errors', (inner) => Object.assign(new Error('x'), { inner })],
  ['class instances', (inner) => new (class { inner = inner; })()], // prettier-ignore
])('%s in each other are light while they are few', (_name, wrap) => {
  expect(isHeavy(nested(20, wrap))).toBe(false);
  expect(isHeavy(nested(200, wrap))).toBe(true);
});

test.each<[string, boolean, unknown]>([
  ['a number', false, 1],
  ['a long text', false, 'x'.repeat(1e6)],
  ['nothing', false, null],
  ['short bytes', false, new Uint8Array(5000)],
  ['a long buffer', true, new ArrayBuffer(1e6)],
  ['a long view, deep inside', true, { a: [{ b: new Float64Array(1e5) }] }],
  ['some elements', false, new Array(3000).fill(0)],
  ['many elements', true, new Array(4001).fill(0)],
  ['many elements in all', true, [new Array(3000).fill({}), new Array(3000).fill({})]],
  ['a hole of many elements', true, { a: new Array(1e9) }],
  ['many entries', true, new Map(Array.from({ length: 2001 }, (_, i) => [i, i]))],
  ['a cycle', true, (() => { const a: unknown[] = []; a.push(a); return a; })()], // prettier-ignore
])('%s: heavy is %s', (_name, heavy, value) => {
  expect(isHeavy(value)).toBe(heavy);
});

test('what cannot be read at all is heavy, and nothing is thrown', () => {
  const hostile = {
    get a(): unknown {
      throw new Error('no');
    },
  };
  expect(isHeavy(hostile)).toBe(true);
});
