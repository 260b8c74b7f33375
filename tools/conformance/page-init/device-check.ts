/**
 * ZONE_DEVICE: the mapping of each recorded persistent-memory run, made on the booted map; the device's
 * pages one by one, its sections, and the span of the device zone.
 */
import { PageState } from '@bootmem/memmap';
import { type DeviceMapping, DeviceMemory, type PagemapRequest } from '@bootmem/page-init/device';
import type { BootRecord } from '@bootmem-tools/oracle';
import type { Checks } from './checks.js';
import { bringUpEarly, checkPages, checkSection } from './early-check.js';
import type { Machine } from './machine.js';

const PAGE = 4096;
/** The driver's information block at the front of a device that carries its memmap. */
const INFO_BLOCK_PAGES = 2;

interface Recorded {
  readonly point: string;
  readonly requests: readonly PagemapRequest[];
}

/** What the tool says that it made; `undefined` for an error text. */
function createdNamespace(boot: BootRecord): { map: string; align: number } | undefined {
  try {
    return JSON.parse(boot.text('ndctl_create.txt')) as { map: string; align: number };
  } catch {
    return undefined;
  }
}

/** What was mapped in a run, from the resource list and the driver's own report. */
function recordedDevices(boot: BootRecord): Recorded | undefined {
  const point = boot
    .points('zones')
    .find((name) => ['raw', 'fsdaxdev', 'devdaxmem'].includes(name));
  if (point === undefined) return undefined;
  const iomem = boot.has('iomem_after.txt') ? boot.text('iomem_after.txt') : boot.text('iomem.txt');
  const devices = [...iomem.matchAll(/^([0-9a-f]+)-([0-9a-f]+) : Persistent Memory/gm)].map(
    (match) => ({
      startPfn: parseInt(match[1]!, 16) / PAGE,
      endPfn: (parseInt(match[2]!, 16) + 1) / PAGE,
    }),
  );
  const created = point === 'raw' ? undefined : createdNamespace(boot);
  // The tool may have failed, with its error where the namespace should be: then nothing was mapped.
  if (point !== 'raw' && created === undefined) return undefined;
  const requests = devices.map((range, i): PagemapRequest => {
    const name = `pmem${i}`;
    if (created === undefined) return { name, type: 'fs-dax', ranges: [range], nid: 0 };
    if (created.map === 'mem') {
      const vmemmapShift = Math.log2(created.align / PAGE);
      return { name, type: 'generic', ranges: [range], nid: 0, vmemmapShift };
    }
    const data = /== \S+\/pfn0\.0 [\s\S]*?resource=0x([0-9a-f]+)/.exec(boot.text('nd_after.txt'))!;
    const offset = parseInt(data[1]!, 16) / PAGE - range.startPfn;
    const altmap = { reserve: INFO_BLOCK_PAGES, free: offset - INFO_BLOCK_PAGES };
    return { name, type: 'fs-dax', ranges: [range], nid: 0, altmap };
  });
  return { point, requests };
}

/** Maps the recorded devices and compares; then releases them and looks for traces. */
export async function checkDevices(machine: Machine, checks: Checks): Promise<void> {
  const { boot } = machine;
  const recorded = recordedDevices(boot);
  if (recorded === undefined) return;
  const { point, requests } = recorded;
  const maxPfn = Math.max(...requests.flatMap((request) => request.ranges.map((r) => r.endPfn)));
  const allocator = bringUpEarly(machine, maxPfn);
  const { memmap } = allocator;
  const managed = allocator.zones.map(({ core }) => core.managedPages);
  const devices = new DeviceMemory({ memmap, memory: machine.memory, profile: machine.profile });
  const mappings: DeviceMapping[] = [];
  for (const request of requests) mappings.push(devices.memremapPages(request));
  const spans = requests.flatMap((request) => request.ranges);
  const inside = (pfn: number): boolean => spans.some((s) => s.startPfn <= pfn && pfn < s.endPfn);
  const mappingOf = (pfn: number): DeviceMapping | undefined =>
    mappings.find(({ ranges }) => ranges.some((r) => r.startPfn <= pfn && pfn < r.endPfn));
  checkPages(boot, point, memmap, checks, inside, (pfn) => mappingOf(pfn)!.descriptorPfn(pfn));
  const sections = new Map(boot.sections(point).map((section) => [section.number, section]));
  for (const { startPfn, endPfn } of spans) {
    for (let pfn = startPfn; pfn < endPfn; pfn += memmap.pagesPerSection) {
      const section = sections.get(memmap.sectionOf(pfn));
      checks.ok(section !== undefined, () => `section of ${pfn} was not recorded`);
      if (section === undefined) continue;
      checkSection(section, memmap, devices.subsections, checks, true, inside);
    }
  }
  const zone = boot.zones(point).nodes[0]!.zones.find((z) => z.name === 'Device')!;
  const span = devices.zoneSpan(0);
  checks.equal('device zone start', span?.startPfn, zone.startPfn);
  checks.equal('device zone spanned', (span?.endPfn ?? 0) - (span?.startPfn ?? 0), zone.spanned);
  for (const mapping of mappings) {
    const [range] = mapping.ranges;
    const altmap = range?.altmap;
    // The driver sized the storage exactly: all of it is used or lost to alignment.
    if (altmap !== undefined) checks.equal('altmap used', altmap.alloc + altmap.align, altmap.free);
    const head = memmap.countInState(range!.firstPfn, range!.endPfn, PageState.DEVICE);
    checks.equal('references', mapping.references.count, head);
  }
  checks.equal(
    'managed pages are unchanged',
    allocator.zones.map(({ core }) => core.managedPages),
    managed,
  );
  for (const mapping of mappings) await devices.release(mapping);
  checks.equal('ranges in the index after release', devices.mappedRanges, 0);
  for (const { startPfn, endPfn } of spans) {
    for (let pfn = startPfn; pfn < endPfn; pfn += 512) {
      const gone = !memmap.isPresent(pfn) || memmap.state(pfn) === PageState.RESERVED;
      checks.ok(gone, () => `page ${pfn} is still a device page after release`);
    }
  }
  allocator.close();
}
