/**
 * A request on its way through the zones.
 *
 *     for each zone of the list:  mark LOW? ─▶ cache / lists
 *        │ short: accept gate, grow hook
 *        └─▶ slow path: mark MIN with reserves ─▶ onPressure ─▶ drain caches ─▶ undefined
 *
 * No lock is held where a hook is called.
 */
import { type Memmap, ZONE_INDEX_BY_NAME } from '@bootmem/memmap';

import { AllocFlag, watermarkFast, type WatermarkZone } from '../marks/watermark-check.js';
import type {
  AcceptGate,
  AllocOptions,
  AllocatorHooks,
  NamedZone,
  Pressure,
} from './allocator-types.js';
import { Zone } from '../base/control-layout.js';
import { TakeFlag } from '../lists/fallback.js';
import type { BuddyZone } from '../zone/zone.js';

const NONE = -1;
/** So often in a row a hook is believed that there is more now; others may have been faster. */
const HOOK_ROUNDS = 1000;
const PRESSURE_ROUNDS = 16;

/** What {@link ZoneWalk} works on. */
interface ZoneWalkParts {
  readonly memmap: Memmap;
  readonly zones: readonly NamedZone[];
  /** The calling thread's hooks as they are now. */
  readonly hooks: () => AllocatorHooks;
  /** Gives all caches back. */
  readonly drain: () => void;
}

/** Serves requests from the zones of a list. */
export class ZoneWalk {
  readonly #memmap: Memmap;
  readonly #zones: readonly NamedZone[];
  readonly #hooks: () => AllocatorHooks;
  readonly #drain: () => void;
  readonly #views: readonly WatermarkZone[];
  /** A callback for pressure runs: what it requests itself must do with what there is. @kernel PF_MEMALLOC */
  #relieving = false;
  /** A hook runs that brings memory: what it requests itself does with what there is. */
  #inHook = false;

  constructor(parts: ZoneWalkParts) {
    this.#memmap = parts.memmap;
    this.#zones = parts.zones;
    this.#hooks = parts.hooks;
    this.#drain = parts.drain;
    this.#views = parts.zones.map(({ core }) => watermarkView(core));
  }

  /**
   * Allocates from the first zone that can serve.
   * @param list  positions of zones, best first
   * @returns first pfn; undefined when no allowed zone can serve the request
   */
  alloc(
    list: readonly number[],
    order: number,
    type: number,
    options: AllocOptions,
  ): number | undefined {
    // Contiguous-memory areas serve movable requests only: those can be moved out of the way later.
    const cma = type === 1 ? AllocFlag.CMA : 0;
    const usual = AllocFlag.LOW | AllocFlag.KSWAPD | cma;
    const careful = options.noFragment === true ? AllocFlag.NOFRAGMENT : 0;
    let pfn = this.#fromList(list, order, type, usual | careful, options);
    if (pfn === undefined && careful !== 0) {
      pfn = this.#fromList(list, order, type, usual, options);
    }
    return pfn ?? this.#slow(list, order, type, options);
  }

  #fromList(
    list: readonly number[],
    order: number,
    type: number,
    flags: number,
    options: AllocOptions,
  ): number | undefined {
    const highest = ZONE_INDEX_BY_NAME[options.zone ?? 'Normal'];
    const gate = this.#hooks().accept;
    for (const i of list) {
      const { zone, core, nid } = this.#zones[i]!;
      if (ZONE_INDEX_BY_NAME[zone] > highest) continue;
      if (options.thisNode === true && nid !== (options.nid ?? this.#zones[0]!.nid)) continue;
      if (core.managedPages === 0 && this.#hooks().grow === undefined) continue;
      // Before the test only if something is parked; afterwards also for a block in another's hands.
      const gated = gate !== undefined;
      if (gated && core.get(Zone.UNACCEPTED) > 0)
        this.#accept(gate, core, order, 'before', options);
      if (!this.#passes(i, order, flags, highest)) {
        const helped = gated && this.#accept(gate, core, order, 'watermark', options);
        if (!helped && !this.#grow(core, order, options)) continue;
      }
      const index = this.#takeRetrying(core, order, type, flags, options);
      if (index !== NONE) return this.#memmap.pfnOf(index);
    }
    return undefined;
  }

  #takeRetrying(
    core: BuddyZone,
    order: number,
    type: number,
    flags: number,
    options: AllocOptions,
  ): number {
    const take = takeFlags(flags);
    const gate = this.#hooks().accept;
    for (let round = 0; round < HOOK_ROUNDS; round++) {
      const index = core.alloc(order, type, take);
      if (index !== NONE) return index;
      if (gate !== undefined && this.#accept(gate, core, order, 'empty', options)) continue;
      if (!this.#grow(core, order, options)) return NONE;
    }
    return NONE;
  }

  #passes(i: number, order: number, flags: number, highest: number): boolean {
    if ((flags & AllocFlag.NO_WATERMARKS) !== 0) return true;
    const core = this.#zones[i]!.core;
    const mark = core.get(Zone.MARK_MIN + (flags & 3)) + core.get(Zone.BOOST);
    return watermarkFast(this.#views[i]!, { order, mark, highestZoneIndex: highest, flags });
  }

  #accept(
    gate: AcceptGate,
    core: BuddyZone,
    order: number,
    stage: 'before' | 'watermark' | 'empty',
    options: AllocOptions,
  ): boolean {
    if (this.#inHook) return false;
    this.#inHook = true;
    try {
      return gate.condAccept(core.zoneId, order, stage, { tryLock: options.tryLock === true });
    } finally {
      this.#inHook = false;
    }
  }

  #grow(core: BuddyZone, order: number, options: AllocOptions): boolean {
    if (options.tryLock === true || this.#inHook) return false;
    this.#inHook = true;
    try {
      return this.#hooks().grow?.(core.zoneId, order) === true;
    } finally {
      this.#inHook = false;
    }
  }

  #slow(
    list: readonly number[],
    order: number,
    type: number,
    options: AllocOptions,
  ): number | undefined {
    if (options.tryLock === true) return undefined;
    let flags: number = AllocFlag.MIN | AllocFlag.KSWAPD | (type === 1 ? AllocFlag.CMA : 0);
    if (options.high === true) flags |= AllocFlag.MIN_RESERVE;
    if (options.canReclaim === false) {
      flags |= AllocFlag.NON_BLOCK;
      if (options.high === true && order > 0) flags |= AllocFlag.HIGHATOMIC;
    }
    if (options.memalloc === true) flags |= AllocFlag.NO_WATERMARKS;
    let pfn = this.#fromList(list, order, type, flags, options);
    if (pfn !== undefined) return pfn;
    if (options.noPressure !== true && options.canReclaim !== false) {
      for (let round = 0; round < PRESSURE_ROUNDS && pfn === undefined; round++) {
        if (!this.#relieve({ order, migratetype: type, round })) break;
        pfn = this.#fromList(list, order, type, flags, options);
      }
    }
    if (pfn !== undefined) return pfn;
    // Last means: pages that lie in caches or in the high-atomic reserve.
    this.#drain();
    for (const i of list) {
      const { core } = this.#zones[i]!;
      core.locked(() => core.fallback.unreserveHighatomic(type, true));
    }
    return this.#fromList(list, order, type, flags, options);
  }

  #relieve(pressure: Pressure): boolean {
    if (this.#relieving) return false;
    this.#relieving = true;
    try {
      return this.#hooks().onPressure?.(pressure) === true;
    } finally {
      this.#relieving = false;
    }
  }
}

function takeFlags(flags: number): number {
  let take = 0;
  if ((flags & AllocFlag.NOFRAGMENT) !== 0) take |= TakeFlag.NOFRAGMENT;
  if ((flags & AllocFlag.HIGHATOMIC) !== 0) take |= TakeFlag.HIGHATOMIC;
  if ((flags & (AllocFlag.OOM | AllocFlag.NON_BLOCK)) !== 0) take |= TakeFlag.RESERVES;
  if ((flags & AllocFlag.CMA) !== 0) take |= TakeFlag.CMA;
  if ((flags & AllocFlag.KSWAPD) !== 0) take |= TakeFlag.KSWAPD;
  return take;
}

function watermarkView(core: BuddyZone): WatermarkZone {
  return {
    get freePages() {
      return core.get(Zone.FREE);
    },
    get freeHighatomic() {
      return core.get(Zone.FREE_HIGHATOMIC);
    },
    get freeCma() {
      return core.get(Zone.FREE_CMA);
    },
    // Live words; only ever indexed.
    lowmemReserve: core.words.subarray(
      core.at + Zone.RESERVE,
      core.at + Zone.RESERVE + 8,
    ) as unknown as readonly number[],
    get min() {
      return core.get(Zone.MARK_MIN);
    },
    get boost() {
      return core.get(Zone.BOOST);
    },
    maxOrder: core.maxOrder,
    hasFree: (order, type) => core.area.count(order, type) > 0,
  };
}
