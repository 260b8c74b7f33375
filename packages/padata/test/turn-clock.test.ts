// The clock of a thread that goes from one piece of work to the next.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { performance } from '../dist/base/host-time.js';
import { TurnClock } from '../dist/base/turn-clock.js';

let now = 0;
beforeEach(() => {
  now = 100;
  jest.spyOn(performance, 'now').mockImplementation(() => (now += 1));
});
afterEach(() => {
  jest.restoreAllMocks();
});

test('what begins right behind some work begins when that ended', () => {
  const clock = new TurnClock();
  expect(clock.begin()).toBe(101);
  expect(clock.end()).toBe(102);
  expect(clock.begin()).toBe(102);
  expect(clock.begin()).toBe(102);
  expect(clock.end()).toBe(103);
});

test('after anything else it is read anew', () => {
  const clock = new TurnClock();
  clock.end();
  clock.passed();
  expect(clock.begin()).toBe(102);
  expect(clock.begin()).toBe(103);
});
