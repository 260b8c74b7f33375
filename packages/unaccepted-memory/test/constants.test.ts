import { expect, test } from '@jest/globals';
import { X86_64 } from '@bootmem/memmap';
import { BLOCK_PAGES, PAGE_SIZE } from '../dist/base/constants.js';

test('sizes of a page and of a parked block are those of the map of descriptors on x86', () => {
  expect(PAGE_SIZE).toBe(2 ** X86_64.pageShift);
  expect(BLOCK_PAGES).toBe(2 ** X86_64.maxOrder);
});
