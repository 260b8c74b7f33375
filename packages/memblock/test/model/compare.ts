/** Ours against the map of cells: lists, totals and free ranges. */
import type { Memblock, MemRegion } from '@bootmem/memblock';
import type { CellMap, CellRegion } from './cell-map.js';

/** Address of a cell. The map begins a little above 0, so that page 0 can be told apart. */
export interface Scale {
  readonly origin: number;
  readonly cell: number;
}

function show(region: CellRegion | undefined, scale: Scale): string {
  if (region === undefined) return 'none';
  const from = scale.origin + region.from * scale.cell;
  const to = scale.origin + region.to * scale.cell;
  return `${from}-${to} flags ${region.flags} nid ${region.nid}`;
}

function showOurs(region: MemRegion | undefined): string {
  if (region === undefined) return 'none';
  return `${region.base}-${region.base + region.size} flags ${region.flags} nid ${region.nid}`;
}

/** The first difference, or undefined. */
export function firstDifference(
  memblock: Memblock,
  map: CellMap,
  scale: Scale,
): string | undefined {
  for (const type of ['memory', 'reserved'] as const) {
    const want = map.regions(map[type]);
    const got = memblock.regions(type);
    for (let k = 0; k < Math.max(want.length, got.length); k++) {
      const left = show(want[k], scale);
      const right = showOurs(got[k]);
      if (left !== right) return `${type}[${k}]: expected ${left}, got ${right}`;
    }
  }
  const bytes = (cells: Int32Array): number =>
    cells.reduce((sum, value) => sum + (value === 0 ? 0 : scale.cell), 0);
  if (bytes(map.memory) !== memblock.physMemSize) return 'the total of memory differs';
  if (bytes(map.reserved) !== memblock.reservedSize) return 'the total of reserved differs';
  return undefined;
}
