/**
 * `npm run soak -- convert`: units private and shared under load, with threads that are killed anywhere.
 *
 * Workers on one memory of 64 MiB in units of 2 MiB allocate, share, make private, free, accept, and make mistakes that must
 * be refused, another's units among them; every call of the platform takes a moment, so kills land inside accepts and conversions. The parent
 * does not wait for the exit of those that it kills: it goes on with the same memory, and blocks on what they left. After
 * each batch everybody pauses: the dead are reclaimed, what they held is made private and freed, and all books must agree:
 * the allocator's invariants, the platform's state of each unit, whose page is whose. Each life of a memory ends with a
 * hand-over: the next stage accepts the rest, and nothing twice. Default: a million operations, 200 kills.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, ZoneIndex } from '@bootmem/memmap';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import type { AcceptBackend, AcceptError, UnitState } from '@bootmem/unaccepted-memory';
import { integer, number, readOptions } from '../../kit/options.js';
import { Random } from '../../kit/random.mjs';
import { RunLog } from '../../kit/run-log.js';
import { HEADER, Unit, sharedPlatform } from './shared-platform.mjs';

const UNIT = 2 ** 21;
const UNIT_PAGES = UNIT / 4096;
const BLOCKS = 16;
const END_PFN = BLOCKS * 1024;
const UNITS = BLOCKS * 2;
const WORKERS = 3;
const BATCHES = 5;

const { operations, kills, seed, minutes } = readOptions(
  {
    name: 'soak -- convert',
    about: 'Conversion, acceptance and allocation by threads that are killed.',
  },
  {
    operations: integer(1_000_000, 'at least so many, default 1000000'),
    kills: integer(200, 'at least so many threads killed, default 200', 0),
    seed: integer(1, 'default 1'),
    minutes: number(Infinity, 'ends after so many'),
  },
).values;

interface Report {
  readonly operations: number;
  readonly refused: number;
  readonly met: number;
  readonly lost: number;
  readonly wrong: readonly string[];
}

interface Member {
  readonly worker: Worker;
  readonly participant: number;
  readonly thread: number;
  readonly serial: number;
}

const log = new RunLog('convert');
const random = new Random(seed, 99);
const sums = {
  kills: 0,
  insideAccept: 0,
  insideConvert: 0,
  withheld: 0,
  refused: 0,
  met: 0,
  handedOver: 0,
};
let serials = 0;

/** One memory from its making to its hand-over. */
class Life {
  readonly words = new Int32Array(new SharedArrayBuffer((HEADER + UNITS) * 4));
  readonly owners = new Int32Array(new SharedArrayBuffer(END_PFN * 4));
  readonly platform: AcceptBackend = sharedPlatform({
    words: this.words,
    unitSize: UNIT,
    busy: 300,
  });
  readonly ranges = [{ start: 0, end: END_PFN * 4096 }];
  readonly memory = UnacceptedMemory.create({ ranges: this.ranges, backend: this.platform });
  readonly memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: END_PFN }] });
  readonly allocator: PageAllocator;
  readonly acceptor: ZoneAcceptor;
  crew: Member[] = [];

  constructor() {
    const zone = {
      nid: 0,
      zone: 'Normal',
      startPfn: 0,
      endPfn: END_PFN,
      presentPages: END_PFN,
    } as const;
    this.allocator = PageAllocator.create(this.memmap, [zone], { lockTimeoutMs: 60_000 });
    this.acceptor = ZoneAcceptor.create({ memory: this.memory, port: this.allocator });
    this.allocator.setHooks({ accept: this.acceptor });
    this.memmap.initRange(0, END_PFN, this.memmap.zones.idOf(0, ZoneIndex.NORMAL)!);
    this.allocator.freeBlocks(0, END_PFN);
  }

  async hire(): Promise<void> {
    const participant = this.memory.reserveParticipant();
    const thread = this.allocator.reserveThread();
    serials += 1;
    const worker = new Worker(new URL('convert-worker.mjs', import.meta.url), {
      workerData: {
        handles: {
          memory: this.memory.toHandle(),
          allocator: this.allocator.toHandle(),
          acceptor: this.acceptor.toHandle(),
        },
        participant,
        thread,
        serial: serials,
        owners: this.owners,
        seed,
        limit: 4,
      },
      execArgv: [],
    });
    await once(worker, 'message');
    this.crew.push({ worker, participant, thread, serial: serials });
  }

  /** A batch of all workers, of whom some are killed meanwhile. */
  async batch(steps: number, finish: boolean): Promise<void> {
    while (this.crew.length < WORKERS) await this.hire();
    const dying = finish || sums.kills >= kills ? [] : this.crew.filter(() => random.once(2));
    const living = this.crew.filter((member) => !dying.includes(member));
    const reports = living.map(({ worker }) => once(worker, 'message') as Promise<[Report]>);
    for (const { worker } of this.crew) worker.postMessage({ steps, finish });
    const ends: Promise<unknown>[] = [];
    for (const { worker } of dying) {
      const until = performance.now() + random.below(30);
      while (performance.now() < until) this.work();
      // Its exit is not waited for: what it left is met first.
      ends.push(worker.terminate());
      for (let turn = 0; turn < 50; turn += 1) this.work();
    }
    sums.kills += dying.length;
    for (const [report] of await Promise.all(reports)) {
      log.done += report.operations;
      sums.refused += report.refused;
      sums.met += report.met;
      for (const wrong of report.wrong) log.fault(wrong);
    }
    await Promise.all(ends);
    this.crew = living;
    this.reclaim(dying);
  }

  /** What the parent does while others die: allocates, frees, and blocks on what they left. */
  work(): void {
    log.done += 1;
    try {
      const order = random.pick([0, 9, 10]);
      const pfn = this.allocator.allocPages(order);
      if (pfn !== undefined) this.allocator.freePages(pfn, order);
    } catch (error) {
      const { code } = error as AcceptError;
      if (code !== 'ERR_ACCEPT_INTERRUPTED') log.fault(`parent: ${String(error)}`);
    }
  }

  reclaim(dead: readonly Member[]): void {
    const verdicts = this.acceptor.reclaim(dead.map(({ participant }) => participant));
    sums.withheld += verdicts.filter((verdict) => verdict === 'withheld').length;
    this.allocator.reclaimThreads(dead.map(({ thread }) => thread));
    const serialsAlive = new Set(this.crew.map(({ serial }) => serial));
    this.allocator.drain();
    for (let pfn = 0; pfn < END_PFN;) {
      const head = this.memmap.coveringHead(pfn);
      if (head === undefined) {
        pfn += 1;
        continue;
      }
      const pages = 2 ** head.order;
      const kind = this.memmap.describe(head.pfn).kind;
      const used = kind === 'allocated' || kind === 'shared';
      if (used && !serialsAlive.has(Atomics.load(this.owners, head.pfn))) {
        this.inherit(head.pfn, head.order);
      }
      pfn = head.pfn + pages;
    }
    this.allocator.drain();
  }

  /** Frees a block of the dead, all of it private again. */
  inherit(pfn: number, order: number): void {
    Atomics.store(this.owners, pfn, 0);
    for (let page = pfn; page < pfn + 2 ** order && order >= 9; page += UNIT_PAGES) {
      const [start, end] = [page * 4096, page * 4096 + UNIT];
      if (this.memory.unitState(start) === 'interrupted') {
        sums.insideConvert += 1;
        this.acceptor.convert(start, end, 'shared');
      }
      this.acceptor.convert(start, end, 'private');
    }
    this.allocator.freePages(pfn, order);
  }

  /** All books agree; everybody pauses. */
  check(what: string): void {
    for (const { invariant, text } of this.allocator.verify())
      log.fault(`${what}: ${invariant} ${text}`);
    const faults = Atomics.load(this.words, 0);
    if (faults > 0) {
      const first = Atomics.load(this.words, 1);
      log.fault(
        `${what}: ${faults} faults at the platform, the first: unit ${first >> 8} from ${(first >> 4) & 15} to ${first & 15}`,
      );
      Atomics.store(this.words, 0, 0);
    }
    const fits: Readonly<Record<UnitState, number>> = {
      accepted: Unit.ACCEPTED,
      unaccepted: Unit.PENDING,
      shared: Unit.SHARED,
      interrupted: Unit.CHANGING,
      accepting: -1,
      converting: -1,
    };
    for (let unit = 0; unit < UNITS; unit += 1) {
      const state = this.memory.unitState(unit * UNIT);
      const found = Atomics.load(this.words, HEADER + unit);
      // Cut off before its first step or after its last, a call leaves a unit in doubt that the platform is sure of.
      if (found === fits[state] || state === 'interrupted') continue;
      log.fault(`${what}: unit ${unit} is ${state}, at the platform ${found}`);
    }
    if (this.memory.acceptingRanges().length > 0) log.fault(`${what}: somebody accepts`);
    if (this.acceptor.inFlightPages(this.allocator.zones[0]!.core.zoneId) !== 0) {
      log.fault(`${what}: pages in flight`);
    }
  }

  /** Everything is given back; the next stage takes over. */
  async end(): Promise<void> {
    await Promise.all(this.crew.map(({ worker }) => worker.terminate()));
    this.reclaim(this.crew.splice(0));
    this.check('end');
    const lost = new Set<number>();
    for (let unit = 0; unit < UNITS; unit += 1) {
      if (this.memory.unitState(unit * UNIT) === 'interrupted') lost.add(Math.floor(unit / 2));
    }
    sums.insideAccept += lost.size;
    // A block is withheld for a unit of its own, or for its guard in the next.
    const { freePages } = this.allocator.zones[0]!.core;
    const least = END_PFN - 2 * lost.size * 1024;
    if (freePages < least || (lost.size === 0 && freePages !== END_PFN)) {
      log.fault(`${freePages} of ${END_PFN} pages are free, ${lost.size} blocks are in doubt`);
    }
    const { table, inDoubt } = this.memory.handOver();
    const next = UnacceptedMemory.create({
      ranges: this.ranges,
      installed: table,
      backend: this.platform,
    });
    let at = 0;
    for (const { start, end } of [...inDoubt, { start: END_PFN * 4096, end: 0 }]) {
      if (start > at) next.acceptExactly(at, start - at);
      at = end;
    }
    for (let unit = 0; unit < UNITS; unit += 1) {
      const doubtful = inDoubt.some(({ start, end }) => start <= unit * UNIT && unit * UNIT < end);
      if (!doubtful && Atomics.load(this.words, HEADER + unit) !== Unit.ACCEPTED) {
        log.fault(`hand-over: unit ${unit} was not accepted by the next stage`);
      }
    }
    if (Atomics.load(this.words, 0) > 0)
      log.fault('hand-over: the next stage accepted something twice');
    sums.handedOver += 1;
  }
}

for (let life = 0; (log.done < operations || sums.kills < kills) && !log.over(minutes); life += 1) {
  const memory = new Life();
  for (let batch = 1; batch <= BATCHES; batch += 1) {
    await memory.batch(3000, batch === BATCHES);
    memory.check(`life ${life}, batch ${batch}`);
    log.tick(`${sums.kills} killed`);
  }
  await memory.end();
}
console.log(
  `${sums.kills} threads killed: ${sums.insideAccept} blocks in doubt, ${sums.insideConvert} units half converted; ` +
    `${sums.refused} calls refused as they must be, ${sums.met} tried again; ${sums.handedOver} hand-overs`,
);
log.finish();
