/**
 * What `ObjectCache.create` makes: the table of slabs and the pool of numbers, none of which is handed over. And what a handle
 * must be.
 */
import { allocateWords, checkHandle, type HandleFormat } from '@bootmem/memmap/shared';

import { checkInteger, refuse } from '../base/check.js';
import { Header, Zone, zoneAt } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { ALLOCATOR_FORMAT, handleError } from '../base/handle.js';
import type { BuddyAllocator } from '../pool/buddy-allocator.js';
import { makeHandle, sizeCaches } from '../pool/pool-setup.js';
import type { ObjectCacheHandle, ObjectCacheOptions } from './object-types.js';
import { slabShape } from './slab-shape.js';
import { initTable, sizesOf, Table, TABLE_MAGIC, TABLE_VERSION, tableWords } from './slab-table.js';

/** Numbers of objects are indices of 32 bits. */
const MAX_IDS = 2 ** 31 - 2 ** 16;
const MAX_SLAB_ORDER = 9;

const isPower = (n: number): boolean => Number.isInteger(Math.log2(n));

/** Most blocks that are one pageblock, so that a slab's pages have one type. */
const largestSlab = (pool: BuddyAllocator): number => Math.min(pool.maxOrder, MAX_SLAB_ORDER);

/** Makes the shared parts of a new cache. @throws ERR_BUDDY_ARGUMENT with the option that does not fit */
export function makeCache(pool: BuddyAllocator, options: ObjectCacheOptions): ObjectCacheHandle {
  const { size, align = 8, owner = 0, magazine } = options;
  const { pageSize, zone } = pool;
  const largest = largestSlab(pool);
  checkInteger(size, 'size', 1, pageSize * 2 ** largest);
  checkInteger(align, 'align', 1, pageSize);
  if (!isPower(align)) refuse('align', 'a power of two', align);
  const shape = slabShape(size, align, pageSize, largest);
  if (shape === undefined) refuse('size', `at most ${pageSize * 2 ** largest} bytes`, size);
  const { name = `size-${size}` } = options;
  if (typeof name !== 'string' || !/^\S+$/.test(name)) refuse('name', 'a word', name);
  const poolPages = zone.endPfn;
  const most = Math.min(
    Math.floor(poolPages / 2 ** shape.slabOrder),
    Math.floor(MAX_IDS / 2 ** shape.idShift),
  );
  const { maxObjects = most * shape.perSlab, threads = pool.registry.maxThreads } = options;
  checkInteger(maxObjects, 'maxObjects', 1, MAX_IDS);
  checkInteger(threads, 'threads', 1, 1024);
  if (magazine !== undefined) checkInteger(magazine, 'magazine', 0, MAX_IDS);
  checkInteger(owner, 'owner', 0, 2 ** 31 - 1);
  if (owner !== 0 && zone.ownersAt === 0) refuse('owner', '0 where blocks have no owners', owner);
  const maxSlabs = Math.max(1, Math.min(most, Math.ceil(maxObjects / shape.perSlab)));
  const ids = maxSlabs * 2 ** shape.idShift;
  const { handle } = makeHandle({
    pages: ids,
    data: null,
    maxOrder: shape.idShift,
    grouping: false,
    threads,
    ...(magazine === undefined ? {} : { cachePages: magazine }),
  });
  const { control } = handle;
  control[zoneAt(0) + Zone.PRESENT] = ids;
  sizeCaches(control, zoneAt(0), ids);
  const sizes = { threads, maxSlabs, slabOrder: shape.slabOrder, poolPages };
  const table = allocateWords(tableWords(sizes));
  initTable(table, sizes, { shape, pageShift: Math.log2(pageSize), owner });
  return { type: 'bootmem.object-cache', name, table, ids: handle };
}

const CACHE_FORMAT: HandleFormat = {
  type: 'bootmem.object-cache',
  header: { field: 'table', as: 'words' },
  magic: TABLE_MAGIC,
  version: TABLE_VERSION,
  headerWords: Table.RECORDS,
  parts: { ids: ALLOCATOR_FORMAT },
  needs: (words, { name }) => {
    if (typeof name !== 'string') return 'name is no text';
    const { threads, maxSlabs, slabOrder, poolPages } = sizesOf(words);
    const shape = [Table.SIZE, Table.STRIDE, Table.PER_SLAB].map((word) => words[word]!);
    const counted = [threads, maxSlabs, poolPages, ...shape].every((count) => count >= 1);
    const orders = slabOrder >= 0 && slabOrder <= MAX_SLAB_ORDER;
    const shift = words[Table.ID_SHIFT]!;
    const places = shift >= 0 && shift <= 9 && words[Table.PER_SLAB]! <= 2 ** shift;
    const whole = words[Table.STRIDE]! >= words[Table.SIZE]! && words[Table.OWNER]! >= 0;
    if (!counted || !orders || !places || !whole) return 'its slabs are of no shape';
    return [{ field: 'table', as: 'words', bytes: 4 * tableWords(sizesOf(words)) }];
  },
};

/** @throws ERR_BUDDY_HANDLE unless it is a whole handle of a cache of this pool */
export function checkCacheHandle(handle: unknown, pool: BuddyAllocator): void {
  checkHandle(handle, CACHE_FORMAT, handleError);
  const { table, ids } = handle as ObjectCacheHandle;
  const pageShift = table[Table.PAGE_SHIFT];
  const samePool =
    table[Table.POOL_PAGES] === pool.zone.endPfn &&
    pageShift === Math.log2(pool.pageSize) &&
    (table[Table.OWNER] === 0 || pool.zone.ownersAt !== 0);
  if (!samePool) {
    throw new BuddyError('ERR_BUDDY_HANDLE', 'the cache is of another pool', {
      pages: table[Table.POOL_PAGES],
      poolPages: pool.zone.endPfn,
    });
  }
  const numbers = table[Table.MAX_SLABS]! * 2 ** table[Table.ID_SHIFT]!;
  const threads = table[Table.THREADS]!;
  const end = ids.control[zoneAt(0) + Zone.END_LOW]!;
  if (end !== numbers || ids.control[Header.THREADS] !== threads) {
    throw handleError(`${numbers} objects and ${threads} threads, numbers of another cache`, {
      numbers,
      threads,
    });
  }
}
