// Two WebAssembly guests in one memory, each a worker: one fills pages and passes their numbers on, the other adds them up. The memory
// grows as they need it. The first is killed in the middle; what it had is found and freed, and the second goes on alone.
import { once } from 'node:events';
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { guest } from './wasm-guest.mjs';

const ORDER = 2; // 16 KiB a block
const BLOCKS = 300;

async function main() {
  // 128 KiB, and up to 4 MiB: the first 64 KiB are the guests' own (their stacks and constants), the rest is the pool's.
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 64, shared: true });
  const pool = BuddyAllocator.create({
    data: memory,
    dataOffset: 65_536,
    pages: 16,
    maxPages: 63 * 16,
    owners: true,
    threads: 3,
  });
  const { port1, port2 } = new MessageChannel();
  const [filler, adder] = [pool.reserveThread(), pool.reserveThread()];
  const start = (role, thread, port) =>
    new Worker(new URL(import.meta.url), {
      workerData: { role, thread, adder, port, handle: pool.toHandle() },
      transferList: [port],
    });
  const second = start('adder', adder, port2);
  const first = start('filler', filler, port1);

  // Wherever it is: in wasm code, in the allocator, in the middle of growing.
  const [{ right }] = await once(second, 'message');
  await first.terminate();
  pool.reclaimThread(filler);
  pool.freeAllOf(filler);
  const left = pool.owners().some(({ owner }) => owner === filler);
  console.log(
    `sums of the first ${BLOCKS} blocks right: ${right}, pages of the killed guest: ${left ? 'some' : 0}`,
  );

  second.postMessage('go on alone');
  const [{ alone }] = await once(second, 'message');
  console.log(
    `the other went on: ${alone}, the memory grew: ${memory.buffer.byteLength > 131_072}`,
  );
  await second.terminate();
  pool.reclaimThread(adder);
  pool.freeAllOf(adder);
  const { allocatedPages } = pool.stats();
  console.log(
    `pages still allocated: ${allocatedPages}, invariants broken: ${pool.verify().length}`,
  );
}

/** A guest's pool and its functions, which take the place of a block as pointers: the offset in the memory is the address. */
function attach() {
  const { handle, thread } = workerData;
  const pool = BuddyAllocator.attach(handle, { thread, owner: thread });
  // Who finds nothing free grows the memory for all.
  pool.onPressure(() => pool.grow(16) > 0);
  const { fill, sum } = guest(handle.data);
  const ends = (page) => [pool.offset(page), pool.offset(page) + 2 ** ORDER * pool.pageSize];
  return {
    pool,
    fill: (page, value) => fill(...ends(page), value),
    sum: (page) => sum(...ends(page)),
  };
}

function runFiller() {
  const { pool, fill } = attach();
  for (let value = 1; ; value++) {
    const page = pool.alloc(ORDER);
    if (page === undefined) {
      // At its maximum, and the other one is behind: wait for it.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      continue;
    }
    fill(page, value);
    // The other guest's from here on, whoever ends.
    pool.setOwner(page, ORDER, workerData.adder);
    workerData.port.postMessage({ page, value });
  }
}

function runAdder() {
  const { pool, fill, sum } = attach();
  const words = (2 ** ORDER * pool.pageSize) / 4;
  let added = 0;
  let right = true;
  const add = ({ page, value }) => {
    right &&= sum(page) === words * value;
    pool.free(page, ORDER);
    added++;
  };
  workerData.port.on('message', (block) => {
    add(block);
    if (added === BLOCKS) parentPort.postMessage({ right });
  });
  parentPort.on('message', async () => {
    // More than there was at first, all at once. What the other one has sent still comes in, and is freed, meanwhile.
    const blocks = [];
    for (let value = 0; value < 20; value++) {
      const page = await pool.allocAsync(ORDER);
      fill(page, value);
      blocks.push({ page, value });
    }
    blocks.forEach(add);
    parentPort.postMessage({ alone: right });
  });
}

if (isMainThread) await main();
else if (workerData.role === 'filler') runFiller();
else runAdder();
