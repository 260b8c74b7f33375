/**
 * `npm run soak -- buddy-requests`: long random runs over one allocator.
 *
 * First one thread with every kind of request (orders, exact sizes, places, contiguous ranges, compaction,
 * bulk), then W workers at once, who free each other's blocks and of whom one is killed now and then. After
 * every round all invariants are checked; at the end everything is freed and must be one piece again.
 * Without --minutes: 10^7 operations of each.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { integer, number, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';

const PAGES = 65536;
const ROUND = 500_000;

const options = readOptions(
  { name: 'soak -- buddy-requests', about: 'Every kind of request, then threads that die.' },
  {
    minutes: number(undefined, 'ends after so many; default: after 10^7 operations of each'),
    seed: integer(1, 'default 1'),
    workers: integer(4, 'default 4', 1),
    operations: integer(10_000_000, 'of each, without --minutes', 1),
  },
).values;
const { minutes, workers: workerCount } = options;
const log = new RunLog('buddy-requests');
let { seed } = options;
/** Goes on until so much of the time is over, or so much was done. */
const goesOn = (share: number, done: number): boolean =>
  minutes === undefined ? done < options.operations : !log.over(minutes * share);
const fail = (text: string): void => {
  log.fault(`seed ${seed}: ${text}`);
};
const audit = (allocator: BuddyAllocator): void => {
  for (const { invariant, text } of allocator.verify()) fail(`${invariant}: ${text}`);
};
const expectWhole = (allocator: BuddyAllocator): void => {
  allocator.drain();
  audit(allocator);
  const { freePages, freeBlocks } = allocator.stats();
  if (freePages !== PAGES) fail(`${PAGES - freePages} pages lost`);
  if (freeBlocks[10] !== PAGES / 1024) fail(`did not merge back: ${freeBlocks.join(' ')}`);
};

/** One thread, every kind of request. Blocks: page number, pages, and order (-1: single pages). */
class Alone {
  readonly allocator = BuddyAllocator.create({ pages: PAGES, data: null });
  readonly owners = new Int32Array(PAGES);
  readonly blocks: { pfn: number; pages: number; order: number }[] = [];
  #at = new Map<number, number>();
  #mark = 0;

  claim(pfn: number, pages: number, order: number): void {
    this.#mark += 1;
    for (let p = pfn; p < pfn + pages; p += 1) {
      if (this.owners[p] !== 0) fail(`page ${p} given out twice`);
      this.owners[p] = this.#mark;
    }
    this.#at.set(pfn, this.blocks.length);
    this.blocks.push({ pfn, pages, order });
  }

  release(index: number): void {
    const { pfn, pages, order } = this.blocks[index]!;
    this.forget(index);
    if (order < 0) this.allocator.freeExact(pfn, pages);
    else this.allocator.free(pfn, order);
  }

  /** Takes a block out of the books. */
  forget(index: number): void {
    const { pfn, pages } = this.blocks[index]!;
    this.owners.fill(0, pfn, pfn + pages);
    this.#at.delete(pfn);
    const last = this.blocks.pop()!;
    if (index < this.blocks.length) {
      this.blocks[index] = last;
      this.#at.set(last.pfn, index);
    }
  }

  /** Follows a block, or a page of an exact run, to its new place. */
  move(from: number, to: number, pages: number): boolean {
    const index = this.#at.get(from);
    // Pages of exact runs stay: a run must not be torn apart.
    if (index === undefined || this.blocks[index]!.pages !== pages) return false;
    const { order } = this.blocks[index]!;
    if (order < 0) return false;
    this.forget(index);
    this.claim(to, pages, order);
    return true;
  }

  round(random: Random): void {
    const { allocator } = this;
    for (let i = 0; i < ROUND; i += 1) {
      const kind = random.below(1000);
      if (this.blocks.length > 0 && (random.next() & 1) === 0)
        this.release(random.below(this.blocks.length));
      else if (kind < 980) {
        const order = Math.min(Math.clz32(random.next() | 1), 10);
        const mobility = (['movable', 'movable', 'unmovable', 'reclaimable'] as const)[
          random.next() & 3
        ]!;
        const pfn = allocator.alloc(order, { mobility });
        if (pfn !== undefined) this.claim(pfn, 2 ** order, order);
      } else if (kind < 990) {
        const pages = 1 + random.below(300);
        const pfn = allocator.allocExact(pages);
        if (pfn !== undefined) this.claim(pfn, pages, -1);
      } else if (kind < 999) {
        const pages = 1 + random.below(40);
        const request = {
          pages,
          align: 2 ** (random.next() & 3),
          topDown: (random.next() & 1) === 0,
        };
        const pfn = allocator.allocRange({ ...request, boundary: 64 });
        if (pfn !== undefined) this.claim(pfn, pages, -1);
      } else if ((random.next() & 15) === 0) this.rearrange(random);
    }
  }

  rearrange(random: Random): void {
    const { allocator } = this;
    const move = (from: number, to: number, pages: number): boolean => this.move(from, to, pages);
    if ((random.next() & 1) === 0) {
      allocator.compact(move);
      return;
    }
    const start = random.below(PAGES - 600);
    const pages = 1 + random.below(600);
    if (allocator.allocContigRange(start, start + pages, move)) this.claim(start, pages, -1);
  }
}

function alone(): void {
  const run = new Alone();
  let done = 0;
  do {
    run.round(new Random(seed));
    log.done += ROUND;
    done += ROUND;
    audit(run.allocator);
    log.tick('one thread');
    seed += 1;
  } while (goesOn(0.5, done));
  while (run.blocks.length > 0) run.release(run.blocks.length - 1);
  expectWhole(run.allocator);
  run.allocator.close();
}

interface Report {
  readonly thread: number;
  readonly violations: number;
  /** Page number and order in turns. */
  readonly handOver: readonly number[];
  readonly kept: readonly number[];
}

/** A worker with the last it reported. */
interface Crew {
  readonly worker: Worker;
  report: Report;
}

const url = new URL('./churn-worker.mjs', import.meta.url);

const reportOf = async (worker: Worker): Promise<Report> => {
  const [report] = (await once(worker, 'message')) as [Report];
  return report;
};

async function together(): Promise<void> {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 32 });
  const owners = new Int32Array(new SharedArrayBuffer(4 * PAGES));
  const hire = async (): Promise<Crew> => {
    const worker = new Worker(url, { workerData: { handle: allocator.toHandle(), owners } });
    return { worker, report: await reportOf(worker) };
  };
  const crew = await Promise.all(Array.from({ length: workerCount }, hire));
  let done = 0;
  for (let round = 0; goesOn(1, done); round += 1) {
    const victim = round % 4 === 3 ? round % crew.length : -1;
    const share = Math.floor(ROUND / crew.length);
    await Promise.all(
      crew.map(async (member, i) => {
        // Blocks go round: each frees what its neighbour allocated.
        const given = crew[(i + 1) % crew.length]!.report.handOver;
        member.worker.postMessage({ seed: seed * 64 + i, operations: share, given });
        if (i !== victim) {
          return reportOf(member.worker);
        }
        await new Promise((resolve) => setTimeout(resolve, 20 + (seed % 30)));
        await member.worker.terminate();
        // At once: the others may be waiting for a lock that it held.
        allocator.reclaimThread(member.report.thread);
        return undefined;
      }),
    ).then((reports) => {
      reports.forEach((report, i) => {
        crew[i]!.report = report ?? { ...crew[i]!.report, handOver: [], kept: [] };
        log.faults += report?.violations ?? 0;
      });
    });
    if (victim >= 0) {
      reclaimBlocks(allocator, owners, crew);
      crew[victim] = await hire();
    }
    log.done += share * crew.length;
    done += share * crew.length;
    audit(allocator);
    log.tick(`${crew.length} workers`);
    seed += 1;
  }
  const left = crew.flatMap(({ report }) => [...report.kept, ...report.handOver]);
  const ids = crew.map(({ report }) => report.thread);
  await Promise.all(crew.map(({ worker }) => worker.terminate()));
  for (const id of ids) allocator.reclaimThread(id);
  for (let i = 0; i < left.length; i += 2) allocator.free(left[i]!, left[i + 1]!);
  expectWhole(allocator);
  allocator.close();
}

/** Frees what only the dead worker knew of: allocated blocks that no report names. */
function reclaimBlocks(allocator: BuddyAllocator, owners: Int32Array, crew: readonly Crew[]): void {
  const known = new Set<number>();
  for (const { report } of crew) {
    for (const list of [report.kept, report.handOver]) {
      for (let i = 0; i < list.length; i += 2) known.add(list[i]!);
    }
  }
  const orphans: [number, number][] = [];
  allocator.walk((pfn, order, state) => {
    if (state === 'allocated' && !known.has(pfn)) orphans.push([pfn, order]);
  });
  // It may have died between marking pages and allocating or freeing them: unknown pages belong to nobody.
  allocator.walk((pfn, order, state) => {
    if (state !== 'allocated' || !known.has(pfn)) owners.fill(0, pfn, pfn + 2 ** order);
  });
  for (const [pfn, order] of orphans) allocator.free(pfn, order);
}

alone();
await together();
const seconds = log.seconds.toFixed(0);
console.log(`one thread and ${workerCount} workers, ${seconds} s, next seed ${seed}`);
log.finish();
