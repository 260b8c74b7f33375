/** Small machines for tests: one or more zones handed over, and the checks that end every case. */
import { expect } from '@jest/globals';
import { Memmap, ZoneIndex } from '@bootmem/memmap';

import { type BuddyZone, PageAllocator, type PageAllocatorOptions } from '../../dist/machine.js';

/** Code of the error that `body` throws, `none` when it does not. */
export function codeOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'none';
}

/** One Normal zone `[start, end)` of node 0, movable, and free up to `boot`, default all of it. */
export function oneZone(
  options: PageAllocatorOptions & { start?: number; end?: number; boot?: number } = {},
): {
  allocator: PageAllocator;
  zone: BuddyZone;
  memmap: Memmap;
} {
  const { start = 0, end = 8192, boot = end, ...rest } = options;
  const memmap = Memmap.create({ ranges: [{ startPfn: start, endPfn: end }] });
  const spec = {
    nid: 0,
    zone: 'Normal',
    startPfn: start,
    endPfn: end,
    presentPages: end - start,
  } as const;
  const allocator = PageAllocator.create(memmap, [spec], { threads: 4, caches: false, ...rest });
  memmap.initRange(start, end, memmap.zones.idOf(0, ZoneIndex.NORMAL)!);
  memmap.pageblocks.setRange(start - (start % 512), end, 1);
  allocator.freeBlocks(start, boot);
  return { allocator, zone: allocator.zones[0]!.core, memmap };
}

/** All invariants hold. */
export function expectSound(allocator: PageAllocator): void {
  expect(allocator.verify()).toEqual([]);
}

/** Pfns of a free list in list order. */
export function listOf(zone: BuddyZone, order: number, type: number): number[] {
  const pfns: number[] = [];
  for (let i = zone.area.first(order, type); i >= 0; i = zone.area.next(i, order)) {
    pfns.push(zone.memmap.pfnOf(i));
  }
  return pfns;
}
