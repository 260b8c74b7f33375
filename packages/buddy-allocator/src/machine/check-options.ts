/**
 * Checks of what a machine's allocator is given: zones, options, hooks, requests.
 */
import { type Memmap, ZONE_NAMES } from '@bootmem/memmap';

import {
  checkArray,
  checkFlag,
  checkFunction,
  checkInteger,
  checkName,
  checkObject,
  checkPfn,
  checkTimeout,
  refuse,
} from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import type {
  AllocatorHooks,
  AllocOptions,
  PageAllocatorOptions,
  ZoneSpec,
} from './allocator-types.js';

/** A node or another small number that names something. */
const MAX_NUMBER = 2 ** 31 - 1;
/** Threads that a registry can have. */
const MAX_THREADS = 32_000;
/** Zone ids are bytes of the descriptors; 0 is none. */
const MAX_ZONES = 255;

const HOOKS = ['grow', 'onPressure', 'isMovable'] as const;
const GATE = ['holdBack', 'condAccept', 'acceptBlock'] as const;
const FLAGS = ['thisNode', 'high', 'canReclaim', 'memalloc', 'noFragment', 'tryLock', 'noPressure'];

/** @throws ERR_BUDDY_ARGUMENT for a hook that is no function */
export function checkHooks(hooks: AllocatorHooks): void {
  checkObject(hooks, 'hooks');
  for (const name of HOOKS) if (hooks[name] !== undefined) checkFunction(hooks[name], name);
  const { accept } = hooks;
  if (accept === undefined) return;
  checkObject(accept, 'accept');
  const gate = accept as unknown as Record<string, unknown>;
  for (const name of GATE) checkFunction(gate[name], `accept.${name}`);
}

/** @throws ERR_BUDDY_ARGUMENT with the option that does not fit */
export function checkOptions(options: PageAllocatorOptions, maxOrder: number): void {
  checkHooks(options);
  const { threads, workers, guardMinOrder, distance, profile } = options;
  if (threads !== undefined) checkInteger(threads, 'threads', 1, MAX_THREADS);
  if (workers !== undefined) checkInteger(workers, 'workers', 1, MAX_NUMBER);
  if (guardMinOrder !== undefined) checkInteger(guardMinOrder, 'guardMinOrder', 0, maxOrder);
  if (distance !== undefined) checkFunction(distance, 'distance');
  if (profile !== undefined) checkObject(profile, 'profile');
  checkFlag(options.grouping, 'grouping');
  checkFlag(options.caches, 'caches');
  checkFlag(options.deepCaches, 'deepCaches');
  checkTimeout(options.lockTimeoutMs);
}

/** @throws ERR_BUDDY_ARGUMENT for a field that is none of the values it may have */
export function checkAllocOptions(options: AllocOptions): void {
  checkObject(options, 'options');
  const { migratetype, zone, nid } = options;
  if (migratetype !== undefined) checkInteger(migratetype, 'migratetype', 0, 2);
  if (zone !== undefined) checkName(zone, 'zone', ZONE_NAMES);
  if (nid !== undefined) checkInteger(nid, 'nid', 0, MAX_NUMBER);
  for (const flag of FLAGS) checkFlag((options as Record<string, unknown>)[flag], flag);
}

/**
 * Checks the zones of a new machine: each inside the memmap, each name once, no two of a node over the same pages.
 * Movable is the exception: where memory is mirrored it lies among the others.
 * @throws ERR_BUDDY_ARGUMENT
 */
export function checkSpecs(memmap: Memmap, zones: readonly ZoneSpec[]): void {
  checkObject(memmap, 'memmap');
  checkArray(zones, 'zones');
  checkInteger(zones.length, 'zones.length', 1, MAX_ZONES);
  const seen = new Set<string>();
  for (const spec of zones) {
    checkObject(spec, 'zone');
    const { nid, zone, startPfn, endPfn, presentPages } = spec;
    checkInteger(nid, 'nid', 0, MAX_NUMBER);
    checkName(zone, 'zone', ZONE_NAMES);
    checkPfn(startPfn, 'startPfn');
    checkInteger(endPfn, 'endPfn', startPfn, Number.MAX_SAFE_INTEGER);
    checkInteger(presentPages, 'presentPages', 0, endPfn - startPfn);
    const name = `${nid}/${zone}`;
    if (seen.has(name)) refuse('zone', 'each once', name);
    seen.add(name);
    const inside = startPfn >= memmap.startPfn && endPfn <= memmap.endPfn;
    if (startPfn === endPfn || inside) continue;
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `zone ${name} lies outside the memmap`, {
      nid,
      zone,
      startPfn,
      endPfn,
    });
  }
  checkApart(zones);
}

function checkApart(zones: readonly ZoneSpec[]): void {
  const fixed = zones
    .filter(({ zone, startPfn, endPfn }) => zone !== 'Movable' && startPfn < endPfn)
    .sort((a, b) => a.nid - b.nid || a.startPfn - b.startPfn);
  for (let i = 1; i < fixed.length; i++) {
    const [below, above] = [fixed[i - 1]!, fixed[i]!];
    if (below.nid !== above.nid || below.endPfn <= above.startPfn) continue;
    throw new BuddyError('ERR_BUDDY_ARGUMENT', 'zones of a node do not overlap', {
      nid: above.nid,
      zones: [below.zone, above.zone],
      startPfn: above.startPfn,
      endPfn: below.endPfn,
    });
  }
}
