import { expect, test } from '@jest/globals';
import type { UnitState } from '@bootmem/unaccepted-memory';
import { piecesOf } from '../dist/backends/pieces.js';
import { rangesIn, runsOf } from '../dist/memory/state-runs.js';
import { bytesOf, unitsWithin } from '../dist/table/unit-range.js';

// Unit 0 at 0x1000, units of 0x100 bytes.
const geometry = { physBase: 0x1000, unitSize: 0x100, unitCount: 6 };
const LETTERS: Readonly<Record<string, UnitState>> = {
  '.': 'accepted',
  U: 'unaccepted',
  '!': 'interrupted',
};

/** Runs of a picture, one letter a unit; and which units were asked for. */
function runs(picture: string, units = { start: 0, end: picture.length }) {
  const asked: number[] = [];
  const found = runsOf(geometry, units, (unit) => {
    asked.push(unit);
    return LETTERS[picture[unit]!]!;
  });
  return { found, asked };
}

test('equal neighbours are one run; the first and the last unit count', () => {
  const { found, asked } = runs('..UU!.');
  expect(found).toEqual([
    { start: 0x1000, end: 0x1200, state: 'accepted' },
    { start: 0x1200, end: 0x1400, state: 'unaccepted' },
    { start: 0x1400, end: 0x1500, state: 'interrupted' },
    { start: 0x1500, end: 0x1600, state: 'accepted' },
  ]);
  expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a part of the map starts and ends with its own units', () => {
  expect(runs('..UU!.', { start: 1, end: 4 }).found).toEqual([
    { start: 0x1100, end: 0x1200, state: 'accepted' },
    { start: 0x1200, end: 0x1400, state: 'unaccepted' },
  ]);
  expect(runs('..UU!.', { start: 3, end: 3 })).toEqual({ found: [], asked: [] });
});

test('ranges in one state are those of its runs, without the others', () => {
  expect(rangesIn(runs('!.!!U!').found, 'interrupted')).toEqual([
    { start: 0x1000, end: 0x1100 },
    { start: 0x1200, end: 0x1400 },
    { start: 0x1500, end: 0x1600 },
  ]);
  expect(rangesIn([], 'interrupted')).toEqual([]);
});

test('units within a range: those that it touches, of the table alone', () => {
  const cases: readonly [number, number, number, number][] = [
    [0x1000, 0x1600, 0, 6],
    [0x1100, 0x1200, 1, 2],
    [0x11ff, 0x1201, 1, 3],
    [0, 0x1001, 0, 1],
    [0x15ff, 0x9000, 5, 6],
    // Nothing: before, behind, of no size, the wrong way round.
    [0, 0x1000, 0, 0],
    [0x1600, 0x9000, 0, 0],
    [0x1150, 0x1150, 0, 0],
    [0x1300, 0x1100, 0, 0],
  ];
  for (const [start, end, first, last] of cases) {
    expect([start, end, unitsWithin(geometry, { start, end })]).toEqual([
      start,
      end,
      { start: first, end: last },
    ]);
  }
  expect(unitsWithin(geometry)).toEqual({ start: 0, end: 6 });
  expect(bytesOf(geometry, { start: 1, end: 3 })).toEqual({ start: 0x1100, end: 0x1300 });
});

test('pieces cover the range once, none longer than the backend takes, none cutting a grain', () => {
  for (const grain of [1, 4]) {
    for (const longest of [
      1,
      3,
      4,
      6,
      9,
      1000,
      Number.MAX_SAFE_INTEGER,
      Number.POSITIVE_INFINITY,
    ]) {
      for (const grains of [0, 1, 2, 5, 12]) {
        const [start, end] = [8, 8 + grains * grain];
        let at = start;
        for (const piece of piecesOf({ start, end }, longest, grain)) {
          expect(piece.start).toBe(at);
          expect(piece.end - at).toBeLessThanOrEqual(Math.max(grain, longest));
          expect((piece.end - at) % grain).toBe(0);
          // As long as it may be: a call has its price.
          if (piece.end < end) expect(piece.end - at + grain).toBeGreaterThan(longest);
          at = piece.end;
        }
        expect(at).toBe(end);
      }
    }
  }
});
