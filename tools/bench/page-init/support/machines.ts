/** Machines to bring up: the usual map of a large x86-64 box, by size and number of nodes. */
import { type InitPlan, planInit, type ZonePfnRange } from '@bootmem/page-init';
import type { MemoryPfnRange } from '@bootmem/memmap';

const GIB = 2 ** 18;
const DMA_END = 4096;
const LOW_END = 3 * GIB;
const HIGH_START = 4 * GIB;

/** Plan of a machine: low memory below 3 GiB, the rest above 4 GiB, nodes of equal size. */
export function planMachine(gib: number, nodes: number): InitPlan {
  const pages = gib * GIB;
  const low = Math.min(pages, LOW_END);
  const memory: MemoryPfnRange[] = [
    { startPfn: 1, endPfn: 0x9f, nid: 0 },
    { startPfn: 0x100, endPfn: low, nid: 0 },
  ];
  const zones: ZonePfnRange[] = [
    { nid: 0, zoneIndex: 0, startPfn: 1, endPfn: DMA_END },
    { nid: 0, zoneIndex: 1, startPfn: DMA_END, endPfn: pages > low ? HIGH_START : low },
  ];
  let at = HIGH_START;
  for (let nid = 0; nid < nodes && pages > low; nid++) {
    const share = Math.floor(pages / nodes) - (nid === 0 ? low : 0);
    if (share <= 0) continue;
    memory.push({ startPfn: at, endPfn: at + share, nid });
    zones.push({ nid, zoneIndex: 2, startPfn: at, endPfn: at + share });
    at += share;
  }
  const reserved = [
    { startPfn: 0x1000, endPfn: 0x3c00 },
    { startPfn: low - 0x800, endPfn: low - 0x700 },
  ];
  return planInit({ memory, reserved, zones });
}
