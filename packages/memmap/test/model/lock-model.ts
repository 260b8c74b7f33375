/**
 * The lock and the life of thread ids as one model: the steps that ship (lock-protocol.ts, thread-protocol.ts), written
 * around as in SharedLock and as the owner of some workers does it.
 *
 *     worker    lock, be inside, unlock; a mortal one may end at any of its steps, asleep too
 *     killer    ends a worker; one for each mortal
 *     owner     hears of all deaths; marks all dead, then for each: lock, unlock, release the id
 *     newcomer  waits until the first worker's id is free, takes it, and locks like a worker; or adopts it, as where all
 *               ids are taken: then the owner's word comes late, and must not hit it
 *
 * A sleeper goes on when it is woken; that it also wakes after a slice is allowed only once somebody has ended, so a
 * wake-up that gets lost without a death is a deadlock here. Wrong is: two inside; a takeover from somebody who
 * lives; a death inside that the next one is not told.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import {
  CONTENDED,
  Leave,
  type LockProtocol,
  Look,
  makeLockProtocol,
  TAG_MASK,
} from '../../dist/shared/lock-protocol.js';
import {
  idOfTag,
  Life,
  makeThreadProtocol,
  type ThreadProtocol,
} from '../../dist/shared/thread-protocol.js';

const LOCK = 0;
const REGISTRY = 8;
const INSIDE = 40;
const ANY_DEATH = 41;
/** By worker, from 1. */
const DEATH = 42;
const ASLEEP = 50;
const WORDS = 60;

const ID_BITS = 15;
const tagFor = (id: number, generation: number): number => id | (generation << ID_BITS);

/** Makes the protocols, or broken variants of them. */
export type MakeLock = (ops: AtomicOps) => LockProtocol;
/** As {@link MakeLock}. */
export type MakeThreads = (ops: AtomicOps) => ThreadProtocol;

/** What is explored. */
export interface LockConfig {
  /** Workers 1 .. n, each with the id of its number; true = may end. */
  readonly workers: readonly boolean[];
  /** Times that each worker locks. */
  readonly rounds?: number;
  /** Somebody hears of the deaths, and reclaims. */
  readonly owner?: boolean;
  /** Somebody gets the first worker's id when it is free. */
  readonly newcomer?: boolean;
  /** Sleepers can find out for themselves that a thread has ended. */
  readonly proof?: boolean;
  /** The newcomer takes the first worker's id by proof of its end; ids are not kept. */
  readonly adopts?: boolean;
  /** Mistakes in what is around the protocols. */
  readonly broken?: 'one-by-one' | 'not-kept' | 'no-generation';
  readonly makeLock?: MakeLock;
  readonly makeThreads?: MakeThreads;
}

/** A member of the model: its number, and the tag that it locks with. */
interface Member {
  readonly number: number;
  readonly tag: number;
  readonly mortal: boolean;
}

const DIED = new Error('died');

/** The model of a configuration. */
export function lockModel(config: LockConfig): Model {
  const { workers, owner = false, newcomer = false, broken } = config;
  const count = workers.length;
  const generation = broken === 'no-generation' ? 0 : 1;
  const members = workers.map((mortal, i): Member => ({
    number: i + 1,
    tag: tagFor(i + 1, generation),
    mortal,
  }));
  const head: Member = { number: count + 1, tag: tagFor(count + 1, generation), mortal: false };
  const fresh: Member = { number: count + 2, tag: tagFor(1, 2 * generation), mortal: false };
  const everybody = [...members, head, fresh];
  const mortals = members.filter((member) => member.mortal);
  return {
    words: WORDS,
    setup(words) {
      const threads = makeThreadProtocol(Atomics);
      const area = words.subarray(REGISTRY);
      for (const { number } of [...members, head]) {
        threads.reserve(
          area,
          number,
          broken !== 'not-kept' && config.adopts !== true && number <= count,
        );
        threads.join(area, number);
        threads.joined(area, number);
      }
    },
    threads: [
      ...members.map((member) => workerThread(config, member, everybody)),
      ...mortals.map(({ number }) => killerThread(number)),
      ...(owner ? [ownerThread(config, head, everybody, mortals)] : []),
      ...(newcomer ? [newcomerThread(config, fresh, everybody)] : []),
    ],
    check: () => undefined,
  };
}

function killerThread(number: number): ModelThread {
  return ({ ops, area, atomic }) => {
    const all = area(0);
    atomic(() => {
      ops.store(all, DEATH + number, 1);
      ops.store(all, ANY_DEATH, 1);
    });
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

/** What a member does with the lock. States of `mark` from `base` to `base + 1`. */
function lockWork(
  config: LockConfig,
  tools: ThreadTools,
  self: Member,
  everybody: readonly Member[],
) {
  const { proof = false, makeLock = makeLockProtocol, makeThreads = makeThreadProtocol } = config;
  const { area, until, mark, atomic } = tools;
  const ops = self.mortal ? mortalOps(tools, self.number) : tools.ops;
  const all = area(0);
  const lockWords = area(LOCK);
  const registry = area(REGISTRY);
  const lock = makeLock(ops);
  const threads = makeThreads(ops);
  const hasEnded = (tag: number): boolean => threads.hasEnded(registry, tag);
  const memberOf = (tag: number): Member => everybody.find((member) => member.tag === tag)!;
  const isGone = (tag: number): boolean => {
    const { mortal, number } = memberOf(tag);
    return mortal && ops.load(all, DEATH + number) === 1;
  };

  const sleep = (seen: number): void => {
    const owner = memberOf(seen & TAG_MASK);
    const asleep = ASLEEP + self.number;
    const slept = atomic(() => {
      if (ops.load(lockWords, 0) !== seen) return false;
      tools.ops.store(all, asleep, 1);
      return true;
    });
    if (slept) {
      until((words) => {
        if (words[asleep] === 0) return true;
        if (words[ANY_DEATH] === 0) return false;
        // A slice is over. Only a look that finds something new is worth a step.
        const ended = makeThreadProtocol(Atomics).hasEnded(words.subarray(REGISTRY), owner.tag);
        const gone = proof && words[DEATH + owner.number] === 1;
        return words[LOCK] !== seen || ended || gone || words[DEATH + self.number] === 1;
      });
      ops.store(all, asleep, 0);
    }
    if (proof && ops.load(all, DEATH + owner.number) === 1) threads.markEnded(registry, owner.tag);
  };

  const wait = (base: number): boolean => {
    for (;;) {
      mark(base + 1);
      const seen = lock.look(lockWords, 0, self.tag, hasEnded);
      if (seen === Look.ENTERED) return false;
      if (seen === Look.RECOVERED) return true;
      if (seen !== Look.AGAIN) sleep(seen);
    }
  };

  const inside = (told: boolean): void => {
    const before = ops.exchange(all, INSIDE, self.number);
    if (before !== 0) {
      if (!told) throw new Error('two inside, or a death not told');
      if (ops.load(all, DEATH + before) !== 1) throw new Error('taken from a living thread');
    }
    if (ops.exchange(all, INSIDE, 0) !== self.number) throw new Error('two inside');
    const left = lock.leave(lockWords, 0, self.tag);
    if (left >= 0) throw new Error('not the owner any more');
    if (left !== Leave.WAKE) return;
    // Atomics.notify of one.
    atomic(() => {
      for (const { number } of everybody) if (ops.exchange(all, ASLEEP + number, 0) === 1) return;
    });
  };

  return {
    threads,
    registry,
    isGone,
    /** Locks, is inside, unlocks. */
    round: (base: number, resumed: number): void => {
      if (resumed <= base) mark(base);
      const entered = resumed <= base && lock.enter(lockWords, 0, self.tag);
      inside(entered ? false : wait(base));
    },
  };
}

function workerThread(config: LockConfig, self: Member, everybody: readonly Member[]): ModelThread {
  return (tools) => {
    const { resumed = 0, mark } = tools;
    const { rounds = 1 } = config;
    const work = lockWork(config, tools, self, everybody);
    try {
      for (let round = resumed >> 1; round < rounds; round += 1) work.round(2 * round, resumed);
      mark(2 * rounds);
      work.threads.leave(work.registry, idOfTag(self.tag), self.tag);
    } catch (error) {
      if (error !== DIED) throw error;
    }
  };
}

function ownerThread(
  config: LockConfig,
  self: Member,
  everybody: readonly Member[],
  mortals: readonly Member[],
): ModelThread {
  return (tools) => {
    const { resumed = 0, mark, until } = tools;
    const { threads, registry, round, isGone } = lockWork(config, tools, self, everybody);
    const oneByOne = config.broken === 'one-by-one';
    if (resumed === 0) {
      until((words) => mortals.every(({ number }) => words[DEATH + number] === 1));
      if (!oneByOne) for (const { number } of mortals) threads.markDead(registry, number, isGone);
    }
    for (const [i, { number }] of mortals.entries()) {
      const base = 2 + 4 * i;
      if (resumed > base + 3) continue;
      if (resumed < base) mark(base);
      if (oneByOne && resumed <= base) threads.markDead(registry, number, isGone);
      // As reclaimThread does: the dead thread's things are put in order under the lock.
      const dead = resumed > base || threads.life(registry, number) === Life.DEAD;
      if (dead && resumed < base + 3) round(base + 1, resumed);
      mark(base + 3);
      threads.release(registry, number, false);
    }
  };
}

function newcomerThread(
  config: LockConfig,
  self: Member,
  everybody: readonly Member[],
): ModelThread {
  return (tools) => {
    const { resumed = 0, until, mark } = tools;
    const { threads, registry, round } = lockWork(config, tools, self, everybody);
    if (resumed < 2) {
      if (config.adopts === true) {
        until((words) => words[DEATH + 1] === 1);
        threads.markEnded(registry, tagFor(1, 1));
        // Else it had left before, or its owner was faster.
        if (!threads.adopt(registry, 1)) return;
        if (!threads.join(registry, 1)) throw new Error('an adopted id was taken away');
        if (threads.joined(registry, 1) === 0) throw new Error('marked dead while it joined');
        mark(2);
        round(2, resumed);
        if (!threads.leave(registry, 1, self.tag)) throw new Error('marked dead while it lived');
        return;
      }
      until((words) => makeThreadProtocol(Atomics).life(words.subarray(REGISTRY), 1) === Life.FREE);
      threads.reserve(registry, 1, false);
      threads.join(registry, 1);
      threads.joined(registry, 1);
    }
    round(2, resumed);
    threads.leave(registry, 1, self.tag);
  };
}

const lockOf =
  (change: (right: LockProtocol, ops: AtomicOps) => Partial<LockProtocol>): MakeLock =>
  (ops) => {
    const right = makeLockProtocol(ops);
    return { ...right, ...change(right, ops) };
  };

const threadsOf =
  (change: (right: ThreadProtocol, ops: AtomicOps) => Partial<ThreadProtocol>): MakeThreads =>
  (ops) => {
    const right = makeThreadProtocol(ops);
    return { ...right, ...change(right, ops) };
  };

/** Mistakes that the exploration must find: name, and where. */
export const MISTAKES: readonly (readonly [string, LockConfig])[] = [
  [
    'an id without generation is taken from its next owner',
    {
      workers: [true, false],
      owner: true,
      newcomer: true,
      broken: 'no-generation',
      // As it was: the tag is the id, and who is marked dead has ended.
      makeThreads: threadsOf((right) => ({
        hasEnded: (words, tag) => right.life(words, idOfTag(tag)) === Life.DEAD,
      })),
    },
  ],
  [
    'an id is given to another while its owner may still be said dead',
    { workers: [true, false], owner: true, newcomer: true, broken: 'not-kept' },
  ],
  [
    'several dead, marked and reclaimed one by one',
    { workers: [true, true], owner: true, broken: 'one-by-one' },
  ],
  [
    'a slow thread counts as dead',
    { workers: [false, false], makeThreads: threadsOf(() => ({ hasEnded: () => true })) },
  ],
  [
    'proof of an ended thread is held against its next namesake',
    {
      workers: [true, false],
      owner: true,
      newcomer: true,
      proof: true,
      makeThreads: threadsOf((right) => ({
        markEnded: (words, tag) => right.markDead(words, idOfTag(tag), () => true),
      })),
    },
  ],
  [
    'a late word of the owner hits the one who adopted the id',
    {
      workers: [true, false],
      owner: true,
      newcomer: true,
      proof: true,
      adopts: true,
      makeThreads: threadsOf((right) => ({
        markDead: (words, id) => right.markDead(words, id, () => true),
      })),
    },
  ],
  [
    'a takeover is not told',
    {
      workers: [true, false],
      proof: true,
      makeLock: lockOf((right) => ({
        look: (words, at, tag, hasEnded) => {
          const seen = right.look(words, at, tag, hasEnded);
          return seen === Look.RECOVERED ? Look.ENTERED : seen;
        },
      })),
    },
  ],
  [
    'a takeover does not compare',
    {
      workers: [true, false, false],
      proof: true,
      makeLock: lockOf((right, ops) => ({
        look(words, at, tag, hasEnded) {
          const seen = ops.load(words, at);
          if (seen === 0 || !hasEnded(seen & TAG_MASK)) return right.look(words, at, tag, hasEnded);
          ops.store(words, at, tag | CONTENDED);
          return Look.RECOVERED;
        },
      })),
    },
  ],
  [
    'who slept enters without saying that others may sleep',
    {
      workers: [false, false, false],
      makeLock: lockOf((right, ops) => ({
        look(words, at, tag, hasEnded) {
          if (ops.load(words, at) !== 0) return right.look(words, at, tag, hasEnded);
          return ops.compareExchange(words, at, 0, tag) === 0 ? Look.ENTERED : Look.AGAIN;
        },
      })),
    },
  ],
  [
    'a sleeper does not say that it sleeps',
    {
      workers: [false, false],
      makeLock: lockOf((right, ops) => ({
        look(words, at, tag, hasEnded) {
          const seen = ops.load(words, at);
          if (seen !== 0 && !hasEnded(seen & TAG_MASK)) return seen;
          return right.look(words, at, tag, hasEnded);
        },
      })),
    },
  ],
];
