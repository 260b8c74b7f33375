/**
 * State at the end of the hand-over (P5): which page was initialised by whom, node, zone, reserved flag and
 * count, page by page; free blocks; pageblock types; section flags; managed pages; log lines.
 */
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, PageState, SectionFlag } from '@bootmem/memmap';
import { initEarly, releaseEarly } from '@bootmem/page-init';
import { SubsectionMap } from '@bootmem/page-init/device';
import {
  type BootRecord,
  expandPageblocks,
  listPfns,
  readConstants,
  SECTION_FLAGS,
  type StructPageRun,
} from '@bootmem-tools/oracle';
import { dirname } from 'node:path';
import type { Checks } from './checks.js';
import { KERNEL_ZONE, type Machine } from './machine.js';

const LETTERS = 'UMRHCI';

/** A map with an allocator on it, everything early done. */
export function bringUpEarly(machine: Machine, maxPfn?: number): PageAllocator {
  const { plan } = machine;
  const memmap = Memmap.create({
    ranges: plan.sections,
    storage: 'shared',
    ...(maxPfn === undefined ? {} : { maxPfn }),
  });
  const allocator = PageAllocator.create(memmap, machine.zones);
  initEarly(plan, memmap, { verify: true });
  releaseEarly(plan, allocator);
  return allocator;
}

/** All checks at P4 and P5. */
export function checkEarly(machine: Machine, checks: Checks): void {
  const { boot, plan } = machine;
  for (const node of boot.zones('P4').nodes) {
    const own = plan.nodes.find((candidate) => candidate.nid === node.nid);
    checks.equal(
      `node ${node.nid} first_deferred_pfn`,
      own?.firstDeferredPfn,
      node.firstDeferredPfn,
    );
  }
  const allocator = bringUpEarly(machine);
  checkLines(machine, checks);
  checkManaged(machine, allocator, checks);
  checkSections(machine, allocator.memmap, checks);
  checkFreeBlocks(machine, allocator, checks);
  if (boot.points('structpages').includes('P5')) checkPages(boot, 'P5', allocator.memmap, checks);
  allocator.close();
}

function checkLines({ boot, plan }: Machine, checks: Checks): void {
  const text = boot.has('console.txt') ? boot.text('console.txt') : boot.text('dmesg.txt');
  const once = text.split('@@BEGIN')[0]!;
  const printed = [
    ...once.matchAll(/On node (\d+), zone +(\w+): (\d+) pages in unavailable ranges/g),
  ];
  const own = initLines(plan).filter((line) => line.startsWith('On node'));
  checks.equal(
    'unavailable lines',
    own,
    printed.map((match) => match[0].replace(/zone +/, 'zone ')),
  );
  const nodes = [
    ...once.matchAll(/Initmem setup node \d+ (?:\[mem 0x[0-9a-f]+-0x[0-9a-f]+\]|as memoryless)/g),
  ];
  checks.equal(
    'node lines',
    initLines(plan).filter((line) => line.startsWith('Initmem')),
    nodes.map((match) => match[0]),
  );
}

/** The lines without a map: early initialisation of an empty one would be the same text. */
function initLines(plan: Machine['plan']): readonly string[] {
  const memmap = Memmap.create({ ranges: plan.sections, storage: 'shared' });
  return initEarly(plan, memmap).lines;
}

function checkManaged({ boot }: Machine, allocator: PageAllocator, checks: Checks): void {
  for (const zone of boot.zones('P5').nodes.flatMap((node) => node.zones)) {
    const own = allocator.zones.find((z) => z.nid === zone.nid && z.zone === zone.name);
    checks.equal(
      `node ${zone.nid} zone ${zone.name} managed at P5`,
      own?.core.managedPages ?? 0,
      zone.managed,
    );
  }
}

function checkSections({ boot, memory }: Machine, memmap: Memmap, checks: Checks): void {
  const subsections = new SubsectionMap(memmap, memory);
  for (const section of boot.sections('P5')) {
    checkSection(section, memmap, subsections, checks, true);
  }
}

/** Flags, subsections and (when exact) pageblock types of one section. */
export function checkSection(
  section: ReturnType<BootRecord['sections']>[number],
  memmap: Memmap,
  subsections: SubsectionMap,
  checks: Checks,
  exact: boolean,
  only?: (pfn: number) => boolean,
): void {
  const { number } = section;
  const flags = memmap.sectionFlags(number);
  const early = (flags & SectionFlag.EARLY) !== 0;
  const own =
    ((flags & SectionFlag.PRESENT) !== 0 ? SECTION_FLAGS.PRESENT | SECTION_FLAGS.HAS_MEM_MAP : 0) |
    (early || (flags & SectionFlag.ONLINE) !== 0 ? SECTION_FLAGS.ONLINE : 0) |
    (early ? SECTION_FLAGS.EARLY : 0) |
    ((flags & SectionFlag.DEVICE) !== 0 ? SECTION_FLAGS.TAINT_ZONE_DEVICE : 0);
  checks.equal(`section ${number} flags`, own, section.flags);
  checks.equal(
    `section ${number} subsections`,
    subsections.bits(number).toString(16),
    section.subsections.toString(16),
  );
  const size = 2 ** memmap.geometry.pageblockOrder;
  expandPageblocks(section).forEach((letter, block) => {
    const mine =
      LETTERS[memmap.pageblocks.migratetype(number * memmap.pagesPerSection + block * size)];
    if (only?.(number * memmap.pagesPerSection + block * size) === false) return;
    // Later the running system makes movable blocks unmovable or reclaimable, never the other way.
    const holds = exact ? mine === letter : mine === 'M' || letter === mine;
    checks.ok(holds, () => `section ${number} pageblock ${block}: ${mine} instead of ${letter}`);
  });
}

function checkFreeBlocks({ boot }: Machine, allocator: PageAllocator, checks: Checks): void {
  const { memmap } = allocator;
  const recorded = new Map<number, number>();
  for (const list of boot.freeLists('P5').lists) {
    for (const pfn of listPfns(list)) recorded.set(pfn, list.order);
  }
  let found = 0;
  for (const [pfn, order] of recorded) {
    if (memmap.state(pfn) === (PageState.FREE | order)) found++;
    else checks.failures.push(`free block ${pfn} order ${order}: state ${memmap.state(pfn)}`);
  }
  checks.equal('free blocks at P5', found, recorded.size);
  const own = allocator.zones.reduce(
    (sum, { core }) => sum + core.freeBlocks().reduce((a, b) => a + b, 0),
    0,
  );
  checks.equal('number of free blocks at P5', own, recorded.size);
}

/** Compares descriptors with recorded struct pages, page by page. */
export function checkPages(
  boot: BootRecord,
  point: string,
  memmap: Memmap,
  checks: Checks,
  only?: (pfn: number) => boolean,
  descriptorOf: (pfn: number) => number = (pfn) => pfn,
): void {
  const constants = readConstants(dirname(boot.dir))[boot.meta().kernel]!;
  const reservedBit = 2 ** constants.pageflags['PG_reserved']!;
  for (const run of boot.structPages(point)) {
    let bad = 0;
    for (let pfn = run.start; pfn < run.start + run.count; pfn++) {
      if (only?.(pfn) === false) continue;
      const difference = pageDifference(memmap, descriptorOf(pfn), run, reservedBit);
      if (difference === undefined) checks.passed++;
      else if (bad++ === 0)
        checks.failures.push(`${point} page 0x${pfn.toString(16)}: ${difference}`);
    }
  }
}

function pageDifference(
  memmap: Memmap,
  pfn: number,
  run: StructPageRun,
  reservedBit: number,
): string | undefined {
  if (run.kind === 'unmapped') return memmap.isPresent(pfn) ? 'present here, not there' : undefined;
  if (!memmap.isPresent(pfn)) return 'not present';
  const state = memmap.state(pfn);
  if (run.kind !== 'page') return state === 0 ? undefined : `state ${state}, untouched there`;
  if (state === 0) return 'untouched';
  const zone = memmap.zones.info(memmap.zoneId(pfn))!;
  if (zone.nid !== run.nid) return `node ${zone.nid} instead of ${run.nid}`;
  if (KERNEL_ZONE[zone.zoneIndex] !== run.zone)
    return `zone ${zone.zoneIndex} instead of ${run.zone}`;
  const device =
    state === PageState.DEVICE ||
    state === PageState.DEVICE_IDLE ||
    state === PageState.DEVICE_TAIL;
  const reserved = state === PageState.RESERVED || device;
  if (reserved !== ((run.lowFlags & reservedBit) !== 0)) return `reserved is ${reserved}`;
  const count = memmap.refcount(pfn);
  return count === run.refcount ? undefined : `count ${count} instead of ${run.refcount}`;
}
