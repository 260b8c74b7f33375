import { expect, test } from '@jest/globals';
import { AcceptError } from '@bootmem/unaccepted-memory';
import { buildTable, readHeader } from '@bootmem/unaccepted-memory/platform';
import { planHeader, writeHeader } from '../dist/table/table.js';

const K = 1024;
const M = K * K;
const G = K * M;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as AcceptError).code;
  }
  return 'no error';
}

/** The set bits of a table, as unit indices. */
function bitsOf(table: Uint8Array): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < (table.length - 24) * 8; bit += 1) {
    if (((table[24 + (bit >> 3)]! >> (bit & 7)) & 1) === 1) bits.push(bit);
  }
  return bits;
}

function build(ranges: [number, number][]): {
  base: number;
  bits: number[];
  now: [number, number][];
  bytes: number;
} {
  const plan = buildTable(ranges.map(([start, end]) => ({ start, end })));
  return {
    base: readHeader(plan.table!).physBase,
    bytes: plan.table!.length - 24,
    bits: bitsOf(plan.table!),
    now: plan.acceptNow.map((range) => [range.start, range.end]),
  };
}

test('base is the lowest start rounded down, size covers the highest end rounded up', () => {
  expect(planHeader([{ start: 3 * M, end: 9 * M + 4 * K }])).toEqual({
    physBase: 2 * M,
    unitSize: 2 * M,
    bitmapBytes: 1,
    unitCount: 8,
  });
  // 17 units need three bytes; the seven bits that pad the last byte are never set.
  const wide = build([
    [0, 10 * M],
    [30 * M, 34 * M],
  ]);
  expect(wide.bytes).toBe(3);
  expect(wide.bits).toEqual([0, 1, 2, 3, 4, 15, 16]);
});

//        1M                8M
// accept [==)
// bits      [ 1 | 2 | 3 )
test('an unaligned head is accepted at once and the rest gets bits', () => {
  const plan = build([[1 * M, 8 * M]]);
  expect(plan.base).toBe(0);
  expect(plan.now).toEqual([[1 * M, 2 * M]]);
  expect(plan.bits).toEqual([1, 2, 3]);
});

test('a range under two units is accepted as a whole, one of exactly two units is not', () => {
  expect(build([[2 * M, 5.5 * M]])).toMatchObject({ now: [[2 * M, 5.5 * M]], bits: [] });
  expect(build([[2 * M, 6 * M - 4 * K]])).toMatchObject({ bits: [] });
  expect(build([[2 * M, 2 * M + 4 * K]])).toMatchObject({
    now: [[2 * M, 2 * M + 4 * K]],
    bits: [],
  });
  expect(build([[2 * M, 6 * M]])).toMatchObject({ now: [], bits: [0, 1] });
});

test('two units that are not aligned keep one bit between an accepted head and tail', () => {
  expect(build([[4 * K, 4 * M + 4 * K]])).toMatchObject({
    base: 0,
    now: [
      [4 * K, 2 * M],
      [4 * M, 4 * M + 4 * K],
    ],
    bits: [1],
  });
});

test('holes between ranges have no bits', () => {
  expect(
    build([
      [0, 4 * M],
      [8 * M, 12 * M],
    ]).bits,
  ).toEqual([0, 1, 4, 5]);
});

/** A table of an earlier stage: 4 MiB to 20 MiB, of which the last unit is not accepted. */
function earlier(): Uint8Array {
  const installed = new Uint8Array(24 + 1);
  writeHeader(installed, { physBase: 4 * M, unitSize: 2 * M, bitmapBytes: 1, unitCount: 8 });
  installed[24] = 0b1000_0000;
  return installed;
}
const MAP = [
  { start: 0, end: 8 * M }, // straddles the base
  { start: 11 * M, end: 13 * M }, // inside, unaligned
  { start: 16 * M, end: 40 * M }, // straddles the end, 20 MiB
  { start: 60 * M, end: 70 * M }, // beyond
];

test('what an installed table covers is as it says; what lies outside is accepted at once', () => {
  const installed = earlier();
  const plan = buildTable(MAP, { installed });
  expect(bitsOf(plan.table!)).toEqual([7]);
  expect(plan.acceptNow).toEqual([
    { start: 0, end: 4 * M },
    { start: 20 * M, end: 40 * M },
    { start: 60 * M, end: 70 * M },
  ]);
  const below = buildTable([{ start: 0, end: 4 * M }], { installed });
  expect(below.acceptNow).toEqual([{ start: 0, end: 4 * M }]);
  expect(bitsOf(below.table!)).toEqual([7]);
});

test('remark: the ranges are marked in the installed table once more, and their edges accepted', () => {
  const installed = earlier();
  const plan = buildTable(MAP, { installed, remark: true });
  expect(bitsOf(plan.table!)).toEqual([0, 1, 6, 7]);
  expect(plan.acceptNow).toEqual([
    { start: 0, end: 4 * M },
    { start: 11 * M, end: 13 * M },
    { start: 20 * M, end: 40 * M },
    { start: 60 * M, end: 70 * M },
  ]);
  expect(bitsOf(installed)).toEqual([7]);
});

test('a version other than 1 is refused', () => {
  const installed = new Uint8Array(24);
  writeHeader(installed, { physBase: 0, unitSize: 2 * M, bitmapBytes: 0, unitCount: 0 });
  installed[0] = 2;
  expect(codeOf(() => buildTable([], { installed }))).toBe('ERR_ACCEPT_TABLE_VERSION');
  expect(() => buildTable([], { installed })).toThrow('Unknown version of unaccepted memory table');
});

test('no range and no installed table make no table', () => {
  expect(buildTable([])).toEqual({ table: undefined, acceptNow: [] });
});

test('a span of 4 PiB fits, a longer one does not', () => {
  const P = 2 ** 50;
  expect(
    planHeader([
      { start: 0, end: 4 * M },
      { start: 4 * P - 4 * M, end: 4 * P },
    ])!.bitmapBytes,
  ).toBe(256 * M);
  expect(codeOf(() => planHeader([{ start: 0, end: 4 * P + 16 * M }]))).toBe('ERR_ACCEPT_TABLE');
  expect(codeOf(() => planHeader([{ start: 2 ** 53 - 2 * M, end: 2 ** 53 - 4 * K }]))).toBe(
    'ERR_ACCEPT_TABLE',
  );
});

test('4 KiB of bitmap cover 64 GiB', () => {
  expect(planHeader([{ start: 0, end: 64 * G }])!.bitmapBytes).toBe(4096);
});

test('broken tables are refused', () => {
  expect(codeOf(() => readHeader(new Uint8Array(23)))).toBe('ERR_ACCEPT_TABLE');
  const short = new Uint8Array(24 + 7);
  writeHeader(short, { physBase: 0, unitSize: 2 * M, bitmapBytes: 8, unitCount: 64 });
  expect(codeOf(() => readHeader(short))).toBe('ERR_ACCEPT_TABLE');
  writeHeader(short, { physBase: M, unitSize: 2 * M, bitmapBytes: 1, unitCount: 8 });
  expect(codeOf(() => readHeader(short))).toBe('ERR_ACCEPT_TABLE');
  writeHeader(short, { physBase: 0, unitSize: 3 * M, bitmapBytes: 1, unitCount: 8 });
  expect(codeOf(() => readHeader(short))).toBe('ERR_ACCEPT_ARGUMENT');
});

test('ranges that are reversed, empty or not page aligned are refused', () => {
  for (const [start, end] of [
    [8 * M, 4 * M],
    [4 * M, 4 * M],
    [100, 8 * M],
    [0, 8 * M + 1],
    [-4096, 8 * M],
    [0, Number.NaN],
  ] as const) {
    expect(codeOf(() => planHeader([{ start, end }]))).toBe('ERR_ACCEPT_ARGUMENT');
  }
});
