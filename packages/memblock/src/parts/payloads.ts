/**
 * Payloads of addresses: who has what, in the caller's own terms.
 */
import { cappedEnd } from '../base/arithmetic.js';
import { checkBytes } from '../base/checks.js';
import type { PayloadRange, RegionType } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { eachGap } from '../core/payloads.js';
import type { RegionList } from '../list/region-list.js';

/** Gives what of a range is in a list this payload; undefined takes it away. */
export function setPayload(
  core: MemblockCore,
  base: number,
  size: number,
  type: RegionType,
  payload: unknown,
): void {
  core.checkEdit(base, size);
  const list = core.listOf(type);
  // Nothing is made to take nothing away.
  if (payload === undefined && core.payloads === undefined) return;
  core.payloadsOf(list).set(base, cappedEnd(base, size), payload);
}

/** The range of one payload around an address. */
export function payloadAt(
  core: MemblockCore,
  type: RegionType,
  address: number,
): PayloadRange | undefined {
  checkBytes(address, 'address');
  const list = core.listOf(type);
  return core.payloads?.get(list)?.at(address);
}

/** All ranges that have a payload, ascending. */
export function payloads(core: MemblockCore, type: RegionType): PayloadRange[] {
  const list = core.listOf(type);
  return core.payloads?.get(list)?.all() ?? [];
}

/**
 * Adds with a payload: what is there keeps its own, or none.
 * @param add  adds the range; false when it was not
 */
export function addWith(
  core: MemblockCore,
  list: RegionList,
  range: { readonly base: number; readonly size: number; readonly payload: unknown },
  add: () => boolean,
): boolean {
  const { base, size, payload } = range;
  core.checkEdit(base, size);
  const gaps: [number, number][] = [];
  eachGap(list, base, cappedEnd(base, size), (from, to) => gaps.push([from, to]));
  if (!add()) return false;
  const payloads = core.payloadsOf(list);
  for (const [from, to] of gaps) payloads.set(from, to, payload);
  return true;
}
