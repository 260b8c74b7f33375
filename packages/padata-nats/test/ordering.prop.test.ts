import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_BATCH, jobsPerBatch } from '../dist/run/batch-size.js';
import { ReorderBuffer } from '../dist/run/reorder-buffer.js';

test('whatever the order and however often results come, each is handed out once and in order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 300 }),
      (window, first, picks) => {
        const buffer = new ReorderBuffer<string>(window, first);
        const out: string[] = [];
        for (const pick of picks) {
          const sequence = first + pick;
          const before = buffer.next;
          const said = buffer.offer(sequence, `r${sequence}`);
          if (sequence < before) expect(said).toBe('duplicate');
          else if (sequence >= before + window) expect(said).toBe('beyond');
          expect(buffer.has(sequence)).toBe(said !== 'beyond');
          for (let next = buffer.take(); next !== undefined; next = buffer.take()) out.push(next);
          expect(buffer.waiting).toBeLessThan(window);
        }
        expect(out).toEqual(out.map((_, i) => `r${first + i}`));
        expect(buffer.next).toBe(first + out.length);
      },
    ),
  );
});

test('quick jobs travel together, slow ones alone, and the window is always shared', () => {
  expect(jobsPerBatch(undefined, 8, 1024)).toBe(1);
  expect(jobsPerBatch(100, 2, 1024)).toBe(1);
  expect(jobsPerBatch(1, 2, 1024)).toBe(50);
  // The few that were submitted are spread over all threads.
  expect(jobsPerBatch(1, 2, 8)).toBe(2);
  expect(jobsPerBatch(0.0001, 1, 65_536)).toBe(MAX_BATCH);
  expect(jobsPerBatch(0.0001, 4, 64)).toBe(8);
  fc.assert(
    fc.property(
      fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
      fc.nat(1000),
      fc.integer({ min: 1, max: 65_536 }),
      (average, threads, window) => {
        const size = jobsPerBatch(average, threads, window);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size * 2 * threads <= window || size === 1 || threads === 0).toBe(true);
      },
    ),
  );
});
