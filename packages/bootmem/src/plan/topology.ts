/**
 * How far the nodes of a machine are from each other: what the order of zonelists follows from.
 */
import type { NumaTopology } from '@bootmem/buddy-allocator/zones';
import type { LayoutPlan } from './layout-plan.js';

/**
 * Nodes and distances, if the log determines them. One node needs nothing; distances come from sysfs, else
 * from a SLIT, else (no SLIT printed) every other node is equally far. No cpu but the first is up when the
 * lists are built, so cpus play no part.
 * @param plan  a planned machine
 */
export function topologyOf(plan: LayoutPlan): NumaTopology | undefined {
  const { numa, proc, printed } = plan.description;
  const nids = plan.layout.nodes.map((node) => node.nid);
  const withMemory = new Set(
    plan.layout.nodes.filter((node) => node.presentPages > 0).map((node) => node.nid),
  );
  const rows = (proc.nodes ?? []).map((node) => ({ nid: node.nid, row: node.distances }));
  const tables = new Set(printed.acpiTables.map((table) => table.table));
  // Two nodes have one order whatever the distance, and so have all where only one has memory; with more, "no SLIT" must be seen in the log.
  // A table list can be cut, and machines of more than eight nodes do have a SLIT.
  const seen = tables.size > 0 && !tables.has('SLIT') && nids.length <= 8;
  const noSlit = seen || numa.single !== undefined;
  const isPlain = nids.length <= 2 || withMemory.size <= 1;
  if (!isPlain && rows.length === 0 && numa.distances === undefined && !noSlit) {
    return undefined;
  }
  const column = new Map(rows.map((entry, index) => [entry.nid, index]));
  // The first of a node's rows counts.
  const rowOf = new Map(rows.toReversed().map(({ nid, row }) => [nid, row]));
  const distance = (from: number, to: number): number => {
    const row = rowOf.get(from);
    const index = column.get(to);
    if (row !== undefined && index !== undefined && row[index] !== undefined) return row[index];
    return numa.distances?.[from]?.[to] ?? (from === to ? 10 : 20);
  };
  return { nids, distance, hasMemory: (nid) => withMemory.has(nid), hasCpus: () => false };
}
