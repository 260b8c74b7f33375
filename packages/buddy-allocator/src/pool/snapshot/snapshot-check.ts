/**
 * What the contents of a snapshot must be, beyond the sizes of its buffers: nothing in it is believed before it was looked
 * at, so a damaged one is an error with a code and never a crash, an endless loop or an allocator that hands pages out twice.
 *
 *     constants ── header, zone, map of descriptors: as `create` makes them
 *     caches    ── each list inside its stack
 *     in order  ── a thread that had the lock has ended: recovery; the caches' entries go back to the lists
 *     lists     ── `verify`, once the allocator stands
 *
 * What no rule can tell stays: a mark, a counter of events, the contents of pages.
 */
import { Memmap, Migratetype, ZoneIndex } from '@bootmem/memmap';
import {
  PAGEBLOCK_TYPE_MASK,
  PageblockBit,
  SharedLock,
  ThreadRegistry,
} from '@bootmem/memmap/shared';

import {
  Cache,
  CACHE_LISTS,
  CacheList,
  cacheListAt,
  type StackLayout,
  stackLayout,
} from '../../base/cache-layout.js';
import { cacheAt, ControlFlag, Header, Zone, ZoneFlag, zoneAt } from '../../base/control-layout.js';
import { handleError, pfnAt } from '../../base/handle.js';
import { Park } from '../../cache/parking.js';
import { reclaimCache } from '../../cache/parked-cache.js';
import { createFreeArea } from '../../lists/free-area.js';
import { recoverZone } from '../../lists/recovery.js';
import { openedRun } from '../../lists/run.js';
import type { BuddyHandle } from '../pool-types.js';
import { sizeCaches } from '../pool-setup.js';

const Z = zoneAt(0);
const ALL_FLAGS = Object.values(ControlFlag).reduce((all, flag) => all | flag, 0);
const ALL_ZONE_FLAGS = Object.values(ZoneFlag).reduce((all, flag) => all | flag, 0);
const PAGEBLOCK_BITS = PAGEBLOCK_TYPE_MASK | PageblockBit.SKIP | PageblockBit.ISOLATED;
const NO_LISTS_END = Header.NO_LISTS + 4 * CACHE_LISTS;
/** Words of a zone that are never negative. */
const COUNTS = [
  Zone.FREE,
  Zone.ISOLATED,
  Zone.FREE_HIGHATOMIC,
  Zone.FREE_CMA,
  Zone.FREE_BLOCKS,
  Zone.LEAKED,
  Zone.MARK_MIN,
  Zone.MARK_LOW,
  Zone.MARK_HIGH,
  Zone.MARK_PROMO,
  Zone.BOOST,
] as const;
/** Words of a zone that a pool does not use. */
const UNUSED = [
  Zone.START_LOW,
  Zone.START_HIGH,
  Zone.UNACCEPTED,
  Zone.UNACCEPTED_COUNT,
  Zone.TAKEN,
  Zone.CMA,
  Zone.RESERVED_HIGHATOMIC,
  Zone.GUARD,
] as const;

/**
 * Checks the copies of a snapshot's buffers and puts them in order: no lock, no thread, empty caches.
 * @param data  the managed memory in the snapshot
 * @throws ERR_BUDDY_HANDLE with what is wrong; nobody has the copies yet
 */
export function settleContents(handle: BuddyHandle, data: ArrayBuffer | null): void {
  const memmap = Memmap.attach(handle.memmap);
  const { control: words } = handle;
  const fault =
    headerFault(words) ??
    zoneFault(words, memmap) ??
    mapFault(words, memmap) ??
    dataFault(words, memmap, data) ??
    cacheFault(words) ??
    threadFault(handle);
  if (fault !== undefined) throw handleError(`the snapshot is damaged: ${fault}`, { fault });
  putInOrder(words, memmap);
}

const zoneWord = (words: Int32Array, word: number): number => words[Z + word]!;

function headerFault(words: Int32Array): string | undefined {
  if ((words[Header.FLAGS]! & ~ALL_FLAGS) !== 0) return 'its options are none';
  if (words[Header.BROKEN] !== 0) return 'verify() had found broken invariants';
  if (words[Header.GUARD_ORDER] !== 0) return 'it has guard blocks';
  const owned = words[Header.OWNED]!;
  if (owned !== 0 && owned !== pfnAt(words, Z + Zone.END_LOW)) return `${owned} pages have owners`;
  const empty = words.subarray(Header.NO_LISTS, NO_LISTS_END).every((word) => word === 0);
  return empty ? undefined : 'the lists of closed threads are not empty';
}

function zoneFault(words: Int32Array, memmap: Memmap): string | undefined {
  const end = pfnAt(words, Z + Zone.END_LOW);
  const present = zoneWord(words, Zone.PRESENT);
  const managed = zoneWord(words, Zone.MANAGED);
  if (UNUSED.some((word) => zoneWord(words, word) !== 0)) return 'it has what a pool has not';
  if (COUNTS.some((word) => zoneWord(words, word) < 0)) return 'a count is negative';
  if (!(present >= 1 && present <= end && managed >= 0 && managed <= present)) {
    return `${managed} of ${present} of ${end} pages`;
  }
  if ((zoneWord(words, Zone.FLAGS) & ~ALL_ZONE_FLAGS) !== 0) return 'its zone has unknown flags';
  const named = memmap.zones.info(zoneWord(words, Zone.ID));
  if (named?.nid !== 0 || named.zoneIndex !== ZoneIndex.NORMAL) return 'its zone has no name';
  const held = zoneWord(words, Zone.LOCK) !== 0;
  const run = openedRun(words, Z);
  const runPages = Math.abs(run.pages);
  if (runPages > 0 && !(held && run.startPfn >= 0 && run.startPfn + runPages <= present)) {
    return 'the run in flight is none';
  }
  const order = zoneWord(words, Zone.JOURNAL_ORDER) - 1;
  if (!held && order >= 0) return 'a block is in flight, and nobody has the lock';
  const index = zoneWord(words, Zone.JOURNAL_INDEX);
  const inside = order <= memmap.geometry.maxOrder && index >= 0 && index < end;
  return order < 0 || inside ? undefined : 'the block in flight is none';
}

/** Page number = index, descriptors for what is online, nothing behind it. */
function mapFault(words: Int32Array, memmap: Memmap): string | undefined {
  const present = zoneWord(words, Zone.PRESENT);
  const { pagesPerSection, geometry } = memmap;
  const { state, refs, pageblocks } = memmap.columns();
  if (words[Header.PAGEBLOCKS] !== pageblocks.length) return 'its pageblocks are not counted right';
  if (memmap.startPfn !== 0) return 'its descriptors do not begin with page 0';
  let sections = 0;
  for (let pfn = 0; pfn < memmap.endPfn; pfn += pagesPerSection) {
    const index = memmap.indexOf(pfn);
    if (index >= 0) sections++;
    if (index >= 0 ? index !== pfn : pfn < present) return `page ${pfn} has no descriptor`;
  }
  if (memmap.usage().sections !== sections) return 'its sections are not counted right';
  for (let pfn = 0; pfn < present; pfn += 2 ** geometry.subsectionOrder) {
    // A byte of memory that was removed counts as none.
    const there = memmap.isPresent(pfn) && memmap.state(pfn) === state[pfn];
    if (!there) return `page ${pfn} is not present`;
  }
  const used = (value: number): boolean => value !== 0;
  if (state.subarray(present).some(used) || refs.subarray(present).some(used)) {
    return 'pages beyond the end are in use';
  }
  let isolated = 0;
  for (const byte of pageblocks) {
    const known = (byte & ~PAGEBLOCK_BITS) === 0;
    if (!known || (byte & PAGEBLOCK_TYPE_MASK) >= Migratetype.ISOLATE)
      return 'a pageblock is of no type';
    if ((byte & PageblockBit.ISOLATED) !== 0) isolated++;
  }
  return isolated === zoneWord(words, Zone.ISOLATED_BLOCKS)
    ? undefined
    : `${isolated} pageblocks are isolated`;
}

function dataFault(
  words: Int32Array,
  memmap: Memmap,
  data: ArrayBuffer | null,
): string | undefined {
  const bytes = zoneWord(words, Zone.PRESENT) * 2 ** memmap.geometry.pageShift;
  return data === null || data.byteLength === bytes ? undefined : `its data is not ${bytes} bytes`;
}

function cacheFault(words: Int32Array): string | undefined {
  const layout = stackLayout(words[Header.CACHE_SHARE]!);
  for (let thread = 1; thread <= words[Header.THREADS]!; thread++) {
    const at = cacheAt(words, 0, thread);
    const park = words[at + Cache.PARK]!;
    if (park < Park.OWNED || park > Park.TAKEN) return `the cache of thread ${thread} is nobody's`;
    for (let list = 0; list < CACHE_LISTS; list++) {
      if (!isInside(words, at, list, layout)) return `a list of thread ${thread} leaves its stack`;
    }
  }
  return undefined;
}

/** Frees all ids: the threads have ended, and who is new is told from them by its generation. */
function threadFault({ threads }: BuddyHandle): string | undefined {
  const registry = ThreadRegistry.attach(threads);
  for (const id of registry.ids()) {
    registry.markDead(id);
    registry.release(id);
  }
  return registry.ids().length === 0 ? undefined : 'a thread of it neither lives nor is dead';
}

function isInside(words: Int32Array, at: number, list: number, layout: StackLayout): boolean {
  const l = at + cacheListAt(list);
  const floor = at + layout.floors[list]!;
  const end = floor + layout.capacities[list]!;
  const [top, bottom] = [words[l]!, words[l + CacheList.BOTTOM]!];
  const parked = words[l + CacheList.PARKED_TOP]!;
  // A cache that no thread has used yet is all zero.
  if (top === 0 && bottom === 0 && parked === 0) return true;
  const between = floor <= bottom && bottom <= top && top <= end;
  return between && (parked === 0 || (parked >= bottom && parked <= end));
}

function putInOrder(words: Int32Array, memmap: Memmap): void {
  const columns = memmap.columns();
  const zoneId = zoneWord(words, Zone.ID);
  const { geometry } = memmap;
  const area = createFreeArea({ words, at: Z, columns, zoneId, geometry });
  const endPfn = pfnAt(words, Z + Zone.END_LOW);
  if (zoneWord(words, Zone.LOCK) !== 0) {
    recoverZone({ memmap, columns, area, words, at: Z, zoneId, startPfn: 0, endPfn });
  }
  words.fill(0, Z + Zone.LOCK, Z + Zone.LOCK + SharedLock.WORDS);
  for (let thread = 1; thread <= words[Header.THREADS]!; thread++) {
    const at = cacheAt(words, 0, thread);
    reclaimCache({ columns, words, at, area });
    words[at + Cache.OWNER] = 0;
  }
  sizeCaches(words, Z, zoneWord(words, Zone.PRESENT));
}
