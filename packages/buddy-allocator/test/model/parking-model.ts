/**
 * Parking as a model: the steps that ship (cache/parking.ts), written around as in parked-cache.ts and zone.ts, with a
 * cache of two pages, the zone's lock with its takeover, and a region in flight.
 *
 *     owner      parks; may unpark later and hand out what is left; a mortal one may end anywhere
 *     asker      wants memory: asks for the cache, and takes it if that is parked; may end anywhere
 *     reclaimer  hears of the owner's death and empties the cache
 *     killer     ends a thread; one for each mortal
 *
 * Wrong is: a page that is handed out while it is free or freed twice; a page that is nowhere; a request that is
 * forgotten over parking; a thread that waits for ever.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';

import { makeParkProtocol, Park, type ParkProtocol } from '../../dist/cache/parking.js';

// The cache's own words are at 0.
const ATTENTION = 0;
const PARK = 7;
const LOCK = 8;
const JOURNAL = 9;
const TOP = 10;
const PARKED_TOP = 11;
/** Entries from 1. */
const ENTRY = 11;
/** Pages from 1. */
const PAGE = 20;
/** Threads from 1. */
const DEATH = 30;
const WORDS = 40;

const OWNER = 1;
const PAGES = 2;
const CACHED = 1;
const FREE = 2;
const ALLOCATED = 3;

/** Makes the protocol, or a broken variant of it. */
export type MakePark = (ops: AtomicOps) => ParkProtocol;

/** What is explored. */
export interface ParkConfig {
  /** Askers; true = may end. */
  readonly askers: readonly boolean[];
  /** What the owner does after it has parked; `mortal`: sleeps, and may end anywhere, and is reclaimed. */
  readonly owner: 'sleeps' | 'goes on' | 'mortal';
  readonly make?: MakePark;
  /** Mistakes in what is around the protocol. */
  readonly broken?: 'no journal' | 'parks first' | 'no lock' | 'spins';
}

const DIED = new Error('died');

/** The model of a configuration. */
export function parkModel(config: ParkConfig): Model {
  const askers = config.askers.map((mortal, i) => ({ number: OWNER + 1 + i, mortal }));
  const mortals = askers.filter((asker) => asker.mortal).map(({ number }) => number);
  if (config.owner === 'mortal') mortals.push(OWNER);
  return {
    words: WORDS,
    setup(words) {
      words[TOP] = PAGES;
      for (let page = 1; page <= PAGES; page++) {
        words[ENTRY + page] = page;
        words[PAGE + page] = CACHED;
      }
    },
    threads: [
      ownerThread(config),
      ...askers.map(({ number, mortal }) => askerThread(config, number, mortal)),
      ...(config.owner === 'mortal' ? [reclaimerThread(config, OWNER + askers.length + 1)] : []),
      ...mortals.map(killerThread),
    ],
    check: (words) => faultOf(words),
  };
}

/** What is wrong at the end of a run. */
function faultOf(words: Int32Array): string | undefined {
  const held = new Set<number>();
  const top = Math.max(words[TOP]!, words[PARKED_TOP]!);
  for (let entry = 1; entry <= top; entry++) {
    const page = words[ENTRY + entry]!;
    if (words[PAGE + page] === CACHED) held.add(page);
  }
  // A dead thread's region is free for whoever gets the lock next.
  const inFlight = words[JOURNAL]!;
  for (let page = 1; page <= PAGES; page++) {
    const lost = words[PAGE + page] === CACHED && !held.has(page) && page !== inFlight;
    if (lost) return `page ${page} is nowhere`;
  }
  // Of threads that live: nobody waits for the memory otherwise.
  const living = words.subarray(DEATH, WORDS).every((death) => death === 0);
  const asked = words[ATTENTION] === 1 && words[PARK] === Park.PARKED;
  if (living && asked && held.size > 0) return 'a request is forgotten';
  return undefined;
}

function killerThread(number: number): ModelThread {
  return ({ ops, area }) => {
    ops.store(area(0), DEATH + number, 1);
  };
}

/** The operations of a thread that ends as soon as its killer has been there. */
function mortalOps({ ops, area, atomic }: ThreadTools, number: number): AtomicOps {
  const all = area(0);
  const step = (operation: () => number): number =>
    atomic(() => {
      if (ops.load(all, DEATH + number) === 1) throw DIED;
      return operation();
    });
  return {
    load: (w, at) => step(() => ops.load(w, at)),
    store: (w, at, value) => step(() => ops.store(w, at, value)),
    add: (w, at, value) => step(() => ops.add(w, at, value)),
    exchange: (w, at, value) => step(() => ops.exchange(w, at, value)),
    compareExchange: (w, at, expected, value) =>
      step(() => ops.compareExchange(w, at, expected, value)),
  };
}

/** What all of them do. */
function work(config: ParkConfig, tools: ThreadTools, self: number, mortal: boolean) {
  const { area, until, atomic } = tools;
  const { make = makeParkProtocol, broken } = config;
  const ops = mortal ? mortalOps(tools, self) : tools.ops;
  const w = area(0);
  const protocol = make(ops);

  const become = (page: number, state: number): void => {
    if (ops.exchange(w, PAGE + page, state) !== CACHED) throw new Error(`page ${page} twice`);
  };

  // One step: how it is taken over is explored in memmap, what is then put in order in recovery's tests.
  const lock = (): void => {
    for (;;) {
      until((words) => words[LOCK] === 0 || words[DEATH + words[LOCK]!] === 1);
      const entered = atomic(() => {
        const seen = ops.load(w, LOCK);
        if (seen !== 0 && ops.load(w, DEATH + seen) !== 1) return false;
        ops.store(w, LOCK, self);
        // As recoverZone: the region in flight is free.
        const page = ops.load(w, JOURNAL);
        if (page !== 0) ops.store(w, PAGE + page, FREE);
        ops.store(w, JOURNAL, 0);
        return true;
      });
      if (entered) return;
    }
  };
  const unlock = (): void => {
    ops.store(w, LOCK, 0);
  };

  /** Frees the entries up to a top. */
  const empty = (top: number): void => {
    for (;;) {
      const entry = ops.load(w, top);
      if (entry === 0) return;
      const page = ops.load(w, ENTRY + entry);
      // Two stores that a thread cannot end between, and what leads to them.
      const cached = atomic(() => {
        const found = ops.load(w, PAGE + page) === CACHED;
        if (found && broken !== 'no journal') ops.store(w, JOURNAL, page);
        ops.store(w, top, entry - 1);
        return found;
      });
      if (!cached) continue;
      become(page, FREE);
      ops.store(w, JOURNAL, 0);
    }
  };
  return { ops, w, protocol, become, lock, unlock, empty };
}

/** Runs a thread up to its end or its death. */
function untilDeath(body: () => void): void {
  try {
    body();
  } catch (error) {
    if (error !== DIED) throw error;
  }
}

function ownerThread(config: ParkConfig): ModelThread {
  return (tools) => {
    const { broken } = config;
    const mortal = config.owner === 'mortal';
    const { ops, w, protocol, become, lock, unlock, empty } = work(config, tools, OWNER, mortal);
    const { atomic } = tools;
    const move = (from: number, to: number): void => {
      const top = ops.load(w, from);
      atomic(() => {
        ops.store(w, to, top);
        ops.store(w, from, 0);
      });
    };
    const drain = (): void => {
      ops.store(w, ATTENTION, 0);
      lock();
      empty(TOP);
      unlock();
    };
    const unpark = (): void => {
      if (!protocol.unpark(w, 0)) {
        if (broken === 'spins') {
          tools.until((words) => words[PARK] === Park.PARKED);
        } else lock();
        protocol.resume(w, 0);
        if (broken !== 'spins') unlock();
      }
      move(PARKED_TOP, TOP);
    };
    untilDeath(() => {
      if (ops.load(w, ATTENTION) !== 0) drain();
      if (broken === 'parks first') protocol.park(w, 0);
      move(TOP, PARKED_TOP);
      if (broken !== 'parks first' && protocol.park(w, 0)) {
        unpark();
        drain();
        move(TOP, PARKED_TOP);
        protocol.park(w, 0);
      }
      if (config.owner !== 'goes on') return;
      unpark();
      for (let top = ops.load(w, TOP); top > 0; top = ops.load(w, TOP)) {
        const page = ops.load(w, ENTRY + top);
        ops.store(w, TOP, top - 1);
        // As `pop`: an entry that is not cached any more is dropped.
        if (ops.load(w, PAGE + page) === CACHED) become(page, ALLOCATED);
      }
    });
  };
}

function askerThread(config: ParkConfig, self: number, mortal: boolean): ModelThread {
  return (tools) => {
    const { w, protocol, lock, unlock, empty } = work(config, tools, self, mortal);
    untilDeath(() => {
      if (!protocol.ask(w, 0)) return;
      if (config.broken !== 'no lock') lock();
      if (protocol.take(w, 0)) {
        empty(PARKED_TOP);
        protocol.putBack(w, 0);
      }
      if (config.broken !== 'no lock') unlock();
    });
  };
}

function reclaimerThread(config: ParkConfig, self: number): ModelThread {
  return (tools) => {
    const { w, protocol, lock, unlock, empty } = work(config, tools, self, false);
    tools.until((words) => words[DEATH + OWNER] === 1);
    lock();
    empty(PARKED_TOP);
    empty(TOP);
    protocol.resume(w, 0);
    unlock();
  };
}

const changed =
  (change: (right: ParkProtocol, ops: AtomicOps) => Partial<ParkProtocol>): MakePark =>
  (ops) => {
    const right = makeParkProtocol(ops);
    return { ...right, ...change(right, ops) };
  };

/** Mistakes that the exploration must find: name, and where. */
export const MISTAKES: readonly (readonly [string, ParkConfig])[] = [
  [
    'the owner goes on while somebody takes',
    {
      askers: [false],
      owner: 'goes on',
      make: changed((_, ops) => ({
        unpark: (w, at) => {
          ops.store(w, at + PARK, Park.OWNED);
          return true;
        },
      })),
    },
  ],
  [
    'who takes does not compare',
    {
      askers: [false],
      owner: 'goes on',
      make: changed((_, ops) => ({
        take: (w, at) => {
          if (ops.load(w, at + PARK) === Park.OWNED) return false;
          ops.store(w, at + PARK, Park.TAKEN);
          return true;
        },
      })),
    },
  ],
  [
    'the owner does not look for requests after it has parked',
    {
      askers: [false],
      owner: 'sleeps',
      make: changed((right) => ({
        park: (w, at) => {
          right.park(w, at);
          return false;
        },
      })),
    },
  ],
  [
    'who asks does not look again',
    {
      askers: [false],
      owner: 'sleeps',
      make: changed((_, ops) => ({
        ask: (w, at) => {
          if (ops.load(w, at + PARK) !== Park.OWNED) return true;
          ops.store(w, at + ATTENTION, 1);
          return false;
        },
      })),
    },
  ],
  [
    'the owner waits for a taker that has died',
    {
      askers: [true, false],
      owner: 'goes on',
      broken: 'spins',
    },
  ],
  [
    'a dead taker loses what it had in hand',
    { askers: [true], owner: 'sleeps', broken: 'no journal' },
  ],
  [
    'the lists are put away after others may take',
    { askers: [false], owner: 'sleeps', broken: 'parks first' },
  ],
  ['two take at once', { askers: [false, false], owner: 'sleeps', broken: 'no lock' }],
];
