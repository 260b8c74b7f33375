import { expect, test } from '@jest/globals';
import {
  ALLOC_RESERVES,
  watermarkFast,
  type WatermarkZone,
} from '../dist/marks/watermark-check.js';
import { AllocFlag, watermarkOk } from '@bootmem/buddy-allocator/zones';

const { MIN_RESERVE, NON_BLOCK, OOM, HIGHATOMIC, CMA } = AllocFlag;

const zoneWith = (changes: Partial<WatermarkZone>): WatermarkZone => ({
  freePages: 0,
  freeHighatomic: 0,
  freeCma: 0,
  lowmemReserve: [0, 0, 100],
  min: 1000,
  boost: 0,
  maxOrder: 10,
  hasFree: () => false,
  ...changes,
});

/** Only the lists named `order/type` have a block. */
const lists =
  (...names: string[]) =>
  (order: number, type: number): boolean =>
    names.includes(`${order}/${type}`);

// Mark 1000 as each set of claims lowers it.
const LOWERED: [string, number, number][] = [
  ['no claim', 0, 1000],
  ['MIN_RESERVE', MIN_RESERVE, 500],
  ['NON_BLOCK alone', NON_BLOCK, 1000],
  ['HIGHATOMIC alone', HIGHATOMIC, 1000],
  ['OOM', OOM, 500],
  ['MIN_RESERVE and NON_BLOCK', MIN_RESERVE | NON_BLOCK, 375],
  ['MIN_RESERVE and OOM', MIN_RESERVE | OOM, 250],
  ['MIN_RESERVE, NON_BLOCK and OOM', MIN_RESERVE | NON_BLOCK | OOM, 188],
  ['NON_BLOCK and OOM', NON_BLOCK | OOM, 500],
  ['MIN_RESERVE, NON_BLOCK and HIGHATOMIC', MIN_RESERVE | NON_BLOCK | HIGHATOMIC, 375],
];

test.each(LOWERED)('%s: one page more than the mark passes, the mark itself fails', (...row) => {
  const [, flags, lowered] = row;
  const request = { order: 0, mark: 1000, highestZoneIndex: 1, flags };
  expect(watermarkOk(zoneWith({ freePages: lowered - 1 }), request)).toBe(false);
  expect(watermarkOk(zoneWith({ freePages: lowered }), request)).toBe(false);
  expect(watermarkOk(zoneWith({ freePages: lowered + 1 }), request)).toBe(true);
});

test.each(LOWERED)('%s: the lowmem reserve comes on top, unlowered', (_what, flags, lowered) => {
  const request = { order: 0, mark: 1000, highestZoneIndex: 2, flags };
  expect(watermarkOk(zoneWith({ freePages: lowered + 100 }), request)).toBe(false);
  expect(watermarkOk(zoneWith({ freePages: lowered + 101 }), request)).toBe(true);
});

test('high-atomic pages count only for requests with a claim', () => {
  const zone = zoneWith({ freePages: 1500, freeHighatomic: 600 });
  const request = { order: 0, mark: 1000, highestZoneIndex: 0 };
  expect(watermarkOk(zone, { ...request, flags: 0 })).toBe(false);
  for (const flags of [MIN_RESERVE, NON_BLOCK, OOM, HIGHATOMIC]) {
    expect(flags & ALLOC_RESERVES).toBe(flags);
    expect(watermarkOk(zone, { ...request, flags })).toBe(true);
  }
});

test('CMA pages count only for requests that may use them', () => {
  const zone = zoneWith({ freePages: 1500, freeCma: 600 });
  const request = { order: 0, mark: 1000, highestZoneIndex: 0 };
  expect(watermarkOk(zone, { ...request, flags: 0 })).toBe(false);
  expect(watermarkOk(zone, { ...request, flags: CMA })).toBe(true);
});

test('a request of an order must leave the mark after all its pages but one', () => {
  const request = { order: 3, mark: 1000, highestZoneIndex: 0, flags: 0 };
  const hasFree = lists('3/0');
  expect(watermarkOk(zoneWith({ freePages: 1007, hasFree }), request)).toBe(false);
  expect(watermarkOk(zoneWith({ freePages: 1008, hasFree }), request)).toBe(true);
});

test.each([
  ['a block of a smaller order', ['2/1'], 0, false],
  ['a block of the order', ['3/2'], 0, true],
  ['a block of the largest order', ['10/1'], 0, true],
  ['only isolated blocks', ['3/5', '9/5'], MIN_RESERVE | OOM, false],
  ['only CMA blocks, for others', ['5/4'], 0, false],
  ['only CMA blocks, for CMA', ['5/4'], CMA, true],
  ['only high-atomic blocks, for others', ['5/3'], MIN_RESERVE, false],
  ['only high-atomic blocks, for HIGHATOMIC', ['5/3'], HIGHATOMIC, true],
  ['only high-atomic blocks, for OOM', ['5/3'], OOM, true],
  ['no block at all: free pages not accepted yet', [], 0, false],
])('order 3 with %s', (_what, names, flags, expected) => {
  const zone = zoneWith({ freePages: 100_000, hasFree: lists(...names) });
  expect(watermarkOk(zone, { order: 3, mark: 1000, highestZoneIndex: 0, flags })).toBe(expected);
});

test('free pages can be given instead of the zone’s own', () => {
  const request = { order: 0, mark: 1000, highestZoneIndex: 0, flags: 0 };
  expect(watermarkOk(zoneWith({ freePages: 0 }), request, 1001)).toBe(true);
});

test('fast path: more reserved than free never counts as plenty', () => {
  const zone = zoneWith({ freePages: 500, freeHighatomic: 5000, min: 0 });
  const request = { order: 0, mark: 100, highestZoneIndex: 0, flags: 0 };
  expect(watermarkFast(zone, request)).toBe(false);
});

test('fast path: plenty passes at once, a claim is looked at in the full test', () => {
  const request = { order: 0, mark: 1000, highestZoneIndex: 2, flags: 0 };
  expect(watermarkFast(zoneWith({ freePages: 1101 }), request)).toBe(true);
  expect(watermarkFast(zoneWith({ freePages: 1100 }), request)).toBe(false);
  const claim = { ...request, flags: MIN_RESERVE };
  expect(watermarkFast(zoneWith({ freePages: 601 }), claim)).toBe(true);
  const big = { ...request, order: 1 };
  expect(watermarkFast(zoneWith({ freePages: 9000, hasFree: lists('1/0') }), big)).toBe(true);
});

test('fast path: a boost does not hold back single pages with a reserve at the MIN mark', () => {
  const boosted = zoneWith({ freePages: 600, boost: 2000 });
  const request = { order: 0, mark: 3000, highestZoneIndex: 0, flags: MIN_RESERVE };
  expect(watermarkFast(boosted, request)).toBe(true);
  expect(watermarkFast(zoneWith({ freePages: 600 }), request)).toBe(false);
  expect(watermarkFast(boosted, { ...request, flags: 0 })).toBe(false);
  expect(watermarkFast(boosted, { ...request, flags: MIN_RESERVE | AllocFlag.LOW })).toBe(false);
  expect(watermarkFast(boosted, { ...request, order: 1 })).toBe(false);
});
