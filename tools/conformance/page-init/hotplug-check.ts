/**
 * Memory added at run time: sections after adding and after onlining, descriptors untouched until then,
 * present and managed pages, the block's own memmap where that was asked for, refused ranges.
 */
import { Memmap, ZONE_INDEX_BY_NAME, ZONE_NAMES } from '@bootmem/memmap';
import { PageInitError, type PageSink } from '@bootmem/page-init';
import { DeviceMemory, MemoryHotplug } from '@bootmem/page-init/device';
import type { BootRecord } from '@bootmem-tools/oracle';
import type { Checks } from './checks.js';
import { bringUpEarly, checkSection } from './early-check.js';
import { KERNEL_ZONE, type Machine } from './machine.js';

const START = 0x100000;
const PAGE = 4096;

/** Pages of the memory module that was plugged in. */
function moduleBytes(boot: BootRecord): number {
  const match = /object_add memory-backend-ram,id=\w+,size=(\d+)([MG])/.exec(
    boot.text('monitor.txt'),
  )!;
  return Number(match[1]) * (match[2] === 'G' ? 2 ** 30 : 2 ** 20);
}

/** Adds what the run added, onlines what it onlined, compares after each step. */
export function checkHotplug(machine: Machine, checks: Checks): void {
  const { boot, profile } = machine;
  if (!boot.points('zones').includes('added') || !boot.has('monitor.txt')) return;
  const pages = moduleBytes(boot) / PAGE;
  const allocator = bringUpEarly(machine, START + Math.max(pages, 0x40000));
  const { memmap } = allocator;
  const { subsections } = new DeviceMemory({ memmap, memory: machine.memory });
  const asked = boot.meta().append.includes('memmap_on_memory=1');
  const hotplug = new MemoryHotplug({
    memmap,
    subsections,
    memmapOnMemory: asked ? profile.memmapOnMemory : 'off',
  });
  const span = { startPfn: START, endPfn: START + pages };
  const refused = /Block size \[0x[0-9a-f]+\] unaligned hotplug range/.exec(
    boot.text('dmesg.txt'),
  )?.[0];
  if (refused !== undefined) {
    let message = '';
    try {
      hotplug.add(span, 0);
    } catch (error) {
      message = error instanceof PageInitError ? error.message : String(error);
    }
    checks.ok(message.startsWith(refused), () => `not refused as recorded: ${message}`);
    checks.ok(!memmap.isPresent(START), () => 'a refused range left sections behind');
    return;
  }
  hotplug.add(span, 0);
  checks.ok(!firstTouched(memmap, span), () => 'adding touched a descriptor');
  checkStep(boot, 'added', memmap, hotplug, subsections, span, checks);
  if (boot.points('zones').includes('onlined')) {
    checkStep(boot, 'onlined', memmap, hotplug, subsections, span, checks);
  }
  allocator.close();
}

function firstTouched(memmap: Memmap, span: { startPfn: number; endPfn: number }): boolean {
  return memmap.countInState(span.startPfn, span.endPfn, 0) !== span.endPfn - span.startPfn;
}

function checkStep(
  boot: BootRecord,
  step: string,
  memmap: Memmap,
  hotplug: MemoryHotplug,
  subsections: DeviceMemory['subsections'],
  span: { startPfn: number; endPfn: number },
  checks: Checks,
): void {
  const lines = boot.memoryBlocks(step === 'added' ? 'added' : step).blocks;
  let handedOver = 0;
  let onlined = 0;
  const sink: PageSink = { freeBlocks: (start, end) => end - start };
  for (let start = span.startPfn; start < span.endPfn; start += hotplug.blockPages) {
    const line = lines.find((block) => block.index * hotplug.blockPages === start);
    checks.ok(line !== undefined, () => `${step}: block of ${start} is not in the list`);
    if (line?.state !== 'online') continue;
    const zone =
      ZONE_INDEX_BY_NAME[ZONE_NAMES.find((name) => name === line.validZones[0]) ?? 'Normal'];
    if (memmap.state(start + hotplug.blockPages - 1) === 0)
      handedOver += hotplug.online(start, zone, sink);
    onlined += hotplug.blockPages;
  }
  const zones = boot.zones(step).nodes[0]!.zones.filter((zone) => zone.startPfn >= START);
  const present = zones.reduce((sum, zone) => sum + zone.present, 0);
  checks.equal(`${step}: present pages`, onlined, present);
  if (handedOver > 0) {
    checks.equal(
      `${step}: managed pages`,
      handedOver,
      zones.reduce((sum, zone) => sum + zone.managed, 0),
    );
  }
  for (const section of boot.sections(step)) {
    const start = section.number * memmap.pagesPerSection;
    if (start >= span.startPfn && start < span.endPfn) {
      checkSection(section, memmap, subsections, checks, onlined === 0);
    }
  }
  if (!boot.points('structpages').includes(step)) return;
  // The system uses some of these pages already, so flags and counts move; node and zone do not.
  for (const run of boot.structPages(step)) {
    const zones = new Set<string>();
    for (let pfn = run.start; pfn < run.start + run.count; pfn++) {
      if (pfn < span.startPfn || pfn >= span.endPfn) continue;
      const zone = memmap.zones.info(memmap.zoneId(pfn));
      zones.add(zone === undefined ? 'untouched' : `${zone.nid}/${KERNEL_ZONE[zone.zoneIndex]!}`);
    }
    if (zones.size === 0) continue;
    const expected = run.kind === 'page' ? `${run.nid}/${run.zone}` : 'untouched';
    checks.equal(`${step}: pages from ${run.start}`, [...zones], [expected]);
  }
}
