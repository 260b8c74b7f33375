// A small machine's memory map: lists, allocation, free ranges, texts, a replayed line, and the hand-over.
export default async (api, assert) => {
  const { Memblock, MemFlags } = api;
  const { parseDump, replayBoot } = await import('@bootmem/memblock/replay');
  const memblock = new Memblock({ profile: '6.12' });
  memblock.add(0x1000, 0x9e000);
  memblock.add(0x100000, 0x3fee0000, { nid: 0 });
  memblock.reserve(0x1000000, 0x2c11000);
  memblock.mark(0x3f000000, 0x100000, MemFlags.NOMAP);
  assert.equal(memblock.alloc(1 << 20, { align: 4096 }), 0x3fee0000);
  assert.throws(() => memblock.add(-1, 1), { code: 'ERR_MEMBLOCK_ARGUMENT' });
  let free = 0;
  memblock.forEachFreeRange((start, end) => {
    free += end - start;
  });
  assert.equal(free, 0x9e000 + 0x3fee0000 - 0x2c11000 - 0x100000 - 0x100000);
  assert.equal(parseDump(memblock.dump()).memory.length, memblock.regionCount('memory'));
  const copy = Memblock.restore(JSON.parse(JSON.stringify(memblock)), { profile: '6.12' });
  assert.equal(copy.dump(), memblock.dump());
  copy.verify();
  const pages = copy.releaseFreeRanges({ freePages: () => undefined });
  assert.equal(pages, free / 4096);

  const log = [
    'memblock_add: [0x0000000000100000-0x000000003fffffff] e820__memblock_setup+0x73/0xb0',
    'memblock_alloc_try_nid: 4096 bytes align=0x1000 nid=-1 from=0x0000000000000000 max_addr=0x0000000000000000 x+0x1/0x2',
    'memblock_reserve: [0x000000003ffff000-0x000000003fffffff] memblock_alloc_range_nid+0xbd/0x180',
  ];
  const replay = replayBoot(log, { initial: { memory: [], reserved: [] }, profile: '6.12' });
  assert.deepEqual(replay.differences, []);
  assert.equal(replay.allocations[0].predicted, 0x3ffff000);
};
