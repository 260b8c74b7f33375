// Adaptors for the traces: {alloc(order) -> handle | -1, free(handle, order)} over each allocator.
// The in-band peers manage touched memory. On the small arena they get "pages" of 64 bytes, so that their
// headers stay in cache: in their favour. On the large one they manage what it is about, 1 GiB.
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const SMALL_PEER_PAGE = 64;
const PEER_PAGE = 4096;
const SMALL = 8192;

const peerPage = (pages) => (pages > SMALL ? PEER_PAGE : SMALL_PEER_PAGE);

/** This package, attached to an existing allocator. */
export function ours({ alloc, free }) {
  return {
    alloc(order) {
      const pfn = alloc(order);
      return pfn === undefined ? -1 : pfn | 0;
    },
    free,
  };
}

/** What the loop of the traces costs by itself. */
const nothing = () => ({ alloc: () => 7, free: () => undefined });

const makers = {
  'loop alone': nothing,
  bootmem: (pages) => ours(BuddyAllocator.create({ pages, data: null, threads: 2 })),
  'bootmem, checked': (pages) =>
    ours(BuddyAllocator.create({ pages, data: null, threads: 2, checked: true })),
  'bootmem, no cache': (pages) =>
    ours(BuddyAllocator.create({ pages, data: null, threads: 2, caches: false })),
  '@thi.ng/malloc': async (pages) => {
    const { MemPool } = await import('@thi.ng/malloc');
    const page = peerPage(pages);
    const pool = new MemPool({ size: Math.ceil(pages * (page + 32)) });
    let used = 0;
    return {
      alloc(order) {
        const size = 1 << order;
        if (used + size > pages) return -1;
        const address = pool.malloc(page << order);
        if (address === 0) return -1;
        used += size;
        return address;
      },
      free(address, order) {
        pool.free(address);
        used -= 1 << order;
      },
    };
  },
  malloc: async (pages) => {
    const { default: module } = await import('malloc');
    const Allocator = module.default ?? module;
    const page = peerPage(pages);
    const buffer = new ArrayBuffer(Math.ceil((pages * (page + 32)) / 4096) * 4096);
    new Uint8Array(buffer).fill(0);
    const heap = new Allocator(buffer);
    let used = 0;
    return {
      alloc(order) {
        const size = 1 << order;
        if (used + size > pages) return -1;
        const address = heap.alloc(page << order);
        if (address === 0) return -1;
        used += size;
        return address;
      },
      free(address, order) {
        heap.free(address);
        used -= 1 << order;
      },
    };
  },
};

/** Adaptor by name. */
export async function subject(name, pages) {
  return makers[name](pages);
}
