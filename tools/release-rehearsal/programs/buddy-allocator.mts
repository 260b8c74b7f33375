import {
  BuddyAllocator,
  BuddyError,
  type AllocatorStats,
  type BuddyHandle,
  type FreeStatus,
} from '@bootmem/buddy-allocator';
import { zoneLayout, x86ZoneLimits, type ZoneLayout } from '@bootmem/buddy-allocator/zones';

const pool: BuddyAllocator = BuddyAllocator.create({ pages: 1024, data: null });
const handle: BuddyHandle = pool.toHandle();
const pfn: number | undefined = pool.alloc(3, { mobility: 'unmovable' });
if (pfn === undefined) throw new Error('no block');
const status: FreeStatus = BuddyAllocator.attach(handle).tryFree(pfn, 3);
if (status !== 'ok') throw new Error(status);
try {
  pool.free(pfn, 3);
  throw new Error('freed twice');
} catch (error) {
  if (!(error instanceof BuddyError) || error.code !== 'ERR_BUDDY_DOUBLE_FREE') throw error;
}
const stats: AllocatorStats = pool.stats();
const layout: ZoneLayout = zoneLayout({
  memory: [{ startPfn: 1, endPfn: 4096, nid: 0 }],
  limits: x86ZoneLimits(4096),
});
if (stats.pages !== 1024 || layout.nodes[0]?.presentPages !== 4095) throw new Error('wrong counts');
