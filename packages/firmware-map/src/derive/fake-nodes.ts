/**
 * `numa=fake=` when the log does not show its result (synthetic machines, /proc/iomem): memory is dealt out to N
 * nodes, or cut into nodes of one size.
 *
 * The rule is the documented one, in outline: equal shares by size of memory, at borders of {@link GRANULE}; the last
 * node gets the rest. Logs print the kernel's own cuts, and those are taken where they are.
 *
 * Source: kernel documentation, "Fake NUMA For CPUSets".
 */
import { MAX_NODE_ID } from '../base/constants.js';
import type { ProblemList } from '../base/problem-list.js';
import type { ByteRange, MachineDescription } from '../types/all.js';
import type { NodeBlock, NodeMap } from './assign-nodes.js';
import { totalLength } from './intervals.js';

/** Fake nodes begin and end at multiples of this, bytes. */
const GRANULE = 32 * 2 ** 20;

/**
 * Blocks of faked nodes.
 * @returns `undefined` when the command line does not ask for them
 */
export function fakeNodes(
  description: MachineDescription,
  memory: readonly ByteRange[],
  real: NodeMap,
  problems: ProblemList,
): NodeMap | undefined {
  const option = description.options.numa.findLast(({ mode }) => mode === 'fake');
  if (option?.mode !== 'fake' || memory.length === 0) return undefined;
  // A log of a kernel that ignored the option shows nothing of it, but shows the nodes it has.
  if (showsNodes(description)) return undefined;
  const total = totalLength(memory);
  const wanted = 'count' in option ? option.count : Math.max(1, Math.floor(total / option.size));
  const count = Math.min(wanted, MAX_NODE_ID + 1, Math.max(1, Math.floor(total / GRANULE)));
  const share = 'size' in option ? option.size : total / count;
  const line = description.commandLine?.line ?? 0;
  const message = `numa=fake=${option.text}: ${count} nodes cut here by share of memory (the real borders were not printed)`;
  problems.warn('ASSUMED', line, message);
  if (real.blocks.length > 0) {
    problems.warn('ASSUMED', line, 'the real nodes are ignored in favour of the faked ones');
  }
  return { blocks: cut(memory, count, share), source: 'numa-fake' };
}

// A log that was cut before the nodes were set up shows neither the option's effect nor that there was none.
function showsNodes({ source, numa, printed }: MachineDescription): boolean {
  return (
    source.format === 'boot-log' &&
    (numa.single !== undefined ||
      numa.rejected !== undefined ||
      numa.nodeData.length > 0 ||
      printed.earlyRanges.length > 0 ||
      printed.nodeSetups.length > 0 ||
      printed.fallbackOrders.length > 0 ||
      printed.zonelists !== undefined)
  );
}

function cut(memory: readonly ByteRange[], count: number, share: number): NodeBlock[] {
  const blocks: NodeBlock[] = [];
  const end = memory.at(-1)!.end;
  let start = 0;
  for (let nid = 0; nid < count && start < end; nid++) {
    const border = nid === count - 1 ? end : addressAt(memory, share * (nid + 1));
    const rounded = nid === count - 1 ? end : Math.ceil(border / GRANULE) * GRANULE;
    if (rounded > start) blocks.push({ start, end: rounded, nid, hotplug: false });
    start = Math.max(start, rounded);
  }
  return blocks;
}

// The address below which `amount` bytes of memory lie.
function addressAt(memory: readonly ByteRange[], amount: number): number {
  let left = amount;
  for (const { start, end } of memory) {
    if (left <= end - start) return start + left;
    left -= end - start;
  }
  return memory.at(-1)!.end;
}
