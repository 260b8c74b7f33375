/**
 * Facts about the order in which nodes and zones are tried: `Fallback order for Node`, the number of
 * zonelists, `Policy zone`, and the lists that `mminit` prints.
 */
import { nodeOrders, zoneLists } from '@bootmem/buddy-allocator';
import type { NumaTopology } from '@bootmem/buddy-allocator';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { printedAfterBoot } from '../../plan/late-frees.js';
import type { FactList } from '../fact-list.js';

/** Zonelist facts. */
export function zonelistFacts(plan: LayoutPlan, facts: FactList): void {
  const { printed } = plan.description;
  countFacts(plan, facts);
  policyFacts(plan, facts);
  if (printed.fallbackOrders.length === 0 && printed.zonelistOrders.length === 0) return;
  const topology = topologyOf(plan);
  const reason = 'node distances (SLIT) are not in the log';
  if (topology === undefined) {
    for (const line of printed.fallbackOrders) {
      facts.open('fallback order', `node ${line.nid}`, line.order.join(' '), reason);
    }
    return;
  }
  const orders = nodeOrders(topology);
  for (const line of printed.fallbackOrders) {
    if (printedAfterBoot(plan, line.line)) continue;
    const ours = (orders.get(line.nid) ?? []).join(' ');
    facts.compare('fallback order', `node ${line.nid}`, line.order.join(' '), ours);
  }
  const zones = plan.layout.nodes.flatMap((node) =>
    node.zones.map((zone) => ({ ...zone, managedPages: zone.presentPages })),
  );
  const lists = zoneLists(topology, zones);
  for (const line of printed.zonelistOrders) {
    if (printedAfterBoot(plan, line.line)) continue;
    const own = lists.find((list) => list.nid === line.nid);
    const limit = plan.layout.limits.findIndex((one) => one.zone === line.zone);
    const full = line.list === 'general' ? own?.fallback : own?.thisNode;
    const text = (entries: readonly { nid: number; zone: string }[]): string =>
      entries.map((entry) => `${entry.nid}:${entry.zone}`).join(' ');
    const ours = text((full ?? []).filter((entry) => entry.zoneIndex <= limit));
    facts.compare('zonelist', `${line.list} ${line.nid}:${line.zone}`, text(line.entries), ours);
  }
}

/**
 * Nodes and distances, if the log determines them. One node needs nothing; distances come from sysfs, else
 * from a SLIT, else (no SLIT printed) every other node is equally far. No cpu but the first is up when the
 * lists are built, so cpus play no part.
 */
export function topologyOf(plan: LayoutPlan): NumaTopology | undefined {
  const { numa, proc, printed } = plan.description;
  const nids = plan.layout.nodes.map((node) => node.nid);
  const withMemory = new Set(
    plan.layout.nodes.filter((node) => node.presentPages > 0).map((node) => node.nid),
  );
  const rows = (proc.nodes ?? []).map((node) => ({ nid: node.nid, row: node.distances }));
  const slit = printed.acpiTables.some((table) => table.table === 'SLIT');
  if (nids.length > 1 && rows.length === 0 && numa.distances === undefined && slit) {
    return undefined;
  }
  const column = new Map(rows.map((entry, index) => [entry.nid, index]));
  const distance = (from: number, to: number): number => {
    const row = rows.find((entry) => entry.nid === from)?.row;
    const index = column.get(to);
    if (row !== undefined && index !== undefined && row[index] !== undefined) return row[index];
    return numa.distances?.[from]?.[to] ?? (from === to ? 10 : 20);
  };
  return { nids, distance, hasMemory: (nid) => withMemory.has(nid), hasCpus: () => false };
}

function countFacts(plan: LayoutPlan, facts: FactList): void {
  const line = plan.description.printed.zonelists;
  if (line === undefined) return;
  facts.compare('zonelists', 'machine', line.count, plan.layout.nodes.length);
}

/** The highest zone below Movable that has memory on some node. */
function policyFacts(plan: LayoutPlan, facts: FactList): void {
  const line = plan.description.printed.policyZone;
  if (line === undefined) return;
  if (printedAfterBoot(plan, line.line)) {
    facts.open('policy zone', 'machine', line.zone, 'printed again after memory was added');
    return;
  }
  const movable = plan.layout.limits.findIndex((limit) => limit.zone === 'Movable');
  let best = -1;
  for (const node of plan.layout.nodes) {
    for (const zone of node.zones) {
      if (zone.presentPages > 0 && zone.zoneIndex < movable) best = Math.max(best, zone.zoneIndex);
    }
  }
  facts.compare('policy zone', 'machine', line.zone, plan.layout.limits[best]?.zone ?? 'none');
}
