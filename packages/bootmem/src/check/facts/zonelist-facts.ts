/**
 * Facts about the order in which nodes and zones are tried: `Fallback order for Node`, the number of
 * zonelists, `Policy zone`, and the lists that `mminit` prints.
 */
import { nodeOrders, zoneLists } from '@bootmem/buddy-allocator/zones';
import type { LoadedMachine } from '../../input/types.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { printedAfterBoot } from '../late-frees.js';
import { topologyOf } from '../../plan/topology.js';
import type { FactList } from '../fact-list.js';
import { lateOrderFacts } from './late-order-facts.js';

/** Why the boot's own line is not there. */
export const AFTER_BOOT = 'printed again after memory was added';

/** Why a node's line is not compared. */
const UNNAMED_NODE = 'no other line names this node';

/** Zonelist facts. */
export function zonelistFacts(plan: LayoutPlan, facts: FactList, input?: LoadedMachine): void {
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
  const orders = nodeOrders(topology, plan.kernel.buddy);
  for (const line of printed.fallbackOrders) {
    if (printedAfterBoot(plan, line.line)) continue;
    const order = orders.get(line.nid);
    if (order === undefined) {
      facts.open('fallback order', `node ${line.nid}`, line.order.join(' '), UNNAMED_NODE);
      continue;
    }
    const local = !order.includes(line.nid) && plan.kernel.printed.ownNodeFirst;
    const ours = (local ? [line.nid, ...order] : order).join(' ');
    facts.compare('fallback order', `node ${line.nid}`, line.order.join(' '), ours);
  }
  lateOrderFacts(plan, topology, facts, input);
  const zones = plan.layout.nodes.flatMap((node) =>
    node.zones.map((zone) => ({ ...zone, managedPages: zone.presentPages })),
  );
  const lists = zoneLists(topology, zones, plan.kernel.buddy);
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
 * A list for each online node: those with memory, and in newer kernels those with processors only. Nodes that
 * are merely possible are announced as memoryless too, so processors must be known to tell them apart.
 */
function countFacts(plan: LayoutPlan, facts: FactList): void {
  const line = plan.description.printed.zonelists;
  if (line === undefined) return;
  if (printedAfterBoot(plan, line.line)) {
    facts.open('zonelists', 'machine', line.count, AFTER_BOOT);
    return;
  }
  const withMemory = plan.layout.nodes
    .filter((node) => node.presentPages > 0)
    .map((node) => node.nid);
  const memoryless = plan.layout.nodes.length - withMemory.length;
  const { numa, proc } = plan.description;
  // The SRAT says it best; sysfs says it of the machine as it is later.
  const listed = (proc.nodes ?? []).filter((node) => node.cpus.length > 0);
  const cpuNodes = (numa.cpus.length > 0 ? numa.cpus : listed).map(({ nid }) => nid);
  if (memoryless > 0 && cpuNodes.length === 0) {
    facts.open(
      'zonelists',
      'machine',
      line.count,
      'which memoryless nodes have processors is not in the log',
    );
    return;
  }
  const { rejected, cpus } = plan.description.numa;
  const nids = plan.layout.nodes.map(({ nid }) => nid);
  // Every node that is online gets a line of its set-up, also one without memory.
  const isSaid = cpus.length > 0 || plan.description.printed.nodeSetups.length > 0;
  if (memoryless === 0 && !isSaid && nids.some((nid, index) => nid !== index)) {
    facts.open(
      'zonelists',
      'machine',
      line.count,
      'nodes are left out in the log, and nothing tells whether they are online',
    );
    return;
  }
  const both = plan.kernel.printed.zonelistNodes === 'memory-or-cpus';
  const withCpus = rejected === undefined && both ? cpuNodes : [];
  facts.compare('zonelists', 'machine', line.count, new Set([...withMemory, ...withCpus]).size);
}

/** The highest zone below Movable that has memory on some node. */
function policyFacts(plan: LayoutPlan, facts: FactList): void {
  const line = plan.description.printed.policyZone;
  if (line === undefined) return;
  if (printedAfterBoot(plan, line.line)) {
    facts.open('policy zone', 'machine', line.zone, AFTER_BOOT);
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
