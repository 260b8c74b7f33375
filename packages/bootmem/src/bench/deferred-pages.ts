/**
 * What of a machine is deferred, by node, without booting it.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Steps } from '@bootmem/firmware-map/derive';
import { handoverSteps } from '../accounts/handover.js';
import { planPages } from '../plan/init-plan.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
import type { LayoutPlan } from '../plan/layout-plan.js';

/** A node with a deferred part. */
export interface DeferredPart {
  readonly nid: number;
  /** Free pages of it. */
  readonly pages: number;
}

/**
 * Plans a machine as a boot does, and stops there. O(ranges).
 * @param description  the machine
 * @param profile      as `bootMemory` takes it
 */
export function* deferredPartsSteps(
  description: MachineDescription,
  profile: string,
): Steps<{ readonly plan: LayoutPlan; readonly parts: readonly DeferredPart[] }> {
  const plan = yield* planLayoutSteps(description, profile);
  yield;
  const { memblock } = yield* handoverSteps(plan);
  yield;
  const { nodes } = planPages(plan, memblock, true);
  yield;
  const parts = nodes.map(({ nid, deferredRanges }) => ({
    nid,
    pages: deferredRanges.reduce((sum, { startPfn, endPfn }) => sum + endPfn - startPfn, 0),
  }));
  return { plan, parts: parts.filter(({ pages }) => pages > 0) };
}
