/**
 * `npm run soak -- buddy-kills`: threads that end anywhere, several at once, while the others and their owner go on.
 *
 *     threads at work ─▶ some are ended; the owner allocates and hears of nothing ─▶ the others stand still
 *        ▲                                                                              │
 *        └── new threads ◀── what the dead held is freed ◀── reclaimed, all moves settled, verified, counted
 *
 * Each page that a thread holds carries its mark. After each round: all invariants; no page is marked that is not
 * allocated, none has two owners; of what is allocated and unmarked there is at most what the dead threads were given
 * in their last request. Blocks are made larger and smaller where they are. In every second life blocks have owners, by which what the dead had is found, and there are small
 * objects, marked like pages; in the others the pool begins with half of its pages, over WebAssembly memory that threads grow as they
 * go. After a few rounds everything is freed, and must be one piece.
 *
 * With --without-proof nobody can see that a thread has ended but its owner, by the event: a call that waits for it gets
 * ERR_LOCK_TIMEOUT, and works when it is repeated. Moves that this left open are settled by their living threads when the
 * dead are reclaimed; after that none may be open. First the soak makes sure that it would notice.
 */
import { Worker } from 'node:worker_threads';
import { flag, integer, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';

const options = readOptions(
  { name: 'soak -- buddy-kills', about: 'Threads that end anywhere, several at once.' },
  {
    kills: integer(200, 'ends after so many; default 200', 1),
    seed: integer(1, 'default 1'),
    workers: integer(4, 'threads at a time, default 4', 2),
    pages: integer(4096, 'default 4096', 256),
    'without-proof': flag('no system tells which threads have ended'),
  },
).values;
const { kills, workers, pages } = options;
const proof = !options['without-proof'];
// Before the packages look.
if (!proof) Object.defineProperty(process, 'platform', { value: 'none' });
const { BuddyAllocator } = await import('@bootmem/buddy-allocator');
const { ObjectCache } = await import('@bootmem/buddy-allocator/objects');

/** Kills of one allocator. */
const PER_LIFE = 40;
/** Most pages that one request gives. */
const LARGEST = Math.max(32, pages >> 3);
/** Bytes of a page; a WebAssembly memory grows by sixteen. */
const PAGE_BYTES = 4096;
/** Owner of the slabs of small objects. */
const SLABS = 1 << 20;
const OBJECT_BYTES = 200;
const OBJECTS = 2000;
const GATE = 0;
const FAULTS = 1;
/** Milliseconds of the longest request; what a busy machine adds is in it. */
const LONGEST = 2;
const STATES = 8;
/** The gate: one of these, and how often it was changed, in steps: a thread that falls asleep late must not miss one. */
const GATE_STEP = 4;
const [CLOSED, OPEN, SETTLE] = [0, 1, 2];
/** A thread, while the gate is not open. */
const [STANDING, SETTLED, FAILED] = [1, 2, 3];

const log = new RunLog('buddy-kills', { done: 'kills', faults: 'violations' });
const url = new URL('./kill-worker.mjs', import.meta.url);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let timeouts = 0;
let longest = 0;

/** Memory that has half of so many pages, and can have all. */
function wasmMemory(most: number): { buffer: ArrayBufferLike } {
  const { WebAssembly: wasm } = globalThis as unknown as {
    WebAssembly: { Memory: new (type: object) => { buffer: ArrayBufferLike } };
  };
  const maximum = Math.ceil((most * PAGE_BYTES) / 65_536);
  return new wasm.Memory({ initial: Math.ceil(maximum / 2), maximum, shared: true });
}

/** One allocator with its threads. */
class Life {
  readonly pool;
  readonly owners = new Int32Array(new SharedArrayBuffer(4 * pages));
  /** Small objects, and the mark of each; in lives whose blocks have owners. */
  readonly small;
  readonly objectOwners = new Int32Array(new SharedArrayBuffer(4 * 2 * OBJECTS));
  /** Id of each thread in the cache of objects. */
  readonly #objectThreads = new Map<number, number>();
  readonly gate = new Int32Array(new SharedArrayBuffer(4 * 64));
  readonly crew = new Map<number, Worker>();
  readonly #random: Random;
  /** Frees what the owner has from a call before the one that got no lock. */
  #owed: (() => void) | undefined;
  readonly #seed: number;
  readonly #report: (text: string) => void;

  constructor(seed: number, report: (text: string) => void) {
    this.#seed = seed;
    this.#report = report;
    this.#random = new Random(seed);
    const grows = seed % 2 !== 0;
    this.pool = BuddyAllocator.create({
      pages: grows ? pages >> 1 : pages,
      maxPages: pages,
      data: grows ? wasmMemory(pages) : null,
      pageSize: PAGE_BYTES,
      threads: workers + 1,
      caches: seed % 3 !== 0,
      lockTimeoutMs: proof ? 1000 : 60,
      owners: seed % 2 === 0,
    });
    if (seed % 2 === 0) {
      this.small = ObjectCache.create(this.pool, {
        size: OBJECT_BYTES,
        maxObjects: OBJECTS,
        owner: SLABS,
        lockTimeoutMs: proof ? 1000 : 60,
      });
    }
  }

  fault(text: string): void {
    this.#report(`seed ${this.#seed}: ${text}`);
  }

  hire(thread: number): void {
    const { owners, gate } = this;
    const handle = this.pool.toHandle();
    const seed = this.#random.next();
    Atomics.store(gate, STATES + thread, 0);
    const objects = this.#objectsFor(thread);
    const workerData = { handle, owners, gate, thread, seed, pages, proof, objects };
    const worker = new Worker(url, { workerData, execArgv: [] });
    worker.on('error', (error) => {
      this.fault(`thread ${thread}: ${error.stack}`);
    });
    this.crew.set(thread, worker);
  }

  /** What a thread needs for small objects. */
  #objectsFor(thread: number): object | undefined {
    const { small } = this;
    if (small === undefined) return undefined;
    const id = this.#objectThreads.get(thread) ?? small.reserveThread();
    this.#objectThreads.set(thread, id);
    return { handle: small.toHandle(), owners: this.objectOwners, thread: id };
  }

  /** Ends some threads while this one is busy in the allocator, hearing of no event. */
  async kill(): Promise<number[]> {
    const dead = [...this.crew.keys()].filter(() => this.#random.once(3));
    if (dead.length === 0) dead.push(this.#random.pick([...this.crew.keys()]));
    const ends = dead.map((thread) => this.crew.get(thread)!.terminate());
    this.#work(20 + this.#random.below(30));
    await Promise.all(ends);
    return dead;
  }

  /** Requests of the owner, for so many rounds; a call that gets no lock is repeated when events were heard. */
  #work(rounds: number): void {
    const { pool } = this;
    for (let round = 0; round < rounds; round++) {
      const count = 1 + this.#random.below(40);
      const began = performance.now();
      try {
        this.#giveBack();
        const run = pool.allocExact(count);
        if (run !== undefined)
          this.#owed = (): void => {
            pool.freeExact(run, count);
          };
        this.#giveBack();
        const block = pool.alloc(3, { mobility: 'unmovable' });
        if (block !== undefined)
          this.#owed = (): void => {
            pool.free(block, 3);
          };
        this.#giveBack();
      } catch (error) {
        const { code } = error as { code?: string };
        if (proof || code !== 'ERR_LOCK_TIMEOUT') throw error;
        timeouts++;
        return;
      } finally {
        longest = Math.max(longest, performance.now() - began);
      }
    }
  }

  #giveBack(): void {
    this.#owed?.();
    this.#owed = undefined;
  }

  /** Waits until every living thread stands between two requests. */
  async stop(dead: readonly number[]): Promise<void> {
    this.#setGate(CLOSED);
    for (const thread of this.crew.keys()) {
      if (!dead.includes(thread)) await this.#reached(thread, STANDING);
    }
  }

  async #reached(thread: number, state: number): Promise<void> {
    for (let tries = 0; Atomics.load(this.gate, STATES + thread) < state; tries++) {
      await sleep(1);
      if (tries > 60_000) throw new Error(`seed ${this.#seed}: thread ${thread} does not stand`);
    }
  }

  /** Living threads, which stand, settle the moves that a lock not to be had has left open. */
  async settleLiving(dead: readonly number[]): Promise<void> {
    const { gate } = this;
    const living = [...this.crew.keys()].filter((thread) => !dead.includes(thread));
    for (const thread of living) {
      const at = STATES + thread;
      if (Atomics.load(gate, at) !== FAILED) Atomics.store(gate, at, 0);
    }
    this.#setGate(SETTLE);
    for (const thread of living) await this.#reached(thread, SETTLED);
  }

  go(): void {
    this.#setGate(OPEN);
  }

  #setGate(state: number): void {
    const { gate } = this;
    const turn = Math.floor(Atomics.load(gate, GATE) / GATE_STEP) + 1;
    Atomics.store(gate, GATE, turn * GATE_STEP + state);
    Atomics.notify(gate, GATE);
  }

  /** Reclaims the dead and settles their moves. */
  reclaim(dead: readonly number[]): void {
    const { pool, owners } = this;
    pool.reclaimThreads(dead, { reserve: true });
    this.#settleObjects(dead);
    this.#giveBack();
    pool.settleMoves((from, to, count) => {
      // Not its block, or ended before the new place was marked to the last page: not moved.
      const mover = owners[to]!;
      const moved = owners[to + count - 1] !== 0 && owners[from] !== mover;
      const old = moved ? from : to;
      for (let p = old; p < old + count; p++) if (owners[p] === mover) owners[p] = 0;
      return moved;
    });
  }

  /** Checks everything, and frees what the dead held. */
  check(dead: readonly number[]): void {
    for (const { invariant, text } of this.pool.verify()) this.fault(`${invariant}: ${text}`);
    const faults = Atomics.exchange(this.gate, FAULTS, 0);
    if (faults > 0) this.fault(`${faults} pages with two owners`);
    this.#count(dead);
  }

  #settleObjects(dead: readonly number[]): void {
    const { small, objectOwners } = this;
    if (small === undefined) return;
    const ids = dead.map((thread) => this.#objectThreads.get(thread)!);
    small.reclaimThreads(ids, { reserve: true });
    for (const { invariant, text } of small.verify()) this.fault(`objects, ${invariant}: ${text}`);
    let lost = 0;
    for (let object = 0; object < objectOwners.length; object++) {
      const mark = objectOwners[object]!;
      if (mark !== 0 && !dead.includes(mark)) continue;
      objectOwners[object] = 0;
      try {
        small.free(object);
        lost += mark === 0 ? 1 : 0;
      } catch (error) {
        if (mark !== 0) this.fault(`object ${object} of ${mark}: ${String(error)}`);
      }
    }
    // A request gives one object, a free has one.
    if (lost > dead.length) this.fault(`${lost} objects are nobody's`);
  }

  #count(dead: readonly number[]): void {
    const { pool, owners } = this;
    const left: [number, number][] = [];
    let unmarked = 0;
    pool.walk((pfn, order, state, owner) => {
      const marks = new Set(owners.subarray(pfn, pfn + 2 ** order));
      if (state === 'moving') this.fault(`a move to block ${pfn} is open`);
      if (state !== 'allocated') {
        if (marks.size > 1 || !marks.has(0)) this.fault(`page ${pfn} is ${state} and has an owner`);
        return;
      }
      const living = [...marks].filter((id) => id !== 0 && !dead.includes(id));
      if (living.length > 0 && marks.size > 1)
        this.fault(`block ${pfn} has owners ${[...marks].join()}`);
      if (this.small !== undefined) {
        if (owner === SLABS) return;
        if (!(living.length > 0 ? living : dead).includes(owner))
          this.fault(`block ${pfn} has the owner ${owner}`);
      }
      if (living.length > 0) return;
      if (marks.has(0)) unmarked += 2 ** order;
      left.push([pfn, order]);
    });
    if (unmarked > dead.length * LARGEST) this.fault(`${unmarked} allocated pages are nobody's`);
    for (const [pfn, order] of left) {
      owners.fill(0, pfn, pfn + 2 ** order);
      if (this.small === undefined) pool.free(pfn, order);
    }
    if (this.small === undefined) return;
    const given = dead.reduce((sum, thread) => sum + pool.freeAllOf(thread), 0);
    const wanted = left.reduce((sum, [, order]) => sum + 2 ** order, 0);
    if (given !== wanted) this.fault(`${given} pages by owner, ${wanted} by marks`);
  }

  async end(): Promise<void> {
    const { pool } = this;
    const all = [...this.crew.keys()];
    await Promise.all([...this.crew.values()].map((worker) => worker.terminate()));
    this.reclaim(all);
    this.check(all);
    // What a growth that was cut off has left comes now.
    pool.grow(pages);
    this.small?.shrink();
    if ((this.small?.stats().slabs ?? 0) > 0) this.fault('slabs without objects stay');
    pool.drain();
    const { freePages, freeBlocks } = pool.stats();
    if (freePages !== pages) this.fault(`${pages - freePages} pages lost`);
    if (freeBlocks[10] !== pages / 1024) this.fault(`did not merge back: ${freeBlocks.join(' ')}`);
    longest = Math.max(longest, Atomics.load(this.gate, LONGEST));
    pool.close();
  }

  async run(upTo: number): Promise<void> {
    this.go();
    for (let i = 0; i < workers; i++) this.hire(this.pool.reserveThread());
    let done = 0;
    while (done < upTo) {
      await sleep(this.#random.below(12));
      const dead = await this.kill();
      await this.stop(dead);
      this.reclaim(dead);
      await this.settleLiving(dead);
      this.check(dead);
      for (const thread of dead) this.hire(thread);
      this.go();
      done += dead.length;
      log.done += dead.length;
      log.tick(`seed ${this.#seed}`);
    }
    await this.stop([]);
    await this.end();
  }
}

/** A block that is nobody's and a move that is open must be faults, with owners and without. */
function checkItself(seed: number): void {
  let heard: string[] = [];
  const life = new Life(seed, (text) => heard.push(text));
  const { pool } = life;
  const expectFault = (what: string, fault?: RegExp): void => {
    heard = [];
    life.check([]);
    const right = fault === undefined ? heard.length === 0 : heard.some((text) => fault.test(text));
    if (!right) log.fault(`the soak itself: ${what} gives [${heard.join('; ')}]`);
  };
  expectFault('an empty pool');
  const lost = pool.allocOrThrow(0);
  expectFault('a lost block', /nobody's|has the owner/);
  life.owners[lost] = pool.thread;
  const block = pool.allocOrThrow(0, { mobility: 'unmovable' });
  life.owners[block] = pool.thread;
  pool.allocContigRange(block, block + 1, () => {
    expectFault('an open move', /is open/);
    return false;
  });
  pool.close();
}

for (const seed of [1, 2]) checkItself(seed);
for (let seed = options.seed; log.done < kills; seed++) {
  const report = (text: string): void => {
    log.fault(text);
  };
  await new Life(seed, report).run(Math.min(PER_LIFE, kills - log.done));
}
console.log(
  `buddy-kills: ${timeouts} calls of the owner ended with ERR_LOCK_TIMEOUT; the longest request of any thread took ${longest.toFixed(0)} ms`,
);
log.finish();
process.exit();
