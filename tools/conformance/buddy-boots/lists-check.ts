/**
 * The hand-over: page descriptors as they stand at P4, the free ranges of P4 freed through the allocator
 * in the kernel's order, and then every free list of P5 block by block in list order, the managed and
 * free pages of every zone, and the type of every pageblock.
 */
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { unavailableHoles, type ZoneSpan } from '@bootmem/buddy-allocator/zones';
import { Memmap, Migratetype } from '@bootmem/memmap';
import { expandPageblocks, listPfns, type NodeSnapshot } from '@bootmem-tools/oracle';
import { freeRangesOf, type Machine } from './machine.js';
import type { Checks } from './checks.js';

const ORDERS = 11;
/** Names and letters of the types that recorded kernels have, by our number. */
const TYPES: readonly { name: string; letter: string; type: number }[] = [
  { name: 'Unmovable', letter: 'U', type: Migratetype.UNMOVABLE },
  { name: 'Movable', letter: 'M', type: Migratetype.MOVABLE },
  { name: 'Reclaimable', letter: 'R', type: Migratetype.RECLAIMABLE },
  { name: 'HighAtomic', letter: 'H', type: Migratetype.HIGHATOMIC },
  { name: 'Isolate', letter: 'I', type: Migratetype.ISOLATE },
];

interface Piece {
  readonly startPfn: number;
  readonly endPfn: number;
  readonly zone: ZoneSpan;
}

/** Parts of ranges by zone, up to the first pfn that is left to deferred initialisation. */
function* earlyPieces(
  machine: Machine,
  nodes: readonly NodeSnapshot[],
  ranges: readonly { startPfn: number; endPfn: number; nid: number }[],
): Generator<Piece, void, undefined> {
  for (const range of ranges) {
    const limit = nodes.find((node) => node.nid === range.nid)!.firstDeferredPfn ?? Infinity;
    const own = machine.layout.nodes.find((node) => node.nid === range.nid)!;
    for (const zone of own.zones) {
      const startPfn = Math.max(range.startPfn, zone.startPfn);
      const endPfn = Math.min(range.endPfn, zone.endPfn, limit);
      if (startPfn < endPfn) yield { startPfn, endPfn, zone };
    }
  }
}

/** A memmap and an allocator as they stand when memblock hands over. */
function prepare(machine: Machine, nodes: readonly NodeSnapshot[]): PageAllocator {
  const { memory, layout } = machine;
  const memmap = Memmap.create({ ranges: memory });
  const zones = layout.nodes.flatMap((node) => node.zones.filter((zone) => zone.presentPages > 0));
  const allocator = PageAllocator.create(memmap, zones, { profile: machine.profile });
  const zoneId = ({ nid, zone }: { nid: number; zone: ZoneSpan['zone'] }): number =>
    allocator.zone(nid, zone)!.core.zoneId;
  for (const { startPfn, endPfn, zone } of earlyPieces(machine, nodes, memory)) {
    memmap.initRange(startPfn, endPfn, zoneId(zone));
    // Only a pageblock whose first page is memory gets its type; all others stay Unmovable.
    memmap.pageblocks.setRange(startPfn, endPfn, Migratetype.MOVABLE);
  }
  for (const hole of unavailableHoles(layout, memory)) {
    for (const range of hole.ranges) {
      memmap.initReservedRange(range.startPfn, range.endPfn, zoneId(range));
    }
  }
  return allocator;
}

function checkLists(machine: Machine, allocator: PageAllocator, checks: Checks): void {
  const recorded = machine.boot.freeLists('P5').lists;
  for (const { nid, zone, core } of allocator.zones) {
    const lists = recorded.filter((list) => list.nid === nid && list.zone === zone);
    for (let order = 0; order < ORDERS; order += 1) {
      for (const { name, type } of TYPES) {
        const own: number[] = [];
        for (let at = core.area.first(order, type); at >= 0; at = core.area.next(at, order)) {
          own.push(allocator.memmap.pfnOf(at));
        }
        const list = lists.find((l) => l.order === order && l.migratetype === name);
        const expected = list === undefined ? [] : [...listPfns(list)];
        const what = `node ${nid} zone ${zone} order ${order} ${name}`;
        checks.equal(what, own, expected);
      }
    }
  }
}

function checkPageblocks({ boot }: Machine, allocator: PageAllocator, checks: Checks): void {
  const { memmap } = allocator;
  const sectionPages = 2 ** memmap.geometry.sectionOrder;
  const blockPages = 2 ** memmap.geometry.pageblockOrder;
  for (const section of boot.sections('P5')) {
    const expected = expandPageblocks(section).join('');
    const start = section.number * sectionPages;
    const own = Array.from(
      { length: expected.length },
      (_, block) =>
        TYPES.find(
          ({ type }) => type === memmap.pageblocks.migratetype(start + block * blockPages),
        )!.letter,
    );
    checks.equal(`section ${section.number} pageblocks`, own.join(''), expected);
  }
}

/** P4 handed over gives P5. */
export function checkHandOver(machine: Machine, checks: Checks): void {
  const before = machine.boot.zones('P4').nodes;
  const allocator = prepare(machine, before);
  const free = freeRangesOf(machine.boot.memblock('P4'));
  for (const { startPfn, endPfn } of earlyPieces(machine, before, free)) {
    allocator.freeBlocks(startPfn, endPfn);
  }
  const after = machine.boot.zones('P5');
  // The kernel counts deferred pages here too, although they are not on any list yet.
  const pages = free.reduce((sum, range) => sum + range.endPfn - range.startPfn, 0);
  checks.equal('free pages of memory', pages, after.totalramPages);
  for (const zone of after.nodes.flatMap((node) => node.zones)) {
    const core = allocator.zone(zone.nid, zone.name as ZoneSpan['zone'])?.core;
    checks.equal(
      `node ${zone.nid} zone ${zone.name} managed and free`,
      [core?.managedPages ?? 0, core?.freePages ?? 0],
      [zone.managed, zone.freePages],
    );
  }
  checkLists(machine, allocator, checks);
  checkPageblocks(machine, allocator, checks);
  allocator.close();
}
