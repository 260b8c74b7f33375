/** Against models that go byte by byte or unit by unit and share no code with the subject. */
import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { UnacceptedMemory } from '@bootmem/unaccepted-memory';
import { buildTable } from '@bootmem/unaccepted-memory/platform';
import { profileForRelease } from '../dist/releases.js';
import { acceptUnits, probeUnits } from '../dist/table/unit-range.js';
import type { AcceptBackend, UnacceptedMemoryOptions } from '@bootmem/unaccepted-memory';
import type { UnitGeometry } from '../dist/table/unit-range.js';

const PAGE = 4096;
const UNIT = 4 * PAGE;

/** What 6.19 and 7.0 do, and what is done here. */
const kernels: Pick<UnacceptedMemoryOptions, 'release' | 'walk'>[] = [
  { release: '6.19', walk: 'kernel' },
  { release: '7.0', walk: 'kernel' },
  {},
];
const geometry = fc
  .record({ base: fc.integer({ min: 0, max: 6 }), bytes: fc.integer({ min: 0, max: 3 }) })
  .map(({ base, bytes }): UnitGeometry => ({
    physBase: base * UNIT,
    unitSize: UNIT,
    unitCount: bytes * 8,
  }));
const request = fc.record({
  start: fc.integer({ min: 0, max: 40 * UNIT }),
  size: fc.integer({ min: 1, max: 8 * UNIT }),
});

/** The units that hold a byte of the range, and the guard, found by walking. */
function unitsByWalking(
  { physBase, unitSize, unitCount }: UnitGeometry,
  start: number,
  end: number,
  guard: boolean,
): number[] {
  const units: number[] = [];
  for (let unit = 0; unit < unitCount; unit += 1) {
    const from = physBase + unit * unitSize;
    const touched = start < from + unitSize && from < end;
    const guards = guard && end === from;
    if (touched || guards) units.push(unit);
  }
  return units;
}

const list = ({ start, end }: { start: number; end: number }): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);

test('accepted units are those that the range touches, and the guard', () => {
  fc.assert(
    fc.property(geometry, request, fc.boolean(), (where, { start, size }, guard) => {
      const first = Math.floor(start / PAGE) * PAGE;
      const last = Math.ceil((start + size) / PAGE) * PAGE;
      const expected = unitsByWalking(where, first, last, guard);
      const rules = { guard, pageAlign: true, kernelWalk: false };
      expect(list(acceptUnits(where, start, size, rules))).toEqual(expected);
      expect(list(probeUnits(where, start, size, rules))).toEqual(expected);
      const raw = unitsByWalking(where, start, start + size, guard);
      const { pageAlign } = profileForRelease('6.19');
      expect(list(acceptUnits(where, start, size, { ...rules, pageAlign }))).toEqual(raw);
    }),
    { numRuns: 500 },
  );
});

test('the walk of upstream tests the same units, or misses only the last', () => {
  fc.assert(
    fc.property(geometry, request, fc.boolean(), (where, { start, size }, guard) => {
      const { pageAlign } = profileForRelease('6.19');
      const rules = { guard, pageAlign, kernelWalk: true };
      const ours = list(acceptUnits(where, start, size, rules));
      const upstream = list(probeUnits(where, start, size, rules));
      expect(ours.slice(0, upstream.length)).toEqual(upstream);
      expect(ours.length - upstream.length).toBeLessThanOrEqual(1);
      if (start % UNIT === 0) expect(upstream).toEqual(ours);
    }),
    { numRuns: 500 },
  );
});

const ranges = fc
  .array(
    fc.record({ gap: fc.integer({ min: 0, max: 20 }), pages: fc.integer({ min: 1, max: 40 }) }),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => {
    let at = 0;
    return parts.map(({ gap, pages }) => {
      const start = at + (gap + 1) * PAGE;
      at = start + pages * PAGE;
      return { start, end: at };
    });
  });

test('the table and what is accepted at once cover every page of the map exactly once', () => {
  fc.assert(
    fc.property(ranges, (map) => {
      const { table, acceptNow } = buildTable(map, { unitSize: UNIT });
      const view = new DataView(table!.buffer);
      const base = Number(view.getBigUint64(8, true));
      const covered = new Map<number, number>();
      const cover = (start: number, end: number): void => {
        for (let page = start; page < end; page += PAGE) {
          covered.set(page, (covered.get(page) ?? 0) + 1);
        }
      };
      for (const { start, end } of acceptNow) cover(start, end);
      for (let bit = 0; bit < (table!.length - 24) * 8; bit += 1) {
        if (((table![24 + (bit >> 3)]! >> (bit & 7)) & 1) === 1) {
          cover(base + bit * UNIT, base + (bit + 1) * UNIT);
        }
      }
      const pages: number[] = [];
      for (const { start, end } of map) {
        for (let page = start; page < end; page += PAGE) pages.push(page);
      }
      expect([...covered.keys()].sort((a, b) => a - b)).toEqual(pages);
      expect([...covered.values()].every((count) => count === 1)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('accept', 'exact', 'contains', 'advance'),
    start: fc.integer({ min: 0, max: 70 * UNIT }),
    size: fc.integer({ min: 1, max: 10 * UNIT }),
    bytes: fc.integer({ min: 1, max: 6 * UNIT }),
  }),
  { maxLength: 30 },
);

test.each([UNIT, PAGE])('in pieces of %i bytes: lockstep with a set of pages', (granularity) => {
  fc.assert(
    fc.property(steps, fc.constantFrom(...kernels), (sequence, kernel) => {
      const accepted = new Set<number>();
      const backend: AcceptBackend = {
        name: 'pages',
        granularity,
        maxRun: 2 ** 40,
        repeatable: 'never',
        accept: (start, end) => {
          for (let page = start; page < end; page += PAGE) {
            // U1: the platform is never asked twice.
            expect(accepted.has(page)).toBe(false);
            accepted.add(page);
          }
        },
        toHandle: () => ({ kind: 'none' }),
      };
      const memory = UnacceptedMemory.create({
        ranges: [{ start: 4 * UNIT, end: 64 * UNIT }],
        unitSize: UNIT,
        backend,
        ...kernel,
      });
      // The 60 units of the map, and four that only pad the last byte of the table.
      const where = { physBase: 4 * UNIT, unitSize: UNIT, unitCount: 64 };
      const full = (unit: number): boolean => {
        if (unit >= 60) return true;
        const base = where.physBase + unit * UNIT;
        return [0, 1, 2, 3].every((page) => accepted.has(base + page * PAGE));
      };
      for (const step of sequence) {
        const aligned = profileForRelease(kernel.release).pageAlign;
        const first = aligned ? Math.floor(step.start / PAGE) * PAGE : step.start;
        const end = step.start + step.size;
        const last = aligned ? Math.ceil(end / PAGE) * PAGE : end;
        const guard = step.kind === 'accept' || step.kind === 'contains';
        const units = unitsByWalking(where, first, last, guard);
        const before = accepted.size;
        if (step.kind === 'accept') memory.acceptMemory(step.start, step.size);
        else if (step.kind === 'exact') memory.acceptExactly(step.start, step.size);
        else if (step.kind === 'contains') {
          const expected = units.some((unit) => !full(unit));
          const found = memory.containsUnaccepted(step.start, step.size);
          // The walk of upstream may only miss, never invent.
          if (kernel.walk === 'kernel') expect(found && !expected).toBe(false);
          else expect(found).toBe(expected);
        } else {
          const bytes = memory.advance(step.start, step.size, step.bytes);
          expect((accepted.size - before) * PAGE).toBe(bytes);
          expect(bytes).toBeLessThan(step.bytes + granularity);
        }
        if (step.kind === 'accept' || step.kind === 'exact') {
          expect(units.every(full)).toBe(true);
          // U12: no more than the units asked for.
          expect(accepted.size - before).toBeLessThanOrEqual(units.length * 4);
        }
      }
      let left = 0;
      for (let unit = 0; unit < 60; unit += 1) if (!full(unit)) left += 1;
      expect(memory.unacceptedBytes()).toBe(left * UNIT);
      memory.acceptMemory(0, 100 * UNIT);
      expect(accepted.size).toBe(240);
    }),
    { numRuns: 150 },
  );
});
