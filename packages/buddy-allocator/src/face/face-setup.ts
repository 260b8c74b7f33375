/**
 * Checks the options of `BuddyAllocator.create` and makes its memory.
 */
import { allocateBuffer, canShare } from '@bootmem/memmap';

import { BuddyError } from '../core/errors.js';
import type { BuddyAllocatorOptions } from './face-types.js';

/** Options with defaults filled in. */
export interface FaceSetup {
  readonly pages: number;
  readonly maxPages: number;
  readonly pageShift: number;
  readonly maxOrder: number;
  readonly threads: number;
  /** The data is a fresh buffer made here, or none. */
  readonly made: boolean;
}

function refuse(option: string, rule: string, value: number | undefined): never {
  throw new BuddyError('ERR_BUDDY_ARGUMENT', `${option}: ${rule}, got ${value}`, { option, value });
}

/** Checks options. @throws ERR_BUDDY_ARGUMENT with the option's name in details */
export function checkOptions(options: BuddyAllocatorOptions): FaceSetup {
  const pageSize = options.pageSize ?? 4096;
  const pageShift = Math.log2(pageSize);
  if (!Number.isInteger(pageShift) || pageShift < 0 || pageShift > 30) {
    refuse('pageSize', 'a power of two up to 2^30', pageSize);
  }
  const pages = options.pages ?? (options.bytes ?? NaN) / pageSize;
  if (!Number.isInteger(pages) || pages < 1 || pages > 2 ** 31 - 2 ** 16) {
    refuse(
      options.pages === undefined ? 'bytes' : 'pages',
      'a whole number of pages below 2^31',
      pages,
    );
  }
  const maxPages = options.maxPages ?? pages;
  if (!Number.isInteger(maxPages) || maxPages < pages)
    refuse('maxPages', 'at least pages', maxPages);
  const maxOrder = options.maxOrder ?? 10;
  if (!Number.isInteger(maxOrder) || maxOrder < 0 || maxOrder > 15) {
    refuse('maxOrder', 'an integer 0..15', maxOrder);
  }
  const threads = options.threads ?? 16;
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    refuse('threads', 'an integer 1..1024', threads);
  }
  const { data } = options;
  if (options.poison === true && data === null) refuse('poison', 'needs data', undefined);
  const made = data === undefined || data === null || typeof data === 'string';
  return { pages, maxPages, pageShift, maxOrder, threads, made };
}

/** The managed memory; null for none. @throws ERR_BUDDY_ARGUMENT when a given buffer is too small */
export function makeData(options: BuddyAllocatorOptions, setup: FaceSetup): ArrayBufferLike | null {
  const { data = 'shared', dataOffset = 0 } = options;
  if (data === null) return null;
  const pageSize = 2 ** setup.pageShift;
  if (!Number.isInteger(dataOffset / pageSize) || dataOffset < 0) {
    refuse('dataOffset', 'a multiple of the page size', dataOffset);
  }
  const bytes = dataOffset + setup.maxPages * pageSize;
  if (typeof data === 'string') return allocateBuffer(bytes, data === 'shared' && canShare());
  const buffer = 'buffer' in data ? data.buffer : data;
  if (buffer.byteLength < bytes) refuse('data', `at least ${bytes} bytes`, buffer.byteLength);
  return buffer;
}
