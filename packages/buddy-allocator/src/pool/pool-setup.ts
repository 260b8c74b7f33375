/**
 * What `BuddyAllocator.create` makes: the managed memory, a memmap of one zone, the control words. And how
 * further pages of it come online.
 *
 *     pages 0 .. present .. maxPages      online: initialised, of one mobility, handed over to the zone
 */
import { Memmap, ZoneIndex } from '@bootmem/memmap';
import { allocateBuffer, allocateWords, canShare, ThreadRegistry } from '@bootmem/memmap/shared';

import {
  ControlFlag,
  controlWords,
  Header,
  MAGIC,
  VERSION,
  Zone,
  zoneAt,
} from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { type BuddyZone, initZoneWords } from '../zone/zone.js';
import type { BuddyAllocatorOptions, BuddyHandle } from './pool-types.js';

/** Options with defaults filled in. */
interface PoolSetup {
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
function checkOptions(options: BuddyAllocatorOptions): PoolSetup {
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
function makeData(options: BuddyAllocatorOptions, setup: PoolSetup): ArrayBufferLike | null {
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

/**
 * Makes the shared parts of a new allocator; no page is online yet.
 * @throws ERR_BUDDY_ARGUMENT with the option that does not fit
 */
export function makeHandle(options: BuddyAllocatorOptions): { handle: BuddyHandle; pages: number } {
  const setup = checkOptions(options);
  const { pages, maxPages, pageShift, maxOrder, threads } = setup;
  const data = makeData(options, setup);
  const shared = canShare() && options.data !== 'local';
  const memmap = Memmap.create({
    ranges: [{ startPfn: 0, endPfn: pages }],
    minPfn: 0,
    maxPfn: maxPages,
    geometry: {
      pageShift,
      sectionOrder: 15,
      pageblockOrder: Math.min(9, maxOrder),
      maxOrder,
      subsectionOrder: Math.min(9, maxOrder),
    },
    storage: shared ? 'auto' : 'local',
  });
  const control = allocateWords(controlWords(1, threads), shared);
  control[Header.VERSION] = VERSION;
  control[Header.ZONES] = 1;
  control[Header.THREADS] = threads;
  control[Header.FLAGS] =
    ((options.grouping ?? true) ? ControlFlag.GROUPING : 0) |
    (options.caches === false ? ControlFlag.NO_CACHE : 0) |
    (options.poison === true ? ControlFlag.POISON : 0) |
    ((options.zeroed ?? setup.made) ? ControlFlag.ZEROED : 0) |
    ControlFlag.DEEP_CACHE;
  const zoneId = memmap.defineZone(0, ZoneIndex.NORMAL);
  initZoneWords(control, zoneAt(0), { startPfn: 0, endPfn: maxPages, presentPages: 0, zoneId });
  control[Header.MAGIC] = MAGIC;
  const handle: BuddyHandle = {
    type: 'bootmem.buddy-allocator',
    memmap: memmap.toHandle(),
    control,
    threads: ThreadRegistry.create(threads).toHandle(),
    data,
    dataOffset: options.dataOffset ?? 0,
  };
  return { handle, pages };
}

/**
 * Brings pages `[from, to)` online: initialises them, hands them over, sizes the caches for `to` pages.
 * @param type  migratetype of their pageblocks
 */
export function bringOnline(zone: BuddyZone, from: number, to: number, type: number): void {
  const { memmap, words } = zone;
  memmap.initRange(from, to, zone.zoneId);
  memmap.pageblocks.setRange(from, to, type);
  words[zone.at + Zone.PRESENT] = to;
  zone.handOver(from, to);
  // The kernel's rule at this scale: off a power of two, 63 at most.
  const batch = Math.max(1, Math.min(63, 2 ** Math.floor(Math.log2(Math.max(1, to / 512))) - 1));
  words[zone.at + Zone.BATCH] = batch;
  words[zone.at + Zone.HIGH_MIN] = 4 * batch;
  const share = Math.floor(to / 8 / words[Header.THREADS]!);
  words[zone.at + Zone.HIGH_MAX] = Math.max(4 * batch, share);
  zone.cache?.retune();
}
