// The protocols that ship, run through every interleaving of their atomic steps; and broken variants of
// them, to know that a fault would be seen.
import { expect, test } from '@jest/globals';
import {
  HEAD,
  LANE,
  RING,
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  SlotState,
  WORKER,
  explore,
  makeLaneProtocol,
  makeRingProtocol,
  makeSleepProtocol,
  slotWord,
  workerBase,
} from '@bootmem/padata/testing';
import type { AtomicOps, Model, ModelThread, RingProtocol } from '@bootmem/padata/testing';

const CONTROL = 0;
const RING_AT = 128;
const WINDOW = 4;
const WORDS = RING_AT + RING_HEAD_WORDS + WINDOW * SLOT_WORDS;

type Make = (ops: AtomicOps) => RingProtocol;

/** Jobs on offer; workers take, run and finish them; the owner delivers in order and sleeps in between. */
function ringModel(jobs: number, workers: number, make: Make = makeRingProtocol): Model {
  const owner: ModelThread = ({ ops, area, wait, note, mark, resumed }) => {
    const p = make(ops);
    const control = area(CONTROL);
    const ring = area(RING_AT);
    const isNextDone = (next: number) => next < jobs && p.isDone(ring, slotWord(WINDOW, next));
    let next = resumed ?? 0;
    for (;;) {
      mark(next);
      while (isNextDone(next)) {
        note(`deliver ${next}`);
        p.free(ring, slotWord(WINDOW, next));
        next += 1;
      }
      p.passed(ring, next);
      if (next === jobs) return;
      if (p.ownerMaySleep(control, () => isNextDone(next))) wait(HEAD.OWNER_ASLEEP, 1);
      p.ownerAwake(control);
    }
  };
  const worker =
    (id: number): ModelThread =>
    ({ ops, area, notify, note, mark }) => {
      const p = make(ops);
      const control = area(CONTROL);
      const ring = area(RING_AT);
      const taken = { count: 0 };
      for (;;) {
        mark(0);
        const first = p.reserve(ring, 2, 2, taken);
        if (taken.count === 0) return;
        for (let i = 0; i < taken.count; i += 1) {
          const base = slotWord(WINDOW, first + i);
          if (!p.take(ring, base, id)) continue;
          note(`run ${first + i}`);
          p.finish(ring, base);
        }
        if (p.mustWake(ring, control, WINDOW)) notify(HEAD.OWNER_ASLEEP);
      }
    };
  return {
    words: WORDS,
    setup(words) {
      words[RING_AT + RING.PUBLISHED] = jobs;
      for (let j = 0; j < jobs; j += 1) {
        words[RING_AT + slotWord(WINDOW, j) + SLOT.STATE] = SlotState.READY;
      }
    },
    threads: [owner, ...Array.from({ length: workers }, (_, i) => worker(i + 1))],
    // The order of runs does not matter, only how often.
    summary: (history) =>
      history
        .map((h) => (h.startsWith('run') ? h : ''))
        .sort()
        .join() + history.filter((h) => h.startsWith('deliver')).join(),
    check(_words, history) {
      const delivered = history.filter((h) => h.startsWith('deliver'));
      const run = history.filter((h) => h.startsWith('run')).sort();
      const expected = Array.from({ length: jobs }, (_, j) => j);
      if (delivered.join() !== expected.map((j) => `deliver ${j}`).join()) {
        return `delivered ${delivered.join()}`;
      }
      return run.join() === expected.map((j) => `run ${j}`).join()
        ? undefined
        : `ran ${run.join()}`;
    },
  };
}

test.each([
  [1, 1],
  [2, 2],
  [4, 1],
])(
  'ring: %i jobs, %i workers: each run once, delivered once and in order, nobody oversleeps',
  (jobs, workers) => {
    const { violation, runs, states } = explore(ringModel(jobs, workers));
    expect(violation).toBeUndefined();
    expect(runs).toBeGreaterThan(0);
    expect(states).toBeGreaterThan(10);
  },
);

test.each<[string, (ops: AtomicOps, p: RingProtocol) => Partial<RingProtocol>]>([
  [
    'a job is taken without compare-exchange',
    (ops) => ({
      take(ring, base, worker) {
        if (ops.load(ring, base + SLOT.STATE) !== SlotState.READY) return false;
        ops.store(ring, base + SLOT.STATE, SlotState.RUNNING | (worker << 4));
        return true;
      },
      // Reservations that overlap, as after a worker's death.
      reserve(ring, _most, _share, taken) {
        const from = ops.load(ring, RING.CLAIM);
        taken.count = from < ops.load(ring, RING.PUBLISHED) ? 1 : 0;
        ops.store(ring, RING.CLAIM, from + taken.count);
        return from;
      },
    }),
  ],
  [
    'the owner does not look once more before it sleeps',
    (ops) => ({
      ownerMaySleep(control) {
        ops.store(control, HEAD.OWNER_ASLEEP, 1);
        return true;
      },
    }),
  ],
  [
    'the owner looks first and says that it sleeps afterwards',
    (ops) => ({
      ownerMaySleep(control, anyDone) {
        if (anyDone()) return false;
        ops.store(control, HEAD.OWNER_ASLEEP, 1);
        return true;
      },
    }),
  ],
  [
    'a worker looks whether the owner sleeps before it says that the job is done',
    (_ops, p) => {
      const unfinished: number[] = [];
      return {
        finish(_ring, base) {
          unfinished.push(base);
        },
        mustWake(ring, control, window) {
          const wake = p.mustWake(ring, control, window);
          for (const base of unfinished.splice(0)) p.finish(ring, base);
          return wake;
        },
      };
    },
  ],
])('ring: caught: %s', (_name, breakIt) => {
  const make: Make = (ops) => {
    const p = makeRingProtocol(ops);
    return { ...p, ...breakIt(ops, p) };
  };
  expect(explore(ringModel(3, 2, make)).violation).toBeDefined();
});
test('ring: jobs reserved by a worker that dies are offered again, none is run twice', () => {
  const DEATH = 100;
  const model = ringModel(2, 1);
  const victim: ModelThread = ({ ops, area, notify }) => {
    makeRingProtocol(ops).reserve(area(RING_AT), 2, 1, { count: 0 });
    ops.store(area(CONTROL), DEATH, 1);
    notify(DEATH);
  };
  const undertaker: ModelThread = ({ ops, area, wait, notify }) => {
    while (ops.load(area(CONTROL), DEATH) === 0) wait(DEATH, 0);
    makeRingProtocol(ops).offerAgain(area(RING_AT));
    ops.store(area(CONTROL), DEATH, 2);
    notify(DEATH);
  };
  const rescuer: ModelThread = (tools) => {
    if (tools.resumed === undefined) {
      // A notification may be meant for someone else, so the word is what counts.
      const control = tools.area(CONTROL);
      for (let word = tools.ops.load(control, DEATH); word !== 2;) {
        tools.wait(DEATH, word);
        word = tools.ops.load(control, DEATH);
      }
    }
    model.threads[1]!(tools);
  };
  const { violation, runs } = explore({
    ...model,
    threads: [model.threads[0]!, victim, undertaker, rescuer],
  });
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
});

/** The owner offers jobs and wakes; the worker goes to sleep whenever it finds none. */
function sleepModel(broken: boolean): Model {
  const jobs = 2;
  const base = workerBase(1);
  const WORK = 110;
  return {
    words: WORDS,
    threads: [
      ({ ops, area, notify }) => {
        const p = makeSleepProtocol(ops);
        const control = area(CONTROL);
        for (let j = 0; j < jobs; j += 1) {
          ops.add(control, WORK, 1);
          p.publish(control);
          if (p.claimSleeper(control, base)) notify(base + WORKER.SLEEP);
        }
      },
      ({ ops, area, wait, note, mark, resumed }) => {
        const p = makeSleepProtocol(ops);
        const control = area(CONTROL);
        let done = resumed ?? 0;
        while (done < jobs) {
          mark(done);
          const early = broken ? 0 : p.look(control);
          const work = ops.load(control, WORK);
          if (work > done) {
            done += 1;
            note(`job ${done}`);
            continue;
          }
          // Broken: the epoch is read after the look for work, so what came in between is missed.
          const seen = broken ? p.look(control) : early;
          if (p.maySleep(control, base, seen)) wait(base + WORKER.SLEEP, 1);
          p.awake(control, base);
        }
      },
    ],
    check: (_words, history) => (history.length === jobs ? undefined : history.join()),
  };
}

test('sleep: a worker never sleeps over a publication; reading the epoch too late is caught', () => {
  expect(explore(sleepModel(false)).violation).toBeUndefined();
  expect(explore(sleepModel(true)).violation?.text).toContain('deadlock');
});

/** Two openings of one lane, one after the other, with helpers that come at any time. */
function laneModel(helpers: number, chunks: readonly number[], broken = false): Model {
  const LANE_AT = 0;
  const PRESENT = 40;
  const owner: ModelThread = ({ ops, area, wait, note, mark, resumed }) => {
    const p = makeLaneProtocol(ops);
    const words = area(LANE_AT);
    chunks.forEach((count, job) => {
      if (job < (resumed ?? 0)) return;
      mark(job);
      words[LANE.CLAIM] = 0;
      words[LANE.COUNT] = count;
      words[LANE.JOB] = job + 1;
      words[LANE.STOPPED] = 0;
      words[LANE.WAITING] = 0;
      p.open(words, 0);
      for (let k = p.claim(words, 0); k >= 0; k = p.claim(words, 0)) note(`${job + 1}.${k}`);
      p.close(words, 0);
      for (let w = 1; w <= helpers; w += 1) {
        if (p.hasLeft(words, PRESENT, w)) continue;
        ops.store(words, LANE.WAITING, 2);
        while (!p.hasLeft(words, PRESENT, w)) wait(PRESENT + w, 1);
      }
    });
  };
  const helper =
    (w: number): ModelThread =>
    ({ ops, area, notify, note }) => {
      const p = makeLaneProtocol(ops);
      const words = area(LANE_AT);
      const gate = ops.load(words, LANE.GATE);
      if ((gate & 1) === 0) return;
      if (broken || p.join(words, 0, PRESENT, w, gate)) {
        const job = ops.load(words, LANE.JOB);
        if (job !== (gate + 1) / 2) note(`helper of job ${(gate + 1) / 2} reads job ${job}`);
        const k = p.claim(words, 0);
        if (k >= 0) note(`${job}.${k}`);
      }
      if (p.leave(words, 0, PRESENT, w) === 2) notify(PRESENT + w);
    };
  return {
    words: 64,
    threads: [owner, ...Array.from({ length: helpers }, (_, i) => helper(i + 1))],
    summary: (history) => [...history].sort().join(),
    check(_words, history) {
      const expected = chunks.flatMap((count, job) =>
        Array.from({ length: count }, (_, k) => `${job + 1}.${k}`),
      );
      const sorted = [...history].sort().join();
      return sorted === expected.sort().join() ? undefined : sorted;
    },
  };
}

test.each([
  [1, [2, 2]],
  [2, [2, 1]],
  [1, [3, 1, 2]],
])(
  'lane: %i helpers, jobs of %j chunks: each chunk once, a late helper never touches the next job',
  (helpers, chunks) => {
    expect(explore(laneModel(helpers, chunks)).violation).toBeUndefined();
  },
);

test('lane: a helper that does not announce itself is caught', () => {
  expect(explore(laneModel(1, [2, 1], true)).violation).toBeDefined();
});

test('explore: reports exceptions with their schedule, and refuses to run without bound', () => {
  const model: Model = {
    words: 1,
    threads: [
      ({ ops, area }) => {
        const words = area(0);
        if (ops.exchange(words, 0, 2) === 1) throw new Error('met');
      },
      ({ ops, area }) => {
        ops.store(area(0), 0, 1);
      },
    ],
    check: () => undefined,
  };
  expect(explore(model).violation).toMatchObject({ text: 'met', schedule: [1, 0] });
  expect(() => explore(ringModel(2, 2), 20)).toThrow(RangeError);
});
