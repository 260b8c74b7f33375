/** Allocators that a survivor and a thread that ends share: the survivor's object, and one that may end anywhere. */
import { Memmap, ZoneIndex } from '@bootmem/memmap';

import {
  type AttachOptions,
  BuddyAllocator,
  type BuddyAllocatorOptions,
} from '../../dist/index.js';
import { PageAllocator, type PageAllocatorOptions } from '../../dist/machine.js';
import type { Mortals } from './kill-points.js';

/** First page and order. */
export type Block = readonly [pfn: number, order: number];

/** A pool of single blocks up to order 5, or as asked; the victim's objects are those that may end. */
export function poolPair(
  { BuddyAllocator: Mortal }: Mortals,
  options: Partial<BuddyAllocatorOptions> = {},
  attach: AttachOptions = {},
): { survivor: BuddyAllocator; victim: BuddyAllocator } {
  const survivor = BuddyAllocator.create({
    pages: 128,
    data: null,
    maxOrder: 5,
    caches: false,
    threads: 3,
    ...options,
  });
  return { survivor, victim: Mortal.attach(survivor.toHandle(), attach) };
}

/** Pageblocks of 8 pages, blocks up to 32, one or two zones whose border may lie anywhere. */
export function machinePair(
  { PageAllocator: Mortal }: Mortals,
  options: PageAllocatorOptions & {
    readonly pages?: number;
    readonly border?: number;
    readonly empty?: boolean;
    readonly typeOf?: (pageblock: number) => 0 | 1 | 2 | 3;
  } = {},
): { survivor: PageAllocator; victim: PageAllocator } {
  const { pages = 128, border = pages, empty = false, typeOf = (): 1 => 1, ...rest } = options;
  const memmap = Memmap.create({
    ranges: [{ startPfn: 0, endPfn: pages }],
    geometry: {
      pageShift: 12,
      sectionOrder: 9,
      pageblockOrder: 3,
      maxOrder: 5,
      subsectionOrder: 5,
    },
  });
  const specs = [
    { nid: 0, zone: 'DMA32', startPfn: 0, endPfn: border, presentPages: border },
    { nid: 0, zone: 'Normal', startPfn: border, endPfn: pages, presentPages: pages - border },
  ] as const;
  const survivor = PageAllocator.create(memmap, border === pages ? specs.slice(0, 1) : specs, {
    caches: false,
    threads: 3,
    ...rest,
  });
  for (const { core, zone } of survivor.zones) {
    const id = memmap.zones.idOf(0, zone === 'DMA32' ? ZoneIndex.DMA32 : ZoneIndex.NORMAL)!;
    memmap.initRange(core.startPfn, core.endPfn, id);
  }
  for (let pfn = 0; pfn < pages; pfn += 8) memmap.pageblocks.setMigratetype(pfn, typeOf(pfn / 8));
  for (const { core } of survivor.zones) {
    if (!empty && core.startPfn < core.endPfn) survivor.freeBlocks(core.startPfn, core.endPfn);
  }
  return { survivor, victim: Mortal.attach(survivor.toHandle()) };
}
