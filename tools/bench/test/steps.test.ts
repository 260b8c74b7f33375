// Finding how many steps take a given time, on loops whose price is given.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stepsFor } from '../padata/threads/steps.mjs';

test('the steps found cost what was asked for, whatever a step and a call cost', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.0005, max: 0.01, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(10, 100, 20_000),
      (step, call, microseconds) => {
        const cost = (steps: number): number => call + step * steps;
        const found = cost(stepsFor(cost, microseconds));
        expect(Math.abs(found / microseconds - 1)).toBeLessThan(0.01);
      },
    ),
  );
});

test('it ends on a machine that never gives the same price twice', () => {
  let turn = 0;
  const steps = stepsFor(() => (turn++ % 2 === 0 ? 5 : 20), 10);
  expect(turn).toBe(8);
  expect(steps).toBeGreaterThan(0);
});

test('a job shorter than one step is one step', () => {
  expect(stepsFor((steps) => 50 * steps, 10)).toBe(1);
});
