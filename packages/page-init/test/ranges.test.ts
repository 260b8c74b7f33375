// Arithmetic of ranges: what touches is one, what overlaps counts once, what is cut leaves its ends.
import { expect, test } from '@jest/globals';
import type { PfnRange } from '@bootmem/memmap';
import { RangeSet } from '../dist/hotplug/range-set.js';
import { cutBy, mergeRanges, normaliseReserved } from '../dist/plan/cut.js';

const span = (startPfn: number, endPfn: number): PfnRange => ({ startPfn, endPfn });

test('ranges that touch are one range, by whatever order; a gap of a page keeps them two', () => {
  expect(mergeRanges([span(8, 12), span(0, 4), span(4, 8)])).toEqual([span(0, 12)]);
  expect(mergeRanges([span(5, 8), span(0, 4)])).toEqual([span(0, 4), span(5, 8)]);
  expect(mergeRanges([span(0, 10), span(2, 4), span(3, 3), span(10, 11)])).toEqual([span(0, 11)]);
});

test('reserved ranges that touch are one part of a cut, not one a piece', () => {
  const reserved = normaliseReserved([span(2, 4), span(4, 6), { ...span(6, 8), noInit: true }]);
  expect(reserved).toEqual([span(2, 6), { ...span(6, 8), noInit: true }]);
  expect([...cutBy(span(0, 10), reserved)]).toEqual([
    { ...span(0, 2), cover: 'free' },
    { ...span(2, 6), cover: 'reserved' },
    { ...span(6, 8), cover: 'no-init' },
    { ...span(8, 10), cover: 'free' },
  ]);
  // Plain wins where they overlap; what is left of the other still touches it.
  expect(normaliseReserved([span(3, 5), { ...span(0, 8), noInit: true }])).toEqual([
    { ...span(0, 3), noInit: true },
    span(3, 5),
    { ...span(5, 8), noInit: true },
  ]);
});

test('a set of ranges says what a set of pages says, after any sequence of changes', () => {
  const PAGES = 40;
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 200; round++) {
    const set = new RangeSet([span(3, 7), span(7, 9)]);
    const pages = new Set([3, 4, 5, 6, 7, 8]);
    for (let step = 0; step < 12; step++) {
      const start = random(PAGES);
      const change = span(start, start + 1 + random(9));
      const adds = random(2) === 0;
      if (adds) set.add(change);
      else set.remove(change);
      for (let pfn = change.startPfn; pfn < change.endPfn; pfn++) {
        if (adds) pages.add(pfn);
        else pages.delete(pfn);
      }
      const whole = span(0, PAGES + 10);
      const parts = set.parts(whole);
      for (let pfn = 0; pfn < whole.endPfn; pfn++) {
        const part = parts.find((one) => one.startPfn <= pfn && pfn < one.endPfn);
        expect([set.has(pfn), part?.inside]).toEqual([pages.has(pfn), pages.has(pfn)]);
      }
      // As few parts as there can be: neighbours differ.
      for (const [i, part] of parts.entries()) expect(part.inside).not.toBe(parts[i + 1]?.inside);
      const probe = span(random(PAGES), PAGES);
      const first = [...pages].filter((pfn) => pfn >= probe.startPfn && pfn < probe.endPfn);
      expect(set.firstIn(probe)).toBe(first.length === 0 ? undefined : Math.min(...first));
    }
  }
});
