/**
 * The ways that blocks are allocated and freed on, by one thread: the short ones through its cache, the long ones for all else.
 * Functions, because a call of a function costs less than that of a method.
 *
 *     alloc, free ── cache hit ─▶ fast-path.ts
 *          └── all else; memory that is poisoned; no cache ─▶ is the pool open? ─▶ requests.ts
 */
import { ControlFlag } from '../../base/control-layout.js';
import { diagnoseFree } from '../../zone/diagnose.js';
import type { BuddyZone } from '../../zone/zone.js';
import type { AllocRequest } from '../pool-types.js';
import { createFastPath } from './fast-path.js';
import type { Requests } from './requests.js';

/** The ways of one thread into its pool. */
export interface Ways {
  readonly alloc: (order: number, request?: AllocRequest) => number | undefined;
  readonly free: (pfn: number, order: number) => void;
  /** No call is served by the cache any more, for good. */
  readonly close: () => void;
}

interface WayParts {
  readonly zone: BuddyZone;
  readonly requests: Requests;
  /** Bits of ControlFlag. */
  readonly flags: number;
  /** Migratetype of requests that name no mobility. */
  readonly type: number;
  /** Owner of what they get, where pages have owners. */
  readonly owner: number;
  /** @throws ERR_BUDDY_CLOSED */
  readonly checkOpen: () => void;
}

/** Makes the ways. */
export function createWays({ zone, requests, flags, type, owner, checkOpen }: WayParts): Ways {
  const otherwise = {
    alloc: (order: number, request: AllocRequest | undefined): number | undefined => {
      checkOpen();
      return requests.alloc(order, request);
    },
    free: (pfn: number, order: number): void => {
      checkOpen();
      requests.free(pfn, order);
    },
    lost: (pfn: number, order: number): void => {
      diagnoseFree(zone, pfn, order);
    },
  };
  const { cacheAt } = zone;
  // Poisoned memory is filled and checked at every call.
  if (cacheAt === undefined || (flags & ControlFlag.POISON) !== 0) {
    return { ...otherwise, close: () => undefined };
  }
  return createFastPath({ zone, cacheAt, type, owner }, otherwise);
}
