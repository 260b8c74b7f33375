/**
 * What `BuddyAllocator.create` makes: the managed memory, a memmap of one zone, the control words.
 *
 *     pages 0 .. present .. maxPages      online: initialised, of one mobility, handed over to the zone (growth.ts)
 */
import { Memmap, ZoneIndex } from '@bootmem/memmap';
import { allocateBuffer, allocateWords, canShare, ThreadRegistry } from '@bootmem/memmap/shared';

import {
  ControlFlag,
  controlWords,
  Header,
  initHeader,
  MAGIC,
  Zone,
  zoneAt,
} from '../base/control-layout.js';
import {
  checkFlag,
  checkInteger,
  checkName,
  checkOwner,
  checkObject,
  checkTimeout,
  refuse,
} from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import type { HandleData } from '../base/handle.js';
import { bufferBytes, keepLocal } from '../base/local.js';
import { isWasmMemory, presentBuffer, type WasmMemory } from '../base/wasm-memory.js';
import { initZoneWords } from '../base/zone-words.js';
import type { BuddyAllocatorOptions, BuddyHandle } from './pool-types.js';

/** Options with defaults filled in. */
interface PoolSetup {
  readonly pages: number;
  readonly maxPages: number;
  readonly pageShift: number;
  readonly maxOrder: number;
  readonly threads: number;
  /** Most pages of one thread's cache. */
  readonly cacheShare: number;
  /** The data is a fresh buffer made here, or none. */
  readonly made: boolean;
}

/** How large a pool is, and can be. */
export interface PoolSize {
  readonly pages: number;
  readonly maxPages: number;
  /** Bytes per page. */
  readonly pageSize: number;
}

/** Most pages: page numbers are indices of 32 bits. */
const MAX_PAGES = 2 ** 31 - 2 ** 16;

/** What all caches together may hold of a zone. */
const CACHED_PART = 8;

/** Pages of one thread's cache when `pages` are online. */
const shareOf = (pages: number, threads: number): number =>
  Math.floor(pages / CACHED_PART / threads);

/** Checks options. @throws ERR_BUDDY_ARGUMENT with the option's name in details */
function checkOptions(options: BuddyAllocatorOptions): PoolSetup {
  checkObject(options, 'options');
  const { pageSize = 4096, maxOrder = 10, threads = 16, data } = options;
  checkInteger(pageSize, 'pageSize', 1, 2 ** 30);
  const pageShift = Math.log2(pageSize);
  if (!Number.isInteger(pageShift)) refuse('pageSize', 'a power of two', pageSize);
  const pages = countPages(options, pageSize);
  const { maxPages = pages } = options;
  checkInteger(maxPages, 'maxPages', pages, MAX_PAGES);
  checkInteger(maxOrder, 'maxOrder', 0, 15);
  checkInteger(threads, 'threads', 1, 1024);
  for (const flag of ['zeroed', 'grouping', 'caches', 'poison', 'checked', 'owners'] as const) {
    checkFlag(options[flag], flag);
  }
  checkTimeout(options.lockTimeoutMs);
  checkTimeout(options.parkAfterMs, 'parkAfterMs');
  checkOwner(options.owner, options.owners === true);
  const share = shareOf(maxPages, threads);
  const { cachePages = share } = options;
  checkInteger(cachePages, 'cachePages', 0, MAX_PAGES);
  const cacheShare = options.caches === false ? 0 : Math.min(cachePages, share);
  if (options.poison === true && data === null) refuse('poison', 'needs data', undefined);
  const made = data === undefined || data === null || typeof data === 'string';
  return { pages, maxPages, pageShift, maxOrder, threads, cacheShare, made };
}

/** Size in pages, from `pages` or `bytes`; not from both. */
function countPages({ pages, bytes }: BuddyAllocatorOptions, pageSize: number): number {
  if (pages !== undefined && bytes !== undefined) refuse('bytes', 'not beside `pages`', bytes);
  if (pages !== undefined) {
    checkInteger(pages, 'pages', 1, MAX_PAGES);
    return pages;
  }
  checkInteger(bytes, 'bytes', pageSize, MAX_PAGES * pageSize);
  const counted = bytes! / pageSize;
  if (!Number.isInteger(counted)) refuse('bytes', `a multiple of ${pageSize}`, bytes);
  return counted;
}

/** @throws ERR_BUDDY_ARGUMENT when it is no memory, too small, or starts between the elements of arrays */
function makeData(options: BuddyAllocatorOptions, setup: PoolSetup): HandleData {
  const { data = 'shared', dataOffset = 0 } = options;
  const { pages, maxPages } = setup;
  const pageSize = 2 ** setup.pageShift;
  if (data !== null && typeof data !== 'string') {
    return placeIn(data, dataOffset, { pages, maxPages, pageSize });
  }
  checkDataOffset(dataOffset, pageSize);
  if (data === null) return { data, dataOffset };
  checkName(data, 'data', ['shared', 'local']);
  const bytes = dataOffset + maxPages * pageSize;
  return { data: makeBuffer(bytes, data === 'shared' && canShare()), dataOffset };
}

/**
 * The place in memory of the caller's that the pages have.
 * @param enlarge  makes a WebAssembly memory so large, or leaves it as it is, and says how large it is; default: leaves it
 * @throws ERR_BUDDY_ARGUMENT when it is no memory, too small, or starts between the elements of arrays; nothing has changed
 */
export function placeIn(
  data: unknown,
  dataOffset: unknown,
  size: PoolSize,
  enlarge = (memory: WasmMemory, bytes: number): number => presentBuffer(memory, bytes).byteLength,
): HandleData {
  const { pages, maxPages, pageSize } = size;
  checkDataOffset(dataOffset, pageSize);
  const given = givenMemory(data);
  if (given === undefined) refuse('data', 'a buffer, a view, a WebAssembly.Memory or null', data);
  const { memory, offset } = given;
  const start = offset + dataOffset;
  const grain = Math.min(pageSize, 8);
  if (start % grain !== 0) refuse('data', `a start at a multiple of ${grain} bytes`, start);
  const grows = isWasmMemory(memory);
  const bytes = dataOffset + (grows ? pages : maxPages) * pageSize;
  const there = grows ? enlarge(memory, bytes) : given.length;
  if (there < bytes) refuse('data', `at least ${bytes} bytes`, there);
  return { data: memory, dataOffset: start };
}

/** @throws ERR_BUDDY_ARGUMENT unless it is a multiple of the page size */
export function checkDataOffset(
  dataOffset: unknown,
  pageSize: number,
): asserts dataOffset is number {
  checkInteger(dataOffset, 'dataOffset', 0, Number.MAX_SAFE_INTEGER);
  if ((dataOffset as number) % pageSize !== 0) {
    refuse('dataOffset', 'a multiple of the page size', dataOffset);
  }
}

/** @throws ERR_BUDDY_ARGUMENT when the machine has no room for it */
function makeBuffer(bytes: number, shared: boolean): ArrayBufferLike {
  try {
    return allocateBuffer(bytes, shared);
  } catch (cause) {
    throw new BuddyError(
      'ERR_BUDDY_ARGUMENT',
      `a buffer of ${bytes} bytes cannot be had`,
      { option: 'data', bytes },
      { cause },
    );
  }
}

/** Memory of the caller's, and which of its bytes. */
interface GivenMemory {
  readonly memory: ArrayBufferLike | WasmMemory;
  readonly offset: number;
  readonly length: number;
}

/** The bytes that `data` names: of a view only its own. Undefined for what is no memory. */
function givenMemory(data: unknown): GivenMemory | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  if (ArrayBuffer.isView(data)) {
    return { memory: data.buffer, offset: data.byteOffset, length: data.byteLength };
  }
  if (isWasmMemory(data)) {
    const length = bufferBytes(data.buffer);
    return length === undefined ? undefined : { memory: data, offset: 0, length };
  }
  const whole = bufferBytes(data);
  if (whole !== undefined) return { memory: data as ArrayBufferLike, offset: 0, length: whole };
  const inner = (data as { readonly buffer?: unknown }).buffer;
  const length = bufferBytes(inner);
  return length === undefined ? undefined : { memory: inner as ArrayBufferLike, offset: 0, length };
}

/** Sections of a map of descriptors that an allocator can have; more make it exact, and creating it slower. */
const SECTION_BITS = 5;
const MAX_SECTION_ORDER = 15;

/**
 * Order of the sections in which descriptors exist: small ones, so that there are as many descriptors as pages, as far
 * as a largest block allows.
 */
function sectionOrderFor(maxPages: number, maxOrder: number): number {
  const order = Math.ceil(Math.log2(maxPages)) - SECTION_BITS;
  return Math.max(maxOrder, Math.min(order, MAX_SECTION_ORDER));
}

/**
 * Makes the shared parts of a new allocator; no page is online yet.
 * @throws ERR_BUDDY_ARGUMENT with the option that does not fit
 */
export function makeHandle(options: BuddyAllocatorOptions): { handle: BuddyHandle; pages: number } {
  const setup = checkOptions(options);
  const { pages, maxPages, pageShift, maxOrder, threads, cacheShare } = setup;
  const { data, dataOffset } = makeData(options, setup);
  const shared = canShare() && options.data !== 'local';
  const memmap = Memmap.create({
    ranges: [{ startPfn: 0, endPfn: pages }],
    minPfn: 0,
    maxPfn: maxPages,
    geometry: {
      pageShift,
      sectionOrder: sectionOrderFor(maxPages, maxOrder),
      pageblockOrder: Math.min(9, maxOrder),
      maxOrder,
      subsectionOrder: Math.min(9, maxOrder),
    },
    storage: shared ? 'auto' : 'local',
  });
  const pageblocks = memmap.columns().pageblocks.length;
  const owned = options.owners === true ? maxPages : 0;
  const sizes = { zones: 1, threads, cacheShare, pageblocks, owned };
  const control = allocateWords(controlWords(sizes), shared);
  const flags =
    ((options.grouping ?? true) ? ControlFlag.GROUPING : 0) |
    (options.caches === false ? ControlFlag.NO_CACHE : 0) |
    (options.poison === true ? ControlFlag.POISON : 0) |
    (options.checked === true ? ControlFlag.CHECKED : 0) |
    ((options.zeroed ?? setup.made) ? ControlFlag.ZEROED : 0) |
    ControlFlag.DEEP_CACHE;
  initHeader(control, sizes, flags);
  const zoneId = memmap.defineZone(0, ZoneIndex.NORMAL);
  initZoneWords(control, zoneAt(0), { startPfn: 0, endPfn: maxPages, presentPages: 0, zoneId });
  control[Header.MAGIC] = MAGIC;
  const handle: BuddyHandle = {
    type: 'bootmem.buddy-allocator',
    memmap: memmap.toHandle(),
    control,
    threads: ThreadRegistry.create(threads).toHandle(),
    data,
    dataOffset,
  };
  keepLocal(handle);
  return { handle, pages };
}

/** Sizes of the page caches when `pages` are online. */
export function sizeCaches(words: Int32Array, at: number, pages: number): void {
  // The kernel's rule at this scale: off a power of two, 63 at most.
  const power = 2 ** Math.floor(Math.log2(Math.max(1, pages / 512)));
  const batch = Math.max(1, Math.min(63, power - 1));
  const share = Math.min(words[Header.CACHE_SHARE]!, shareOf(pages, words[Header.THREADS]!));
  words[at + Zone.BATCH] = batch;
  words[at + Zone.HIGH_MIN] = 4 * batch;
  words[at + Zone.HIGH_MAX] = share;
}
