// A machine with a hole: descriptors by section, two zones, a lock that survives its owner.
export default async (api, assert) => {
  const { Memmap, MemmapError, PageState, ZoneIndex } = api;
  const { SharedLock, ThreadRegistry } = await import('@bootmem/memmap/shared');
  const map = Memmap.create({
    ranges: [
      { startPfn: 0, endPfn: 0x8000 },
      { startPfn: 0x100000, endPfn: 0x110000 },
    ],
  });
  assert.ok(map.overheadBytesPerPage() <= 16);
  assert.equal(map.isPresent(0x50000), false);
  const dma = map.defineZone(0, ZoneIndex.DMA);
  const normal = map.defineZone(1, ZoneIndex.NORMAL);
  map.initReservedRange(0, 0x100, dma);
  map.initRange(0x100, 0x1000, dma);
  map.initRange(0x100000, 0x108000, normal);
  assert.equal(map.firstUninitialised(0x100000, 0x110000), 0x108000);
  assert.equal(map.countInState(0, 0x1000, PageState.RESERVED), 0x100);
  assert.equal(map.nid(0x107fff), 1);

  const same = Memmap.attach(map.toHandle());
  assert.equal(same.describe(0x100000).kind, 'boot');
  assert.throws(() => map.initRange(0x50000, 0x50001, dma), MemmapError);

  const threads = ThreadRegistry.create(4);
  const [first, second] = [threads.register(), threads.register()];
  const words = new Int32Array(new SharedArrayBuffer(4 * SharedLock.WORDS));
  new SharedLock(words, 0, first, { registry: threads }).lock();
  threads.markDead(first);
  const lock = new SharedLock(words, 0, second, { registry: threads });
  assert.equal(lock.lock(), 'recovered');
  lock.unlock();
};
