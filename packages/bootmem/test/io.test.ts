import { expect, test } from '@jest/globals';
import { wantsColor } from '../dist/format/colors.js';
import { defaultThreads, memorySize, wholeNumber } from '../dist/cli/options.js';

test('colours go to terminals only, and NO_COLOR wins over everything', () => {
  expect(wantsColor(true, {})).toBe(true);
  expect(wantsColor(false, {})).toBe(false);
  expect(wantsColor(true, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColor(true, { NO_COLOR: '' })).toBe(true);
  expect(wantsColor(true, { TERM: 'dumb' })).toBe(false);
  expect(wantsColor(false, { FORCE_COLOR: '1' })).toBe(true);
  expect(wantsColor(false, { FORCE_COLOR: '0' })).toBe(false);
  expect(wantsColor(true, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
});

test('sizes of the command line', () => {
  expect(memorySize('768G')).toBe(768 * 2 ** 30);
  expect(memorySize('1500m')).toBe(1500 * 2 ** 20);
  expect(memorySize('0x40000000')).toBe(2 ** 30);
  expect(memorySize('2T')).toBe(2 ** 41);
  expect(memorySize('4096')).toBe(4096);
  for (const bad of ['', '0', 'G', '-1G', '1.5G', '1P', '9999999T']) {
    expect(() => memorySize(bad)).toThrow(/A size is a number/);
  }
});

test('whole numbers within bounds', () => {
  const parse = wholeNumber('--threads', 1, 255);
  expect(parse('1')).toBe(1);
  expect(parse('255')).toBe(255);
  for (const bad of ['0', '256', '-1', '1.5', 'two', '', '1e3']) {
    expect(() => parse(bad)).toThrow('--threads is a whole number from 1 to 255.');
  }
});

test('the default number of threads is between 1 and 16', () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1);
  expect(defaultThreads()).toBeLessThanOrEqual(16);
});
