/** One of several workers that allocate from the same zones; marks every page it owns and finds pages owned twice. */
import { PageAllocator, type PageAllocatorHandle } from '@bootmem/buddy-allocator/machine';
import { Random } from '../../kit/random.mjs';

export interface MemoryTask {
  readonly allocator: PageAllocatorHandle;
  /** One word a page: who owns it, 0 = nobody. */
  readonly owners: Int32Array;
  readonly self: number;
  readonly rounds: number;
}

declare const self: {
  onmessage: ((event: { data: MemoryTask }) => void) | null;
  postMessage(message: unknown): void;
};

self.onmessage = ({ data: { allocator: handle, owners, self: id, rounds } }) => {
  const allocator = PageAllocator.attach(handle);
  const held: { pfn: number; order: number }[] = [];
  let collisions = 0;
  const random = new Random(1, id);
  const own = (pfn: number, order: number, from: number, to: number): void => {
    for (let page = pfn; page < pfn + 2 ** order; page += 1) {
      if (Atomics.compareExchange(owners, page, from, to) !== from) collisions += 1;
    }
  };
  for (let round = 0; round < rounds; round += 1) {
    if (held.length < 64 && random.once(2)) {
      const order = random.below(5);
      const pfn = allocator.allocPages(order);
      if (pfn !== undefined) {
        own(pfn, order, 0, id);
        held.push({ pfn, order });
      }
    } else if (held.length > 0) {
      const [block] = held.splice(random.below(held.length), 1);
      own(block!.pfn, block!.order, id, 0);
      allocator.freePages(block!.pfn, block!.order);
    }
  }
  for (const { pfn, order } of held) {
    own(pfn, order, id, 0);
    allocator.freePages(pfn, order);
  }
  allocator.drain();
  allocator.close();
  self.postMessage({ collisions });
};
