// Use 2: the memory of an emulated machine, with the holes a PC has. The map says where memory is, the
// zones who may use it, the allocator which pages are free. Run: node examples/guest-memory.mjs
import { Memblock } from '@bootmem/memblock';
import { Memmap, Migratetype } from '@bootmem/memmap';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { buddyinfoOf, formatBuddyinfo, bootLines } from '@bootmem/buddy-allocator/reports';
import { pfnRangesOf, x86ZoneLimits, zoneLayout } from '@bootmem/buddy-allocator/zones';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

// Where memory is, and what is taken before the guest starts.
const map = new Memblock();
map.add(0, 640 * 1024, { nid: 0 });
map.add(MiB, 3 * GiB - MiB, { nid: 0 });
map.add(4 * GiB, GiB, { nid: 0 });
map.reserve(0, 4096); // the first page is never given away
map.reserve(MiB, 12 * MiB); // kernel
const initrd = map.allocRange(6 * MiB, { align: 4096, start: 0, end: 3 * GiB });

// Zones follow from the map.
const memory = pfnRangesOf(map.regions('memory'));
const layout = zoneLayout({ memory, limits: x86ZoneLimits(memory.at(-1).endPfn) });
console.log(bootLines.zoneRanges(layout).join('\n'));

// Page descriptors, then every free range to the allocator.
const memmap = Memmap.create({ ranges: memory });
const zones = layout.nodes.flatMap((node) => node.zones.filter((zone) => zone.presentPages > 0));
const guest = PageAllocator.create(memmap, zones);
for (const range of memory) {
  for (const zone of zones) {
    const start = Math.max(range.startPfn, zone.startPfn);
    const end = Math.min(range.endPfn, zone.endPfn);
    if (start >= end) continue;
    memmap.initRange(start, end, guest.zone(zone.nid, zone.zone).core.zoneId);
    memmap.pageblocks.setRange(start, end, Migratetype.MOVABLE);
  }
}
for (const { start, end } of map.freeRanges()) {
  const first = Math.ceil(start / 4096);
  const last = Math.floor(end / 4096);
  for (const zone of zones) {
    const from = Math.max(first, zone.startPfn);
    const to = Math.min(last, zone.endPfn);
    if (from < to) guest.freeBlocks(from, to);
  }
}
guest.setupMarks();

// A device that reaches 16 MiB, and one that reaches 4 GiB; everything else comes from above.
const dma = guest.allocPages(4, { zone: 'DMA' });
const ring = guest.allocPages(0, { zone: 'DMA32' });
const page = guest.allocPages(0);
console.log(`initrd at ${(initrd / MiB).toFixed(0)} MiB`);
console.log(
  `below 16 MiB: ${dma < 0x1000}, below 4 GiB: ${ring < 0x100000}, above: ${page >= 0x100000}`,
);
process.stdout.write(formatBuddyinfo(buddyinfoOf(guest)));
guest.close();
