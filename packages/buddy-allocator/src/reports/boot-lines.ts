/**
 * What a booting kernel prints about its zones, without time stamps.
 * Source: reference of the buddy allocator, sections 2, 7 and 10; recorded boots
 */
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { ZoneLayout } from '../layout/layout-types.js';
import type { UnavailableHole } from '../layout/unavailable.js';
import type { ZoneLists, ZoneRef } from '../layout/zonelist.js';

const PAGE_SHIFT = 12;

/** An address as `%#018Lx`. */
function address(pfn: number, minus = 0): string {
  const bytes = BigInt(pfn) * BigInt(2 ** PAGE_SHIFT) - BigInt(minus);
  return `0x${bytes.toString(16).padStart(16, '0')}`;
}

const span = (startPfn: number, endPfn: number): string =>
  `[mem ${address(startPfn)}-${address(endPfn, 1)}]`;

/** `Zone ranges:` and a line per zone. */
function zoneRangeLines(layout: ZoneLayout): string[] {
  const lines = layout.limits.flatMap(({ zone }, index) => {
    if (zone === 'Movable') return [];
    const [low, high] = [layout.lowestPfn[index]!, layout.highestPfn[index]!];
    return [`  ${zone.padEnd(8)} ${low === high ? 'empty' : span(low, high)}`];
  });
  return ['Zone ranges:', ...lines];
}

/** `Movable zone start for each node` and a line per node that has one. */
function movableStartLines(layout: ZoneLayout): string[] {
  const lines = [...layout.movableStart]
    .sort(([a], [b]) => a - b)
    .map(([nid, pfn]) => `  Node ${nid}: ${address(pfn)}`);
  return ['Movable zone start for each node', ...lines];
}

/** `Early memory node ranges` and a line per range. */
function memoryRangeLines(memory: readonly MemoryPfnRange[]): string[] {
  const lines = memory.map(
    ({ nid, startPfn, endPfn }) => `  node ${String(nid).padStart(3)}: ${span(startPfn, endPfn)}`,
  );
  return ['Early memory node ranges', ...lines];
}

/** `Initmem setup node …`, a line per node. */
function initmemLines(layout: ZoneLayout): string[] {
  return layout.nodes.map(({ nid, startPfn, endPfn }) =>
    endPfn > startPfn
      ? `Initmem setup node ${nid} ${span(startPfn, endPfn)}`
      : `Initmem setup node ${nid} as memoryless`,
  );
}

/** `On node …, zone …: … pages in unavailable ranges`, a line per hole. */
function unavailableLines(holes: readonly UnavailableHole[]): string[] {
  return holes.map(
    ({ nid, zone, pages }) => `On node ${nid}, zone ${zone}: ${pages} pages in unavailable ranges`,
  );
}

/** `Fallback order for Node …`; lines end with a space. */
function fallbackLines(orders: ReadonlyMap<number, readonly number[]>): string[] {
  return [...orders].map(
    ([nid, order]) => `Fallback order for Node ${nid}: ${order.map((node) => `${node} `).join('')}`,
  );
}

/** `mminit::zonelist …`, a line per list and populated zone; lines end with a space. */
function zonelistLines(lists: readonly ZoneLists[]): string[] {
  const entries = (refs: readonly ZoneRef[], highest: number): string =>
    refs
      .filter((ref) => ref.zoneIndex <= highest)
      .map((ref) => `${ref.nid}:${ref.zone} `)
      .join('');
  return lists.flatMap((list) => {
    const own = [...list.thisNode].sort((a, b) => a.zoneIndex - b.zoneIndex);
    const of = (name: string, refs: readonly ZoneRef[]): string[] =>
      own.map(
        ({ zone, zoneIndex }) =>
          `mminit::zonelist ${name} ${list.nid}:${zone} = ${entries(refs, zoneIndex)}`,
      );
    return [...of('general', list.fallback), ...of('thisnode', list.thisNode)];
  });
}

/** `Built … zonelists, …`. `totalPages`: pages above the high marks that any request may use. */
function builtZonelistsLine(nodes: number, grouping: boolean, totalPages: number): string {
  return `Built ${nodes} zonelists, mobility grouping ${grouping ? 'on' : 'off'}.  Total pages: ${totalPages}`;
}

/** Sizes of the `Memory:` line in KiB, in the order printed. */
interface MemoryLine {
  readonly available: number;
  readonly total: number;
  readonly kernelCode: number;
  readonly rwdata: number;
  readonly rodata: number;
  readonly init: number;
  readonly bss: number;
  readonly reserved: number;
  readonly cmaReserved: number;
}

/** `Memory: …K/…K available (…)`. */
function memoryLine(line: MemoryLine): string {
  const parts = [
    `${line.kernelCode}K kernel code`,
    `${line.rwdata}K rwdata`,
    `${line.rodata}K rodata`,
    `${line.init}K init`,
    `${line.bss}K bss`,
    `${line.reserved}K reserved`,
    `${line.cmaReserved}K cma-reserved`,
  ];
  return `Memory: ${line.available}K/${line.total}K available (${parts.join(', ')})`;
}

/** What a booting kernel prints about its zones, by message; each function gives its lines, `memory` and `builtZonelists` one. */
export const bootLines = {
  zoneRanges: zoneRangeLines,
  movableStart: movableStartLines,
  memoryRanges: memoryRangeLines,
  initmem: initmemLines,
  unavailable: unavailableLines,
  fallback: fallbackLines,
  zonelists: zonelistLines,
  builtZonelists: builtZonelistsLine,
  memory: memoryLine,
} as const;
