/** A pool's one zone, as one thread has it: what the flags in the header say, in the zone's terms. */
import type { Memmap } from '@bootmem/memmap';
import type { ThreadRegistry } from '@bootmem/memmap/shared';

import { ControlFlag, Header, zoneAt } from '../base/control-layout.js';
import { type PageData, POISON } from '../base/page-data.js';
import { BuddyZone } from '../zone/zone.js';

interface ZoneOfPool {
  readonly memmap: Memmap;
  /** The pool's control words. */
  readonly words: Int32Array;
  readonly thread: number;
  readonly registry: ThreadRegistry;
  /** The managed memory; undefined for none. */
  readonly data: PageData | undefined;
  readonly lockTimeoutMs: number | undefined;
  /** The thread's cache comes into use. */
  readonly onCacheUse: () => void;
}

/** Makes it. */
export function createPoolZone({ data, ...parts }: ZoneOfPool): BuddyZone {
  const flags = parts.words[Header.FLAGS]!;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return new BuddyZone({
    ...parts,
    at: zoneAt(0),
    zone: 0,
    alone: true,
    caches: !has(ControlFlag.NO_CACHE),
    checked: has(ControlFlag.CHECKED),
    eventsAt: Header.EVENTS,
    deep: true,
    grouping: has(ControlFlag.GROUPING),
    scrub:
      has(ControlFlag.POISON) && data !== undefined
        ? (index, pages): void => {
            data.fill(index, pages, POISON);
          }
        : undefined,
  });
}
