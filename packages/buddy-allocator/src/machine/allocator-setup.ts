/**
 * How a zoned allocator is made: the control words of a new one, the zones as a thread sees them.
 */
import { type Memmap, ZONE_INDEX_BY_NAME } from '@bootmem/memmap';
import { allocateWords, ThreadRegistry } from '@bootmem/memmap/shared';

import { profileForRelease } from '../marks/profile.js';
import type {
  NamedZone,
  PageAllocatorHandle,
  PageAllocatorOptions,
  ZoneSpec,
} from './allocator-types.js';
import {
  ControlFlag,
  controlWords,
  Header,
  initHeader,
  MAGIC,
  zoneAt,
} from '../base/control-layout.js';
import { keepLocal } from '../base/local.js';
import { BuddyZone } from '../zone/zone.js';
import { initZoneWords } from '../base/zone-words.js';
import { checkOptions, checkSpecs } from './check-options.js';

/** The kernel's caches hold at most 1000 pages; deep ones have a limit for each list. */
const KERNEL_SHARE = 1024;
const DEEP_SHARE = 4096;

function cacheShareOf({ caches = true, deepCaches = false }: PageAllocatorOptions): number {
  if (!caches) return 0;
  return deepCaches ? DEEP_SHARE : KERNEL_SHARE;
}

/**
 * Writes the control words of a new allocator.
 * @throws ERR_BUDDY_ARGUMENT for spans that overlap within a node or lie outside the memmap
 */
export function makeHandle(
  memmap: Memmap,
  zones: readonly ZoneSpec[],
  options: PageAllocatorOptions,
): PageAllocatorHandle {
  checkSpecs(memmap, zones);
  checkOptions(options, memmap.geometry.maxOrder);
  const threads = options.threads ?? 64;
  const sizes = {
    zones: zones.length,
    threads,
    cacheShare: cacheShareOf(options),
    pageblocks: memmap.columns().pageblocks.length,
  };
  const control = allocateWords(controlWords(sizes), memmap.usage().storage !== 'local');
  const flags =
    ((options.grouping ?? true) ? ControlFlag.GROUPING : 0) |
    (options.deepCaches === true ? ControlFlag.DEEP_CACHE : 0) |
    (options.caches === false ? ControlFlag.NO_CACHE : 0);
  initHeader(control, sizes, flags);
  zones.forEach((spec, i) => {
    const zoneId = memmap.defineZone(spec.nid, ZONE_INDEX_BY_NAME[spec.zone]);
    initZoneWords(control, zoneAt(i), { ...spec, zoneId });
  });
  control[Header.GUARD_ORDER] = options.guardMinOrder ?? 0;
  control[Header.MAGIC] = MAGIC;
  const handle: PageAllocatorHandle = {
    type: 'bootmem.page-allocator',
    memmap: memmap.toHandle(),
    control,
    threads: ThreadRegistry.create(threads).toHandle(),
    zones: zones.map(({ nid, zone }) => ({ nid, zone })),
    release: (options.profile ?? profileForRelease()).release,
    workers: options.workers ?? threads,
  };
  keepLocal(handle);
  return handle;
}

/** The zones of a handle, for one thread. */
export function openZones(
  handle: PageAllocatorHandle,
  user: {
    readonly memmap: Memmap;
    readonly registry: ThreadRegistry;
    readonly thread: number;
    readonly options: PageAllocatorOptions;
  },
): NamedZone[] {
  const { memmap, registry, thread, options } = user;
  const words = handle.control;
  const flags = words[Header.FLAGS]!;
  const caches = (flags & ControlFlag.NO_CACHE) === 0;
  return handle.zones.map(({ nid, zone }, i) => ({
    nid,
    zone,
    core: new BuddyZone({
      memmap,
      words,
      at: zoneAt(i),
      zone: i,
      caches,
      eventsAt: Header.EVENTS,
      thread,
      registry,
      deep: (flags & ControlFlag.DEEP_CACHE) !== 0,
      guardMinOrder: words[Header.GUARD_ORDER]!,
      grouping: (flags & ControlFlag.GROUPING) !== 0,
      lockTimeoutMs: options.lockTimeoutMs,
      isMovable: options.isMovable,
    }),
  }));
}
