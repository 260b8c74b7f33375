import { Memmap, ZoneIndex, type MemmapHandle, type PageDescription } from '@bootmem/memmap';

const map: Memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 32768 }] });
const zoneId: number = map.defineZone(0, ZoneIndex.NORMAL);
map.initRange(0, 32768, zoneId);
const handle: MemmapHandle = map.toHandle();
const page: PageDescription = Memmap.attach(handle).describe(5);
if (page.kind !== 'boot' || page.nid !== 0) throw new Error(`unexpected page: ${page.kind}`);
