/**
 * What a thread writes down before it begins, with the lock that ships, and threads that end between any two steps:
 *
 *     run         two threads free the same two pages as one; the first may end in it
 *     isolation   two threads isolate the same pageblock, the first may end; its id goes to a newcomer, who does the same
 *
 * Words of pages and pageblocks are written by steps of their own, so that a death fits between any two of them.
 * Wrong is: pages freed twice or one of two; an isolation that nobody lifts, or that is lifted from a living thread.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import { Look, makeLockProtocol, TAG_MASK } from '../../../memmap/dist/shared/lock-protocol.js';
import { Life, makeThreadProtocol } from '../../../memmap/dist/shared/thread-protocol.js';

const LOCK = 0;
const REGISTRY = 8;
const PAGES = 40;
const RUN = 42;
const FREE_COUNT = 43;
const ISOLATED = 44;
const OWNER = 45;
const DEATH = 46;
const WORDS = 48;

const ALLOCATED = 1;
const FREE = 2;
const ID_BITS = 15;
const ID_MASK = (1 << ID_BITS) - 1;
const tagFor = (id: number, generation = 1): number => id | (generation << ID_BITS);

/** Mistakes that the exploration must find. */
export type Mistake =
  | 'no second check'
  | 'no run'
  | 'run closed early'
  | 'run forgotten'
  | 'bit before owner'
  | 'lifted by id'
  | 'lifted from anybody'
  | 'never lifted';

const DIED = new Error('died');
/** No word of a lock. */
const DONE = -10;

/** The steps of one member; a mortal one ends where the killer has been. */
function member({ ops, area, atomic, until }: ThreadTools, tag: number, mortal: boolean) {
  const all = area(0);
  const registry = area(REGISTRY);
  const step = <T>(operation: () => T): T => {
    if (!mortal) return operation();
    return atomic(() => {
      if (ops.load(all, DEATH) === 1) throw DIED;
      return operation();
    });
  };
  const own: AtomicOps = {
    load: (w, at) => step(() => ops.load(w, at)),
    store: (w, at, value) => step(() => ops.store(w, at, value)),
    add: (w, at, value) => step(() => ops.add(w, at, value)),
    exchange: (w, at, value) => step(() => ops.exchange(w, at, value)),
    compareExchange: (w, at, a, b) => step(() => ops.compareExchange(w, at, a, b)),
  };
  const threads = makeThreadProtocol(own);
  const lock = makeLockProtocol(own);
  const hasEnded = (owner: number): boolean => threads.hasEnded(registry, owner);
  const look = (body: (recovered: boolean) => void): number => {
    const seen = lock.look(all, LOCK, tag, hasEnded);
    if (seen !== Look.ENTERED && seen !== Look.RECOVERED) return seen;
    body(seen === Look.RECOVERED);
    lock.leave(all, LOCK, tag);
    return DONE;
  };
  return {
    threads,
    registry,
    get: (at: number): number => own.load(all, at),
    set: (at: number, value: number): void => {
      own.store(all, at, value);
    },
    /** Runs `body` under the lock, told whether the one before ended inside. */
    locked: (body: (recovered: boolean) => void): void => {
      for (;;) {
        // Of one who does not end, nobody sees the steps inside one by one: they are one.
        const seen = mortal ? look(body) : atomic(() => look(body));
        if (seen === DONE) return;
        if (seen === Look.AGAIN) continue;
        const known = makeThreadProtocol(Atomics);
        until(
          (words) =>
            words[LOCK] !== seen || known.hasEnded(words.subarray(REGISTRY), seen & TAG_MASK),
        );
      }
    },
  };
}

type Steps = ReturnType<typeof member>;

function setupThreads(words: Int32Array): void {
  const threads = makeThreadProtocol(Atomics);
  const registry = words.subarray(REGISTRY);
  for (const id of [1, 2, 3]) {
    threads.reserve(registry, id, id === 1);
    threads.join(registry, id);
    threads.joined(registry, id);
  }
}

const mortalThread =
  (body: (steps: Steps) => void): ModelThread =>
  (tools) => {
    try {
      body(member(tools, tagFor(1), true));
    } catch (error) {
      if (error !== DIED) throw error;
    }
  };

const killer: ModelThread = ({ ops, area }) => {
  ops.store(area(0), DEATH, 1);
};

/** Two threads free the same run of two pages. */
export function runModel(mistake?: Mistake): Model {
  const held = (steps: Steps): boolean =>
    steps.get(PAGES) === ALLOCATED && steps.get(PAGES + 1) === ALLOCATED;
  const recover = (steps: Steps): void => {
    if (steps.get(RUN) !== 0 && mistake !== 'run forgotten') {
      for (const page of [0, 1]) steps.set(PAGES + page, FREE);
      steps.set(RUN, 0);
    }
    // Counters are made anew from the bytes.
    const free = [0, 1].filter((page) => steps.get(PAGES + page) === FREE).length;
    steps.set(FREE_COUNT, free);
  };
  const freeExact = (steps: Steps): void => {
    if (!held(steps)) return;
    steps.locked((recovered) => {
      if (recovered) recover(steps);
      if (mistake !== 'no second check' && !held(steps)) return;
      if (mistake !== 'no run') steps.set(RUN, 2);
      for (const page of [0, 1]) {
        if (page === 1 && mistake === 'run closed early') steps.set(RUN, 0);
        steps.set(PAGES + page, FREE);
        steps.set(FREE_COUNT, steps.get(FREE_COUNT) + 1);
      }
      steps.set(RUN, 0);
    });
  };
  const owner: ModelThread = (tools) => {
    const steps = member(tools, tagFor(3), false);
    tools.until((words) => words[DEATH] === 1);
    steps.threads.markDead(steps.registry, 1, () => true);
    steps.locked((recovered) => {
      if (recovered) recover(steps);
    });
  };
  return {
    words: WORDS,
    setup(words) {
      setupThreads(words);
      words.fill(ALLOCATED, PAGES, PAGES + 2);
    },
    threads: [
      mortalThread(freeExact),
      (tools) => {
        freeExact(member(tools, tagFor(2), false));
      },
      killer,
      owner,
    ],
    check: (words) => {
      const pages = [...words.subarray(PAGES, PAGES + 2)];
      const whole = pages.every((page) => page === FREE) && words[FREE_COUNT] === 2;
      return whole && words[RUN] === 0 ? undefined : `${pages.join()}, ${words[FREE_COUNT]} free`;
    },
  };
}

/** Two threads isolate the same pageblock, and a newcomer with the id of the one that may end. */
export function isolationModel(mistake?: Mistake): Model {
  const isolate = (steps: Steps, tag: number): boolean => {
    let mine = false;
    steps.locked(() => {
      if (steps.get(ISOLATED) === 1) return;
      if (mistake !== 'bit before owner') steps.set(OWNER, tag);
      steps.set(ISOLATED, 1);
      if (mistake === 'bit before owner') steps.set(OWNER, tag);
      mine = true;
    });
    return mine;
  };
  const lift = (steps: Steps, tag: number): void => {
    steps.locked(() => {
      if (steps.get(ISOLATED) !== 1 || steps.get(OWNER) !== tag) {
        throw new Error('an isolation was lifted from a living thread');
      }
      steps.set(ISOLATED, 0);
    });
  };
  const user =
    (tag: number): ((steps: Steps) => void) =>
    (steps) => {
      if (isolate(steps, tag)) lift(steps, tag);
    };
  const owner: ModelThread = (tools) => {
    const steps = member(tools, tagFor(3), false);
    tools.until((words) => words[DEATH] === 1);
    const { threads, registry } = steps;
    threads.markDead(registry, 1, () => true);
    if (threads.life(registry, 1) !== Life.DEAD) return;
    threads.release(registry, 1, false);
    // After the release, to be hardest: the newcomer may be at work.
    steps.locked(() => {
      const of = steps.get(OWNER);
      let ended = threads.hasEnded(registry, of);
      if (mistake === 'lifted by id') ended = (of & ID_MASK) === 1;
      if (mistake === 'lifted from anybody') ended = true;
      if (mistake === 'never lifted') ended = false;
      if (steps.get(ISOLATED) === 1 && ended) steps.set(ISOLATED, 0);
    });
  };
  const newcomer: ModelThread = (tools) => {
    const known = makeThreadProtocol(Atomics);
    tools.until((words) => known.life(words.subarray(REGISTRY), 1) === Life.FREE);
    const steps = member(tools, tagFor(1, 2), false);
    steps.threads.reserve(steps.registry, 1, false);
    steps.threads.join(steps.registry, 1);
    steps.threads.joined(steps.registry, 1);
    user(tagFor(1, 2))(steps);
  };
  return {
    words: WORDS,
    setup: setupThreads,
    threads: [
      mortalThread(user(tagFor(1))),
      (tools) => {
        user(tagFor(2))(member(tools, tagFor(2), false));
      },
      killer,
      owner,
      newcomer,
    ],
    check: (words) => (words[ISOLATED] === 0 ? undefined : 'isolated by nobody'),
  };
}
