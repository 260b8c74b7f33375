// One memory, all kinds of requests; then a machine's zones and their numbers.
export default async (api, assert) => {
  const { BuddyAllocator } = api;
  const pool = BuddyAllocator.create({ bytes: 16 << 20 });
  const second = BuddyAllocator.attach(pool.toHandle());
  const block = pool.allocOrThrow(4);
  pool.view(block, 4, Uint8Array).fill(7);
  assert.equal(second.view(block, 4, Uint8Array).at(-1), 7);
  second.free(block, 4);
  assert.equal(pool.tryFree(block, 4), 'ERR_BUDDY_DOUBLE_FREE');
  const exact = pool.allocExact(100);
  pool.freeExact(exact, 100);
  const top = pool.allocRange({ pages: 3, topDown: true, align: 2, boundary: 8 });
  assert.equal(top % 2, 0);
  pool.freeExact(top, 3);
  second.close();
  pool.drain();
  assert.equal(pool.stats().freePages, 4096);
  assert.deepEqual(pool.verify(), []);
  const { ObjectCache } = await import('@bootmem/buddy-allocator/objects');
  const objects = ObjectCache.create(pool, { size: 48 });
  objects.free(objects.alloc());
  assert.deepEqual([objects.shrink(), objects.verify()], [1, []]);
  objects.close();
  const copy = BuddyAllocator.restore(pool.snapshot());
  assert.equal(copy.stats().freePages, 4096);
  copy.close();
  pool.close();

  const zoned = await import('@bootmem/buddy-allocator/zones');
  const { formatBuddyinfo } = await import('@bootmem/buddy-allocator/reports');
  const layout = zoned.zoneLayout({
    memory: [{ startPfn: 1, endPfn: 0x40000, nid: 0 }],
    limits: zoned.x86ZoneLimits(0x40000),
  });
  const zones = layout.nodes[0].zones.map(({ zone, presentPages }) => ({
    zone,
    managedPages: presentPages,
  }));
  const minFree = zoned.minFreeKbytes({ lowmemKbytes: zoned.lowmemKbytes(zones) });
  assert.equal(minFree, 4095);
  const marks = zoned.zoneWatermarks(zones, {
    minFreeKbytes: minFree,
    profile: zoned.profileForRelease('6.19'),
  });
  assert.ok(marks[1].min < marks[1].low && marks[1].low < marks[1].high);
  const line = formatBuddyinfo([{ nid: 0, zone: 'DMA', free: [1, 0] }]);
  assert.equal(line, 'Node 0, zone      DMA      1      0 \n');
};
