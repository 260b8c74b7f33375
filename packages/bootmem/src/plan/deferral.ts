/**
 * Which nodes are deferred and from where, without building anything.
 */
import { Memblock } from '@bootmem/memblock';
import { planPages } from './init-plan.js';
import type { LayoutPlan } from './layout-plan.js';

/**
 * First deferred page of each node that has one. Reservations do not matter for it, so none are needed.
 * @param plan  a planned machine
 */
export function firstDeferred(plan: LayoutPlan): Map<number, number> {
  const first = new Map<number, number>();
  for (const node of planPages(plan, new Memblock(), true).nodes) {
    if (node.firstDeferredPfn !== undefined) first.set(node.nid, node.firstDeferredPfn);
  }
  return first;
}
