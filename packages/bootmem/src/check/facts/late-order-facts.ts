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
 *
 * Lists of one building are built from the same nodes with memory, in the order of their numbers. From 6.7 on a list names
 * those nodes and no other; before, each begins with its own node. One line alone is that of a new node or, where lines are
 * lost, what is left of all: a value that fits only the second is not derivable.
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

/** Why a value that fits is not compared. */
const EITHER = 'the list of a new node, or what is left of the lists of all nodes';

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
  const { ownNodeFirst } = plan.kernel.printed;
  for (const [index, group] of groupsOf(lines, ownNodeFirst).entries()) {
    const members = new Set(group.flatMap(({ nid, order }) => [nid, ...order]));
    const isKnown = [...members].every((nid) => topology.nids.includes(nid) || late.has(nid));
    const change: Change = { topology, late, named: namedIn(group, ownNodeFirst) };
    const all = isKnown ? ordersOf(plan, change) : undefined;
    for (const [at, line] of group.entries()) {
      const subject = `node ${line.nid}, change ${index + 1}`;
      const kernel = line.order.join(' ');
      const whole = all?.get(line.nid)?.join(' ');
      if (whole === undefined) {
        facts.open(FACT, subject, kernel, NO_BLOCKS);
        continue;
      }
      const isEdge = at === 0 || at === group.length - 1;
      const isLone = group.length === 1;
      const hasMemory =
        topology.hasMemory(line.nid) || (change.named.has(line.nid) && !(isLone && ownNodeFirst));
      // The last list of one building may be that of a node that is new, if the rest of its own building is lost.
      const alone =
        isEdge && !hasMemory ? ordersOf(plan, change, line.nid).get(line.nid)!.join(' ') : whole;
      const [ours, other] = isLone ? [alone, whole] : [whole, alone];
      if (kernel !== ours && kernel === other) facts.open(FACT, subject, kernel, EITHER);
      else facts.compare(FACT, subject, kernel, ours);
    }
  }
}

/** Nodes of blocks outside boot memory that were online at some time. */
function lateNodes(plan: LayoutPlan, input: LoadedMachine | undefined): Set<number> {
  const moments = [input?.blocks, ...(input?.steps ?? []).map(({ blocks }) => blocks)];
  return new Set(moments.flatMap((one) => addedMemory(plan, one).blocks.map(({ nid }) => nid)));
}

/** Lines of one building: a number that is not higher, or other nodes with memory, begin the next. */
function groupsOf(lines: readonly OrderLine[], ownNodeFirst: boolean): OrderLine[][] {
  const groups: OrderLine[][] = [];
  for (const line of lines) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const isSame =
      last !== undefined && last.nid < line.nid && isOfOneBuilding(last, line, ownNodeFirst);
    if (isSame) group!.push(line);
    else groups.push([line]);
  }
  return groups;
}

/** Whether two lists name the same nodes; where a list names its own node in any case, that tells nothing. */
function isOfOneBuilding(one: OrderLine, other: OrderLine, ownNodeFirst: boolean): boolean {
  const own = ownNodeFirst ? [one.nid, other.nid] : [];
  const namedBy = ({ order }: OrderLine): string =>
    order
      .filter((nid) => !own.includes(nid))
      .sort((a, b) => a - b)
      .join(' ');
  return namedBy(one) === namedBy(other);
}

/** Nodes that the lines show to have memory, or, where there is one line alone, may show. */
function namedIn(group: readonly OrderLine[], ownNodeFirst: boolean): Set<number> {
  const countsOwn = !ownNodeFirst || group.length === 1;
  return new Set(
    group.flatMap(({ nid, order }) => order.filter((one) => countsOwn || one !== nid)),
  );
}

interface Change {
  readonly topology: NumaTopology;
  readonly late: ReadonlySet<number>;
  /** Nodes that the lines show to have memory. */
  readonly named: ReadonlySet<number>;
}

/** Lists of all nodes, or, with `fresh`, as they are built for a new node without memory. */
function ordersOf(
  { description, kernel }: LayoutPlan,
  { topology, late, named }: Change,
  fresh?: number,
): Map<number, number[]> {
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
        nid !== fresh && (topology.hasMemory(nid) || (late.has(nid) && named.has(nid))),
      hasCpus: (nid) => withCpus.has(nid),
    },
    kernel.buddy,
  );
  if (!kernel.printed.ownNodeFirst) return orders;
  return new Map(
    [...orders].map(([nid, order]) => [nid, order.includes(nid) ? order : [nid, ...order]]),
  );
}
