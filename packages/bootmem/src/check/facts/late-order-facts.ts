/**
 * Fallback orders that are printed again after boot: a node that is new gets its list before it has memory, and all lists are
 * built anew when a zone gets its first memory.
 *
 * ```
 * Fallback order for Node 2: 2 0 1        alone: node 2 is new, its memory not online yet
 * Fallback order for Node 0: 0 2 1   ┐
 * Fallback order for Node 1: 1 2 0   ├    all: memory of node 2 went online
 * Fallback order for Node 2: 2 0 1   ┘
 * ```
 * Unlike at boot all processors are up, and a node with processors comes after one without at the same distance.
 */
import { nodeOrders } from '@bootmem/buddy-allocator/zones';
import type { NumaTopology } from '@bootmem/buddy-allocator/zones';
import type { LoadedMachine } from '../../input/types.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { addedMemory } from '../added-memory.js';
import type { FactList } from '../fact-list.js';
import { printedAfterBoot } from '../late-frees.js';

type OrderLine = LayoutPlan['description']['printed']['fallbackOrders'][number];

const FACT = 'fallback order';

/** Why a line is not compared. */
const NO_BLOCKS = 'printed after memory was added, and which blocks those were is not recorded';

/**
 * Compares the lines after boot.
 * @param plan      a planned machine
 * @param topology  its nodes as they were at boot
 * @param facts     receives the facts
 * @param input     memory blocks and later steps
 */
export function lateOrderFacts(
  plan: LayoutPlan,
  topology: NumaTopology,
  facts: FactList,
  input?: LoadedMachine,
): void {
  const { fallbackOrders } = plan.description.printed;
  const lines = fallbackOrders.filter(({ line }) => printedAfterBoot(plan, line));
  if (lines.length === 0) return;
  const late = lateNodes(plan, input);
  for (const [index, group] of groupsOf(lines).entries()) {
    const members = new Set(group.flatMap(({ nid, order }) => [nid, ...order]));
    const isKnown = [...members].every((nid) => topology.nids.includes(nid) || late.has(nid));
    const orders = isKnown ? ordersOf(plan, { topology, late, group, members }) : undefined;
    for (const { nid, order } of group) {
      const subject = `node ${nid}, change ${index + 1}`;
      const ours = orders?.get(nid)?.join(' ');
      if (ours === undefined) facts.open(FACT, subject, order.join(' '), NO_BLOCKS);
      else facts.compare(FACT, subject, order.join(' '), ours);
    }
  }
}

/** Nodes of blocks outside boot memory that were online at some time. */
function lateNodes(plan: LayoutPlan, input: LoadedMachine | undefined): Set<number> {
  const moments = [input?.blocks, ...(input?.steps ?? []).map(({ blocks }) => blocks)];
  return new Set(moments.flatMap((one) => addedMemory(plan, one).blocks.map(({ nid }) => nid)));
}

/** Lines of one building: a node that comes again begins the next. */
function groupsOf(lines: readonly OrderLine[]): OrderLine[][] {
  const groups: OrderLine[][] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    const isNext = last === undefined || last.some(({ nid }) => nid >= line.nid);
    if (isNext) groups.push([line]);
    else last.push(line);
  }
  return groups;
}

interface Change {
  readonly topology: NumaTopology;
  readonly late: ReadonlySet<number>;
  readonly group: readonly OrderLine[];
  /** Nodes that the lines name. */
  readonly members: ReadonlySet<number>;
}

function ordersOf(
  { description, kernel }: LayoutPlan,
  { topology, late, group, members }: Change,
): Map<number, number[]> {
  const [first] = group;
  // A list of its own, of a node without memory at boot: the node is new.
  const fresh =
    group.length === 1 && first !== undefined && !topology.hasMemory(first.nid)
      ? first.nid
      : undefined;
  const all = [...new Set([...topology.nids, ...late])].sort((a, b) => a - b);
  const { numa, proc } = description;
  const listed = (proc.nodes ?? []).filter(({ cpus }) => cpus.length > 0);
  const withCpus = new Set((numa.cpus.length > 0 ? numa.cpus : listed).map(({ nid }) => nid));
  const orders = nodeOrders(
    {
      // Loads begin anew with each building, so that a list of its own comes first.
      nids: fresh === undefined ? all : [fresh, ...all.filter((nid) => nid !== fresh)],
      distance: topology.distance,
      hasMemory: (nid) =>
        nid !== fresh && (topology.hasMemory(nid) || (late.has(nid) && members.has(nid))),
      hasCpus: (nid) => withCpus.has(nid),
    },
    kernel.buddy,
  );
  if (!kernel.printed.ownNodeFirst) return orders;
  return new Map(
    [...orders].map(([nid, order]) => [nid, order.includes(nid) ? order : [nid, ...order]]),
  );
}
