// Lists of processors as the kernel writes them.
import { expect, test } from '@jest/globals';
import { parseCpuList } from '../../kit/cpus.js';

test('single numbers and ranges, in any mixture', () => {
  expect(parseCpuList('0-1\n')).toEqual([0, 1]);
  expect(parseCpuList('3')).toEqual([3]);
  expect(parseCpuList('0-2,8,10-11')).toEqual([0, 1, 2, 8, 10, 11]);
});

test('what is no list is refused', () => {
  for (const text of ['', 'all', '1-', '0,,2']) expect(() => parseCpuList(text)).toThrow('list');
});
