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

/** A memory module that was plugged in. */
interface Module {
  readonly nid: number;
  readonly startPfn: number;
  readonly endPfn: number;
}

/** The modules, one after the other from {@link START}: that is where the machine put them. */
function plugged(monitor: string): Module[] {
  const pages = new Map<string, number>();
  for (const [, id, count, unit] of monitor.matchAll(
    /object_add memory-backend-ram,id=(\w+),size=(\d+)([MG])/g,
  )) {
    pages.set(id!, (Number(count) * (unit === 'G' ? 2 ** 30 : 2 ** 20)) / PAGE);
  }
  const modules: Module[] = [];
  let startPfn = START;
  for (const [, options] of monitor.matchAll(/device_add pc-dimm,(\S+)/g)) {
    const count = pages.get(/memdev=(\w+)/.exec(options!)?.[1] ?? '');
    if (count === undefined) continue;
    const nid = Number(/node=(\d+)/.exec(options!)?.[1] ?? 0);
    modules.push({ nid, startPfn, endPfn: startPfn + count });
    startPfn += count;
  }
  return modules;
}

/** Adds what the run added, onlines what it onlined, compares after each step. */
export function checkHotplug(machine: Machine, checks: Checks): void {
  const { boot, profile } = machine;
  if (!boot.points('zones').includes('added') || !boot.has('monitor.txt')) return;
  const modules = plugged(boot.text('monitor.txt'));
  const end = modules.at(-1)?.endPfn ?? START;
  const allocator = bringUpEarly(machine, Math.max(end, START + 0x40000));
  const { memmap } = allocator;
  const { subsections } = new DeviceMemory({ memmap, memory: machine.memory });
  const asked = boot.meta().append.includes('memmap_on_memory=1');
  const hotplug = new MemoryHotplug({
    memmap,
    subsections,
    memmapOnMemory: asked ? profile.memmapOnMemory : 'off',
  });
  const refused = /Block size \[0x[0-9a-f]+\] unaligned hotplug range/.exec(
    boot.text('dmesg.txt'),
  )?.[0];
  if (refused !== undefined) {
    let message = '';
    try {
      hotplug.add(modules[0]!, modules[0]!.nid);
    } catch (error) {
      message = error instanceof PageInitError ? error.message : String(error);
    }
    checks.ok(message.startsWith(refused), () => `not refused as recorded: ${message}`);
    checks.ok(!memmap.isPresent(START), () => 'a refused range left sections behind');
    return;
  }
  for (const module of modules) {
    hotplug.add(module, module.nid);
    checks.ok(!firstTouched(memmap, module), () => 'adding touched a descriptor');
  }
  for (const step of ['added', 'onlined']) {
    if (!boot.points('zones').includes(step)) continue;
    const state = { boot, step, memmap, hotplug, subsections };
    for (const nid of new Set(modules.map((module) => module.nid))) {
      checkStep(
        state,
        modules.filter((module) => module.nid === nid),
        checks,
      );
    }
  }
  allocator.close();
}

function firstTouched(memmap: Memmap, span: { startPfn: number; endPfn: number }): boolean {
  return memmap.countInState(span.startPfn, span.endPfn, 0) !== span.endPfn - span.startPfn;
}

interface Step {
  readonly boot: BootRecord;
  readonly step: string;
  readonly memmap: Memmap;
  readonly hotplug: MemoryHotplug;
  readonly subsections: DeviceMemory['subsections'];
}

/** Onlines a node's modules as they were at a step, and compares what the node has there. */
function checkStep(
  { boot, step, memmap, hotplug, subsections }: Step,
  modules: readonly Module[],
  checks: Checks,
): void {
  const lines = boot.memoryBlocks(step).blocks;
  const sink: PageSink = { freeBlocks: (start, end) => end - start };
  const { nid } = modules[0]!;
  const onlineIn = new Set<number>();
  let handedOver = 0;
  for (const module of modules) {
    for (let start = module.startPfn; start < module.endPfn; start += hotplug.blockPages) {
      const line = lines.find((block) => block.index * hotplug.blockPages === start);
      checks.ok(line !== undefined, () => `${step}: block of ${start} is not in the list`);
      if (line?.state !== 'online') continue;
      const zone =
        ZONE_INDEX_BY_NAME[ZONE_NAMES.find((name) => name === line.validZones[0]) ?? 'Normal'];
      if (memmap.state(start + hotplug.blockPages - 1) === 0)
        handedOver += hotplug.online(start, zone, sink);
      onlineIn.add(start);
    }
  }
  const node = boot.zones(step).nodes.find((one) => one.nid === nid);
  const zones = (node?.zones ?? []).filter((zone) => zone.startPfn >= START);
  const present = zones.reduce((sum, zone) => sum + zone.present, 0);
  checks.equal(
    `${step}: present pages of node ${nid}`,
    onlineIn.size * hotplug.blockPages,
    present,
  );
  if (handedOver > 0) {
    checks.equal(
      `${step}: managed pages of node ${nid}`,
      handedOver,
      zones.reduce((sum, zone) => sum + zone.managed, 0),
    );
  }
  const moduleOf = (pfn: number): Module | undefined =>
    modules.find((module) => pfn >= module.startPfn && pfn < module.endPfn);
  for (const section of boot.sections(step)) {
    const start = section.number * memmap.pagesPerSection;
    if (moduleOf(start) !== undefined) {
      checkSection(section, memmap, subsections, checks, onlineIn.size === 0);
    }
  }
  if (!boot.points('structpages').includes(step)) return;
  // The system uses some of these pages already, so flags and counts move; node and zone do not.
  for (const run of boot.structPages(step)) {
    const zones = new Set<string>();
    for (let pfn = run.start; pfn < run.start + run.count; pfn++) {
      if (moduleOf(pfn) === undefined) continue;
      const zone = memmap.zones.info(memmap.zoneId(pfn));
      zones.add(zone === undefined ? 'untouched' : `${zone.nid}/${KERNEL_ZONE[zone.zoneIndex]!}`);
    }
    if (zones.size === 0) continue;
    const expected = run.kind === 'page' ? `${run.nid}/${run.zone}` : 'untouched';
    checks.equal(`${step}: pages from ${run.start}`, [...zones], [expected]);
  }
}
