// tryFree: what is wrong with a block is a value, what is wrong with the allocator is thrown.
import { expect, test } from '@jest/globals';
import { BuddyAllocator, BuddyError } from '@bootmem/buddy-allocator';
import { freeStatusOf } from '../dist/pool/requests/free-status.js';

test('tryFree says what is wrong with a block', () => {
  const allocator = BuddyAllocator.create({ pages: 64, data: null });
  const pfn = allocator.allocOrThrow(1);
  expect(allocator.tryFree(pfn, 2)).toBe('ERR_BUDDY_WRONG_ORDER');
  expect(allocator.tryFree(pfn, 1)).toBe('ok');
  expect(allocator.tryFree(pfn, 1)).toBe('ERR_BUDDY_DOUBLE_FREE');
  allocator.close();
});

test('tryFree throws what says nothing of the block: a closed or corrupt allocator, errors of others', () => {
  const allocator = BuddyAllocator.create({ pages: 64, data: null });
  const pfn = allocator.allocOrThrow(0);
  allocator.close();
  expect(() => allocator.tryFree(pfn, 0)).toThrow(
    expect.objectContaining({ code: 'ERR_BUDDY_CLOSED' }),
  );
  for (const error of [new BuddyError('ERR_BUDDY_CORRUPT', 'a link is broken'), new Error('no')]) {
    expect(() => freeStatusOf(error)).toThrow(error);
  }
});
