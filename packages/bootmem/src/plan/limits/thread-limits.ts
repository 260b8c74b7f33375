/**
 * How many threads a node's deferred part gets: what the machine's kernel would start there.
 *
 *     before 5.8            one thread a node
 *     5.8 .. 6.10           x86: the processors of the node; others: one (nobody had tried them)
 *     since 6.11            the processors of the node
 *
 * A node without processors has one all the same.
 */
import { byNode } from '../by-node.js';
import type { LayoutPlan } from '../layout-plan.js';

/** Limits of a boot's deferred pass. */
export interface ThreadLimits {
  /** Threads for a node at most. */
  readonly of: (nid: number) => number;
  /** Where they come from, for the log. */
  readonly why: string;
}

/** What a boot is asked for: a number for every node, the kernel's rule, or no limit but the threads there are. */
export type PerNode = number | 'architecture' | undefined;

/**
 * The limits of a machine.
 * @param plan     its layout
 * @param perNode  what was asked for
 */
export function threadLimits(plan: LayoutPlan, perNode: PerNode): ThreadLimits {
  if (perNode === undefined) return { of: () => Infinity, why: 'all threads on every node' };
  if (typeof perNode === 'number') return { of: () => perNode, why: `at most ${perNode} a node` };
  const { architecture } = plan.description;
  const threaded = plan.kernel.printed.threadedArchitectures;
  const name = architecture ?? 'unknown architecture';
  const isX86 = architecture === undefined || architecture === 'x86_64' || architecture === 'i386';
  if (threaded === 'none' || (threaded === 'x86' && !isX86)) {
    return { of: () => 1, why: `one a node, as kernels of this release do on ${name}` };
  }
  const named = byNode(plan.description.numa.cpus);
  return { of: (nid) => cpusOf(plan, named, nid), why: 'as many as the node has processors' };
}

/** Processors of a node: those that the log names, else an equal share of all. */
function cpusOf(
  plan: LayoutPlan,
  named: ReadonlyMap<number, readonly unknown[]>,
  nid: number,
): number {
  const { cpus } = plan.description;
  if (named.size > 0) return Math.max(1, named.get(nid)?.length ?? 0);
  const all = cpus.online ?? cpus.present ?? cpus.possible ?? 1;
  return Math.max(1, Math.round(all / Math.max(1, plan.layout.nodes.length)));
}
