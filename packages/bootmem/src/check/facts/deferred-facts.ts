/**
 * `node N deferred pages initialised`: the nodes that print it are those where something was deferred. Times
 * are the machine's own and order is that of completion: neither is compared.
 */
import { Memblock } from '@bootmem/memblock';
import { planPages } from '../../plan/init-plan.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import type { FactList } from '../fact-list.js';

/** Deferred lines. */
export function deferredFacts(plan: LayoutPlan, facts: FactList): void {
  const { deferred, memory, zonelists } = plan.description.printed;
  if (deferred.length === 0) {
    if (memory === undefined && zonelists === undefined) return;
    // No line: deferral may be off in this build, the node too small, or the log cut before the line.
    const ours = deferredNodes(plan);
    if (ours.length === 0) facts.compare('deferred nodes', 'machine', 'none', 'none');
    else {
      facts.open(
        'deferred nodes',
        'machine',
        'none',
        'a kernel built without deferred initialisation and a log that ends too early look the same',
      );
    }
    return;
  }
  const list = (nids: readonly number[]): string =>
    [...new Set(nids)].sort((left, right) => left - right).join(' ');
  facts.compare(
    'deferred nodes',
    'machine',
    list(deferred.map((line) => line.nid)),
    list(deferredNodes(plan)),
  );
}

/** Nodes of which something is deferred. Reservations do not matter for it, so none are needed. */
function deferredNodes(plan: LayoutPlan): number[] {
  return planPages(plan, new Memblock(), true)
    .nodes.filter((node) => node.firstDeferredPfn !== undefined)
    .map((node) => node.nid);
}
