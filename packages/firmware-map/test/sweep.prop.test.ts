import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { atOnce } from '../dist/base/steps.js';
import { sweepMap, type MapState } from '../dist/derive/map-sweep.js';
import { assignNodes } from '../dist/derive/assign-nodes.js';
import { ProblemList } from '../dist/base/problem-list.js';

const SPACE = 40;
const range = fc
  .tuple(fc.nat(SPACE), fc.nat(SPACE))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const kind = fc.constantFrom('usable', 'reserved', 'acpi-data', 'persistent' as const);
const RANKS: readonly MapState[] = ['none', 'usable', 'reserved', 'acpi-data', 'persistent'];

const step = fc
  .tuple(range, kind, fc.constantFrom<MapState>('none', 'usable', 'reserved', 'kept'), fc.boolean())
  .map(([where, from, to, isAny]) => ({
    ...where,
    change: (state: MapState): MapState => (isAny || state === from ? to : state),
  }));

test('the sweep equals a model that goes through all entries and steps for each address', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(range, kind), { maxLength: 12 }),
      fc.array(step, { maxLength: 12 }),
      (pairs, steps) => {
        const entries = pairs.map(([where, of]) => ({ ...where, kind: of }));
        const inside = (one: { start: number; end: number }, at: number): boolean =>
          one.start <= at && at < one.end;
        const expected = Array.from({ length: SPACE }, (_, at) => {
          const rank = Math.max(
            0,
            ...entries.filter((one) => inside(one, at)).map((one) => RANKS.indexOf(one.kind)),
          );
          return steps
            .filter((one) => inside(one, at))
            .reduce((state, one) => one.change(state), RANKS[rank]!);
        });
        const found = atOnce(sweepMap(entries, steps));
        const states = Array.from(
          { length: SPACE },
          (_, at) => found.find((one) => inside(one, at))?.state ?? 'none',
        );
        expect(states).toEqual(expected);
        // Sorted, disjoint, nothing empty, neighbours of one state joined.
        for (const [index, one] of found.entries()) {
          expect(one.start).toBeLessThan(one.end);
          const before = found[index - 1];
          if (before === undefined) continue;
          expect(before.end).toBeLessThanOrEqual(one.start);
          expect(before.end === one.start && before.state === one.state).toBe(false);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('many nested ranges and as many edits over all of them take one sweep', () => {
  const count = 20_000;
  const entries = Array.from({ length: count }, (_, index) => ({
    start: index,
    end: 3 * count - index,
    kind: 'usable' as const,
  }));
  let calls = 0;
  const steps = Array.from({ length: count }, (_, index) => ({
    start: index,
    end: 3 * count - index,
    change: (state: MapState): MapState => {
      calls++;
      return state === 'usable' ? 'reserved' : state === 'reserved' ? 'usable' : state;
    },
  }));
  const found = atOnce(sweepMap(entries, steps));
  // Address k lies in k + 1 steps, each of which turns one kind into the other.
  expect(found).toHaveLength(2 * count - 1);
  expect(found.slice(0, 3).map(({ state }) => state)).toEqual(['reserved', 'usable', 'reserved']);
  expect(found[count - 1]).toEqual({ start: count - 1, end: 2 * count + 1, state: 'usable' });
  // Each step is asked when it begins only, once for each state there is.
  expect(calls).toBeLessThan(count * 12);
});

test('of blocks that overlap the first one in the list owns the memory', () => {
  const blocks = fc.array(fc.tuple(range, fc.nat(3)), { maxLength: 10 });
  fc.assert(
    fc.property(
      blocks,
      fc.array(fc.boolean(), { minLength: SPACE, maxLength: SPACE }),
      (list, ram) => {
        const memory = ram.flatMap((isRam, at) => (isRam ? [{ start: at, end: at + 1 }] : []));
        const map = {
          source: 'blocks' as const,
          blocks: list.map(([where, nid]) => ({ ...where, nid, hotplug: false })),
        };
        fc.pre(map.blocks.length > 0);
        const parts = atOnce(assignNodes(memory, map, 9, new ProblemList()));
        for (let at = 0; at < SPACE; at++) {
          const owner = map.blocks.find((one) => one.start <= at && at < one.end)?.nid ?? 9;
          const part = parts.find((one) => one.start <= at && at < one.end);
          expect(part?.nid).toBe(ram[at] === true ? owner : undefined);
        }
      },
    ),
    { numRuns: 300 },
  );
});
