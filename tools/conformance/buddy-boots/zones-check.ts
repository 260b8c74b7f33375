/** Zones, boot lines, zonelists and managed pages before the hand-over, from memory alone. */
import {
  bootManagedPages,
  dmaReserve,
  groupsByMobility,
  nodeOrders,
  unavailableHoles,
  zoneLists,
} from '@bootmem/buddy-allocator/zones';
import { bootLines } from '@bootmem/buddy-allocator/reports';
import { freeRangesOf, type Machine } from './machine.js';
import type { Checks } from './checks.js';

/** The log lines that start with `title` or, indented, follow it. */
function block(lines: readonly string[], title: string): string[] {
  const start = lines.indexOf(title);
  if (start < 0) return [];
  const after = lines.slice(start + 1);
  const end = after.findIndex((line) => !line.startsWith('  '));
  return [title, ...after.slice(0, end < 0 ? after.length : end)];
}

function checkSpans({ boot, layout }: Machine, checks: Checks): void {
  const recorded = boot.zones('P4');
  checks.equal('lowest pfns', layout.lowestPfn, recorded.archZoneLowest);
  checks.equal('highest pfns', layout.highestPfn, recorded.archZoneHighest);
  checks.equal('movable starts', [...layout.movableStart], [...recorded.zoneMovablePfn!]);
  checks.equal(
    'nodes',
    layout.nodes.map((node) => node.nid),
    recorded.nodes.map((node) => node.nid),
  );
  for (const node of recorded.nodes) {
    const own = layout.nodes.find((candidate) => candidate.nid === node.nid)!;
    const what = `node ${node.nid}`;
    checks.equal(`${what} start`, own.startPfn, node.startPfn);
    checks.equal(`${what} present`, own.presentPages, node.present);
    checks.equal(`${what} spanned`, own.spannedPages, node.spanned);
    for (const zone of node.zones) {
      const ours = own.zones[zone.index]!;
      checks.equal(
        `${what} zone ${zone.name}`,
        [ours.zone, ours.startPfn, ours.spannedPages, ours.presentPages],
        [zone.name, zone.startPfn, zone.spanned, zone.present],
      );
    }
  }
}

function checkLines(machine: Machine, checks: Checks): void {
  const { boot, layout, memory } = machine;
  const lines = boot.dmesg();
  const matching = (pattern: RegExp): string[] => lines.filter((line) => pattern.test(line));
  const blocks = [
    bootLines.zoneRanges(layout),
    bootLines.movableStart(layout),
    bootLines.memoryRanges(memory),
  ];
  for (const own of blocks) checks.equal(own[0]!, own, block(lines, own[0]!));
  checks.equal('initmem lines', bootLines.initmem(layout), matching(/^Initmem setup node /));
  checks.equal(
    'unavailable ranges',
    bootLines.unavailable(unavailableHoles(layout, memory)),
    matching(/pages in unavailable ranges$/),
  );
  checkOrders(machine, checks);
}

/**
 * The fallback orders: once at boot, and again after each change of memory, then with the CPUs where they belong and
 * with the memory that was added. A node that comes up gets a list of its own before it has memory.
 */
function checkOrders({ boot, profile, topology, bootTopology }: Machine, checks: Checks): void {
  const groups: string[][] = [[]];
  for (const line of boot.dmesg()) {
    if (line.startsWith('Fallback order for Node ')) groups.at(-1)!.push(line.trimEnd());
    else if (line.startsWith('Built ')) groups.push([]);
  }
  const online = boot.has('memory_blocks_added.txt')
    ? boot.memoryBlocks('added').blocks.filter((block) => block.state === 'online')
    : [];
  const hasMemory = (nid: number): boolean =>
    topology.hasMemory(nid) || online.some((block) => block.nids.includes(nid));
  for (const [at, group] of groups
    .filter((one, index) => index === 0 || one.length > 0)
    .entries()) {
    const isWhole = at > 0 && group.length === topology.nids.length;
    const now = at === 0 ? bootTopology : isWhole ? { ...topology, hasMemory } : topology;
    const own = bootLines
      .fallback(nodeOrders(now, profile))
      .map((line) => line.trimEnd())
      .filter((line) => at === 0 || group.some((other) => nodeOf(other) === nodeOf(line)));
    // Some releases put a node without memory at the head of its own list, to no effect.
    const plain = (line: string): string =>
      now.hasMemory(nodeOf(line)) ? line : line.replace(`: ${nodeOf(line)} `, ': ');
    checks.equal('fallback order', own.map(plain), group.map(plain));
  }
}

function nodeOf(line: string): number {
  return Number(/Node (\d+):/.exec(line)![1]);
}

function checkManaged(
  { boot, layout, memory, profile, topology, bootTopology }: Machine,
  checks: Checks,
): void {
  const recorded = boot.zones('P4');
  const reserve = dmaReserve(memory, freeRangesOf(boot.memblock('P3')));
  if (recorded.dmaReserve !== undefined) {
    checks.equal('dma_reserve', reserve, recorded.dmaReserve);
  }
  const zones = layout.nodes.flatMap((node) =>
    node.zones.map((zone) => ({
      ...zone,
      managedPages: bootManagedPages(zone, profile, reserve),
    })),
  );
  checks.equal(
    'managed before the hand-over',
    zones.map((zone) => zone.managedPages),
    recorded.nodes.flatMap((node) => node.zones.map((zone) => zone.managed)),
  );
  const lines = boot.dmesg();
  const lists = lines.filter((line) => line.startsWith('mminit::zonelist '));
  // Kernels without DEBUG_MEMORY_INIT do not print them.
  if (lists.length > 0)
    checks.equal('zonelists', bootLines.zonelists(zoneLists(bootTopology, zones, profile)), lists);
  const count = topology.nids.filter(
    (nid) => topology.hasMemory(nid) || topology.hasCpus(nid),
  ).length;
  const total = zones.reduce((sum, zone) => sum + zone.managedPages, 0);
  checks.equal(
    'built zonelists',
    bootLines.builtZonelists(count, groupsByMobility(total), total),
    lines.find((line) => line.startsWith('Built ')),
  );
}

/** Everything that follows from memory and node ranges. */
export function checkZones(machine: Machine, checks: Checks): void {
  checkSpans(machine, checks);
  checkLines(machine, checks);
  checkManaged(machine, checks);
}
