/**
 * Requests that the page cache's short ways do not serve: with wishes, by place, when the cache is empty or full,
 * when memory is short, with poisoned memory.
 *
 *     take ──none──▶ onPressure, at most 16 times ──none──▶ all caches back ──none──▶ undefined
 *      └─▶ prepare: verify poison, zero what may be dirty
 *
 * No lock is held where the callback runs. A request changes nothing before it was checked.
 */
import { PageState } from '@bootmem/memmap';

import { ControlFlag, Zone } from '../../base/control-layout.js';
import {
  checkFlag,
  checkName,
  checkObject,
  checkOrder,
  checkOwner,
  refuse,
} from '../../base/check.js';
import type { BuddyError } from '../../base/errors.js';
import { TakeFlag } from '../../lists/fallback.js';
import { claimSingles } from '../../zone/claim.js';
import { diagnoseFree } from '../../zone/diagnose.js';
import { extractRun, findFreeRun, firstNotSingle, freeRunLocked } from '../../zone/range-take.js';
import { extendBlock, type Extension, shrinkBlock } from '../../zone/resize.js';
import type { BuddyZone } from '../../zone/zone.js';
import type { AllocRequest, Mobility, RangeRequest } from '../pool-types.js';
import { needData, type PageData, POISON } from '../../base/page-data.js';
import { checkRun } from './range-request.js';

const NONE = -1;
const PRESSURE_ROUNDS = 16;
const TYPE_OF: Readonly<Record<Mobility, 0 | 1 | 2>> = { unmovable: 0, movable: 1, reclaimable: 2 };

/** Called when a request cannot be served; true says that something was freed. */
export type PressureCallback = (pressure: { order: number; round: number }) => boolean;

const NO_REQUEST: AllocRequest = Object.freeze({});
const MOBILITIES = Object.keys(TYPE_OF);

/**
 * @param owned  blocks have owners here
 * @throws ERR_BUDDY_ARGUMENT for a request with a field that is none of the values it may have
 */
export function checkRequest(request: AllocRequest, owned: boolean): void {
  checkObject(request, 'request');
  const { mobility, zero, high, noPressure, owner } = request;
  checkOwner(owner, owned);
  if (mobility !== undefined) checkName(mobility, 'mobility', MOBILITIES);
  checkFlag(zero, 'zero');
  checkFlag(high, 'high');
  checkFlag(noPressure, 'noPressure');
}

/** What {@link Requests} works on. */
interface RequestParts {
  readonly zone: BuddyZone;
  /** Bits of ControlFlag. */
  readonly flags: number;
  readonly data: PageData | undefined;
  /** Migratetype of requests that name no mobility, and of all where pages are not grouped. */
  readonly usual: number;
  /** Owner of requests that name none. */
  readonly owner: number;
  /** Gives the caches of all threads back. */
  readonly drain: () => void;
}

/** The long ways of one thread into its zone. */
export class Requests {
  /** This thread's callback. */
  onPressure: PressureCallback | undefined;
  readonly #zone: BuddyZone;
  readonly #state: Uint8Array;
  readonly #data: PageData | undefined;
  readonly #usual: number;
  readonly #owner: number;
  readonly #grouping: boolean;
  readonly #zeroed: boolean;
  readonly #poison: boolean;
  readonly #drain: () => void;
  /** The callback runs: what it requests itself must do with what there is. */
  #relieving = false;

  constructor(parts: RequestParts) {
    this.#zone = parts.zone;
    this.#state = parts.zone.columns.state;
    this.#data = parts.data;
    this.#usual = parts.usual;
    this.#owner = parts.owner;
    this.#grouping = (parts.flags & ControlFlag.GROUPING) !== 0;
    this.#poison = (parts.flags & ControlFlag.POISON) !== 0;
    this.#zeroed = (parts.flags & ControlFlag.ZEROED) !== 0 && !this.#poison;
    this.#drain = parts.drain;
  }

  /** @throws ERR_BUDDY_ARGUMENT for an order that does not exist, a request that is none, or `zero` without data */
  check(order: number, request: AllocRequest): void {
    checkOrder(order, this.#zone.maxOrder);
    checkRequest(request, this.#zone.ownersAt !== 0);
    if (request.zero === true) needData(this.#data);
  }

  /**
   * Allocates a block.
   * @returns first page number; undefined when there is none
   * @throws ERR_BUDDY_ARGUMENT for an order that does not exist, or `zero` without data
   */
  alloc(order: number, request: AllocRequest = NO_REQUEST): number | undefined {
    this.check(order, request);
    const type = this.#grouping ? TYPE_OF[request.mobility ?? 'movable'] : this.#usual;
    let index = this.#take(order, type, request);
    for (let round = 0; index === NONE && this.#relieve(request, order, round); round++) {
      index = this.#take(order, type, request);
    }
    if (index === NONE) {
      this.#drain();
      index = this.#take(order, type, request);
    }
    if (index === NONE) return undefined;
    const dirty = (this.#state[index]! & PageState.DIRTY) !== 0;
    this.#prepare(index, 2 ** order, dirty, request, () => {
      this.#zone.free(index, order);
    });
    return index;
  }

  /** Frees a block. @throws coded errors for everything that is not an allocated block of this order */
  free(pfn: number, order: number): void {
    if (typeof pfn !== 'number') refuse('pfn', 'a page number', pfn);
    checkOrder(order, this.#zone.maxOrder);
    if (this.#poison) {
      const state = this.#state[pfn];
      if (state !== undefined && (state & ~PageState.DIRTY) === (PageState.ALLOCATED | order)) {
        this.#data?.fill(pfn, 2 ** order, POISON);
      }
    }
    this.#zone.free(pfn, order);
  }

  /** Makes a block larger where it is. @returns false when what follows it is not free */
  extend(pfn: number, order: number, to: number, request: AllocRequest): boolean {
    const zone = this.#zone;
    checkRequest(request, zone.ownersAt !== 0);
    if (request.zero === true) needData(this.#data);
    const more = 2 ** to - 2 ** order;
    let found: Extension = 'no room';
    if (!this.#mustKeep(request, more)) {
      found = extendBlock(zone, pfn, order, to);
      if (found === 'no room') {
        this.#drain();
        found = extendBlock(zone, pfn, order, to);
      }
    }
    if (found === 'not allocated') diagnoseFree(zone, pfn, order);
    if (found === 'no room') return false;
    this.#prepare(pfn + 2 ** order, more, found.dirty, request, () => {
      shrinkBlock(zone, pfn, to, order);
    });
    return true;
  }

  /** Makes a block smaller where it is. @throws as {@link Requests.free} */
  shrink(pfn: number, order: number, to: number): void {
    const zone = this.#zone;
    const state = this.#state[pfn];
    const known =
      state !== undefined && (state & ~PageState.DIRTY) === (PageState.ALLOCATED | order);
    if (known && this.#poison) {
      this.#data?.fill(pfn + 2 ** to, 2 ** order - 2 ** to, POISON);
    }
    if (!known || !shrinkBlock(zone, pfn, order, to)) diagnoseFree(zone, pfn, order);
  }

  /** Allocates pages by place. @returns first page number; undefined when no place fits */
  range(request: RangeRequest): number | undefined {
    checkRequest(request, this.#zone.ownersAt !== 0);
    const run = checkRun(request, this.#zone.endPfn);
    if (request.zero === true) needData(this.#data);
    const { owner = this.#owner } = request;
    const find = (): { pfn: number; dirty: boolean } | undefined =>
      this.#zone.locked(() => {
        if (this.#mustKeep(request, run.pages)) return undefined;
        const pfn = findFreeRun(this.#zone, run);
        return pfn === undefined
          ? undefined
          : { pfn, dirty: extractRun(this.#zone, pfn, pfn + run.pages, owner) };
      });
    let found = find();
    if (found === undefined) {
      this.#drain();
      found = find();
    }
    for (let round = 0; found === undefined && this.#relieve(request, 0, round); round++) {
      found = find();
    }
    if (found === undefined) return undefined;
    const { pfn } = found;
    this.#prepare(pfn, run.pages, found.dirty, request, () => {
      this.#zone.locked(() => {
        freeRunLocked(this.#zone, pfn, pfn + run.pages);
      });
    });
    return pfn;
  }

  /** Frees pages of order 0 in a row; all or, with an error, none. */
  freeExact(pfn: number, pages: number): void {
    const zone = this.#zone;
    const end = pfn + pages;
    // Again under the lock: two threads may free the same run at the same time.
    const bad =
      firstNotSingle(zone, pfn, end) ??
      zone.locked(() => {
        const taken = zone.checked ? claimSingles(zone, pfn, end) : firstNotSingle(zone, pfn, end);
        if (taken !== undefined) return taken;
        if (this.#poison) this.#data?.fill(pfn, pages, POISON);
        freeRunLocked(zone, pfn, end);
        return undefined;
      });
    if (bad !== undefined) diagnoseFree(zone, zone.memmap.indexOf(bad), 0);
  }

  #take(order: number, type: number, request: AllocRequest): number {
    if (this.#mustKeep(request, 2 ** order)) return NONE;
    return this.#zone.alloc(order, type, TakeFlag.KSWAPD, request.owner ?? this.#owner);
  }

  #mustKeep(request: AllocRequest, pages: number): boolean {
    const min = this.#zone.words[this.#zone.at + Zone.MARK_MIN]!;
    return min > 0 && request.high !== true && this.#zone.freePages - pages < min;
  }

  #relieve(request: AllocRequest, order: number, round: number): boolean {
    if (request.noPressure === true || round >= PRESSURE_ROUNDS || this.#relieving) return false;
    this.#relieving = true;
    try {
      return this.onPressure?.({ order, round }) === true;
    } finally {
      this.#relieving = false;
    }
  }

  /** @param giveBack  frees what was taken, if its memory is not as it should be, or not there any more */
  #prepare(
    pfn: number,
    pages: number,
    dirty: boolean,
    request: AllocRequest,
    giveBack: () => void,
  ): void {
    const zero = request.zero === true && (dirty || !this.#zeroed);
    const data = this.#data;
    if (data === undefined || !(zero || this.#poison)) return;
    try {
      if (this.#poison) data.checkPoison(pfn, pages);
      if (zero) data.fill(pfn, pages, 0);
    } catch (error) {
      // Told once: with fresh poison the memory is as good as before.
      if ((error as BuddyError).code === 'ERR_BUDDY_POISON') data.fill(pfn, pages, POISON);
      giveBack();
      throw error;
    }
  }
}
