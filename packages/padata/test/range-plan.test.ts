import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chunkEnd, chunkStart, planRange } from '@bootmem/padata/backend';

// start, size, align, minChunk, maxThreads, works -> planned, got, chunk, claims (reference figures).
const GOLDEN: [number[], number[] | 'fast'][] = [
  [
    [0, 100, 1, 1, 4, 99],
    [4, 4, 6, 17],
  ],
  [
    [5, 100, 1, 10, 4, 99],
    [4, 4, 10, 11],
  ],
  [[0, 9, 1, 10, 8, 9], 'fast'],
  [
    [0, 1000, 64, 64, 8, 99],
    [8, 8, 64, 16],
  ],
  [
    [0, 1000, 64, 64, 8, 2],
    [8, 3, 128, 8],
  ],
  [
    [0, 1000, 64, 64, 8, 0],
    [8, 1, 256, 4],
  ],
  [
    [100, 1000, 64, 10, 8, 99],
    [8, 8, 64, 17],
  ],
  [
    [0, 7, 1, 0, 4, 99],
    [4, 4, 1, 7],
  ],
  [
    [1000, 326680, 32768, 32768, 8, 7],
    [8, 8, 32768, 10],
  ],
  [[98816, 65024, 32768, 32768, 52, 103], 'fast'],
];

function shape(v: number[]) {
  return { start: v[0]!, size: v[1]!, align: v[2]!, minChunk: v[3]!, maxThreads: v[4]! };
}

test.each(GOLDEN)('plan of %j is %j', (input, expected) => {
  const plan = planRange(shape(input), input[5]!);
  if (expected === 'fast') {
    expect(plan).toMatchObject({ fastPath: true, got: 1, chunkCount: 1, chunkSize: input[1] });
  } else {
    expect([plan.planned, plan.got, plan.chunkSize, plan.chunkCount]).toEqual(expected);
  }
});

test('the first and last chunks of the golden vectors are the reference ones', () => {
  const ends = (v: number[]) => {
    const plan = planRange(shape(v), v[5]!);
    const at = (k: number) => [
      chunkStart(v[0]!, plan.chunkSize, k),
      chunkEnd(v[0]!, v[0]! + v[1]!, plan.chunkSize, k),
    ];
    return [at(0), at(1), at(plan.chunkCount - 1)];
  };
  expect(ends([0, 100, 1, 1, 4, 99])).toEqual([
    [0, 6],
    [6, 12],
    [96, 100],
  ]);
  expect(ends([5, 100, 1, 10, 4, 99])).toEqual([
    [5, 10],
    [10, 20],
    [100, 105],
  ]);
  expect(ends([100, 1000, 64, 10, 8, 99])).toEqual([
    [100, 128],
    [128, 192],
    [1088, 1100],
  ]);
  expect(ends([1000, 326680, 32768, 32768, 8, 7])).toEqual([
    [1000, 32768],
    [32768, 65536],
    [294912, 327680],
  ]);
});

test('chunks cover the range exactly, ascending, with aligned inner ends', () => {
  fc.assert(
    fc.property(
      fc.record({
        start: fc.integer({ min: 0, max: 1 << 20 }),
        size: fc.integer({ min: 1, max: 1 << 20 }),
        align: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(64, 512, 32768)),
        minChunk: fc.integer({ min: 0, max: 5000 }),
        maxThreads: fc.integer({ min: -2, max: 300 }),
      }),
      fc.integer({ min: 0, max: 300 }),
      (s, works) => {
        const plan = planRange(s, works);
        if (plan.fastPath) {
          expect(plan.planned).toBe(1);
          return;
        }
        const end = s.start + s.size;
        let at = s.start;
        for (let k = 0; k < plan.chunkCount; k += 1) {
          expect(chunkStart(s.start, plan.chunkSize, k)).toBe(at);
          at = chunkEnd(s.start, end, plan.chunkSize, k);
          if (at !== end) expect(at % s.align).toBe(0);
        }
        expect(at).toBe(end);
        expect(plan.chunkCount).toBeLessThanOrEqual(8 * plan.got + 2);
        expect(plan.got).toBeLessThanOrEqual(1 + works);
      },
    ),
  );
});

test('bad shapes are refused with a code before anything happens', () => {
  const good = { start: 0, size: 10, align: 1, minChunk: 1, maxThreads: 2 };
  const bad = [
    { start: -1 },
    { start: 0.5 },
    { size: -1 },
    { size: Number.MAX_SAFE_INTEGER, start: 1 },
    { align: 0 },
    { minChunk: -1 },
    { minChunk: NaN },
    { maxThreads: 1.5 },
  ];
  for (const change of bad) {
    expect(() => planRange({ ...good, ...change }, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
    );
  }
});

test('an empty range has no chunk', () => {
  expect(planRange({ start: 3, size: 0, align: 1, minChunk: 1, maxThreads: 4 }, 4).chunkCount).toBe(
    0,
  );
});
