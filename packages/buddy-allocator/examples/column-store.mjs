// A column store: four workers fill columns in one shared memory, and one of them is killed in the middle of it. What it had
// finished stays in the table; what it had begun is found by its owner and freed; the others go on.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const COLUMNS = 400;
const ORDER = 3; // 32 KiB a column
const TABLE = 1 << 20; // owner of the columns that are finished; workers own theirs by thread id

async function main() {
  const pool = BuddyAllocator.create({ bytes: 64 << 20, owners: true, threads: 5 });
  const handle = pool.toHandle();
  const table = new Map(); // name of a column -> first page
  let begin, done;
  const begun = new Promise((resolve) => (begin = resolve));
  const full = new Promise((resolve) => (done = resolve));
  const workers = Array.from({ length: 4 }, () => {
    const thread = pool.reserveThread();
    const worker = new Worker(new URL(import.meta.url), { workerData: { handle, thread } });
    worker.on('message', ({ name, page }) => {
      table.set(name, page);
      begin(thread);
      if (table.size >= COLUMNS) done();
    });
    return { worker, thread };
  });
  // Whichever finishes a column first: one that starts late may find all memory taken.
  const first = await begun;
  const victim = workers.find(({ thread }) => thread === first);
  const others = workers.filter((one) => one !== victim);

  // Wherever it is: between two columns, in the middle of one, inside the allocator.
  await victim.worker.terminate();
  pool.reclaimThread(victim.thread);
  const freed = pool.freeAllOf(victim.thread);
  const left = pool.owners().some(({ owner }) => owner === victim.thread);
  console.log(
    `of the killed worker: at most three columns begun: ${freed <= 24}, all freed: ${!left}`,
  );

  await full;
  for (const { worker, thread } of others) {
    await worker.terminate();
    pool.reclaimThread(thread);
    pool.freeAllOf(thread);
  }
  const whole = [...table].every(([name, page]) => {
    const column = pool.view(page, ORDER, Float64Array);
    return column.every((value) => value === Number(name));
  });
  console.log(`columns: at least ${COLUMNS}: ${table.size >= COLUMNS}, each whole: ${whole}`);
  pool.freeAllOf(TABLE);
  pool.drain();
  const { allocatedPages } = pool.stats();
  console.log(
    `pages still allocated: ${allocatedPages}, invariants broken: ${pool.verify().length}`,
  );
}

function work() {
  const { handle, thread } = workerData;
  const pool = BuddyAllocator.attach(handle, { thread, owner: thread });
  const begun = [];
  for (let n = 0; ; n++) {
    const page = pool.alloc(ORDER);
    if (page === undefined) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      continue;
    }
    const name = thread * 1e6 + n;
    begun.push({ name, page });
    if (begun.length < 3) continue;
    const oldest = begun.shift();
    pool.view(oldest.page, ORDER, Float64Array).fill(oldest.name);
    // From here on it is the table's, whoever ends.
    pool.setOwner(oldest.page, ORDER, TABLE);
    parentPort.postMessage(oldest);
  }
}

if (isMainThread) await main();
else work();
