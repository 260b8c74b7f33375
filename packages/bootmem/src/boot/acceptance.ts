/**
 * Unaccepted memory of a machine: table, bitmap and policy, when the map has any.
 */
import type { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { createTdxModel } from '@bootmem/unaccepted-memory/platform';
import type { AcceptMode } from '../result.js';
import type { LayoutPlan } from '../plan/layout-plan.js';

/** Acceptance as the boot thread holds it. */
export interface Acceptance {
  readonly memory: UnacceptedMemory;
  readonly acceptor: ZoneAcceptor;
  /** Units at the start. */
  readonly totalUnits: number;
  readonly unitBytes: number;
}

/** Bytes of one unit. */
const UNIT = 2 ** 21;

/**
 * Sets acceptance up and connects it to the allocator.
 * @param plan       a planned machine
 * @param allocator  the boot thread's allocator
 * @param mode       lazy or eager
 * @returns `undefined` when everything is accepted already
 * @remarks the platform is a model: calls are counted and cost what they would, no contents exist
 */
export function setUpAcceptance(
  plan: LayoutPlan,
  allocator: PageAllocator,
  mode: AcceptMode,
): Acceptance | undefined {
  const ranges = plan.derived.unaccepted;
  if (ranges.length === 0) return undefined;
  const memory = UnacceptedMemory.create({
    ranges,
    backend: createTdxModel(),
    unitSize: UNIT,
    release: plan.kernel.release,
  });
  const acceptor = ZoneAcceptor.create({
    memory,
    port: allocator,
    mode,
    pageShift: Math.log2(plan.pageSize),
  });
  return {
    memory,
    acceptor,
    totalUnits: Math.ceil(memory.unacceptedBytes() / UNIT),
    unitBytes: UNIT,
  };
}

/**
 * Units that are accepted by now.
 * @param acceptance  from {@link setUpAcceptance}
 */
export function acceptedUnits(acceptance: Acceptance): number {
  const left = Math.ceil(acceptance.memory.unacceptedBytes() / acceptance.unitBytes);
  return acceptance.totalUnits - left;
}
