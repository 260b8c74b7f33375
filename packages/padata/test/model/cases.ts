/** Broken variants of the protocols: what exploring has to find, in the suite and in the soak. */
import type { AtomicOps, Model } from '@bootmem/padata/testing';
import { HEAD, LANE } from '../../dist/protocol/control-layout.js';
import { makeLaneProtocol } from '../../dist/protocol/lane.js';
import type { LaneProtocol } from '../../dist/protocol/lane.js';
import { RING, SLOT, STATE_BITS, SlotState, isPending } from '../../dist/protocol/ring-layout.js';
import { makeRingProtocol } from '../../dist/protocol/ring.js';
import type { RingProtocol } from '../../dist/protocol/ring.js';
import { laneModel } from './lane-model.js';
import type { LaneConfig, MakeLane } from './lane-model.js';
import { levelsModel } from './levels-model.js';
import type { MakeLevels } from './levels-model.js';
import { makeLooseProtocol, topOf } from '../../dist/protocol/loose.js';
import type { LooseProtocol } from '../../dist/protocol/loose.js';
import { looseModel } from './loose-model.js';
import type { LooseConfig, MakeLoose } from './loose-model.js';
import { partsModel } from './parts-model.js';
import type { PartsConfig } from './parts-model.js';
import { pendingModel } from './pending-model.js';
import type { PendingConfig } from './pending-model.js';
import { ringModel } from './ring-model.js';
import type { MakeRing, RingConfig } from './ring-model.js';
import { makeSentProtocol, sentTo } from '../../dist/protocol/sent.js';
import type { SentProtocol } from '../../dist/protocol/sent.js';
import { sentModel } from './sent-model.js';
import type { MakeSent, SentConfig } from './sent-model.js';
import { sleepModel } from './sleep-model.js';

type BreakRing = (ops: AtomicOps, p: RingProtocol) => Partial<RingProtocol>;
type BreakLane = (ops: AtomicOps, p: LaneProtocol) => Partial<LaneProtocol>;

const brokenRing =
  (breakIt: BreakRing): MakeRing =>
  (ops) => {
    const p = makeRingProtocol(ops);
    return { ...p, ...breakIt(ops, p) };
  };

const brokenLane =
  (breakIt: BreakLane): MakeLane =>
  (ops) => {
    const p = makeLaneProtocol(ops);
    return { ...p, ...breakIt(ops, p) };
  };

const brokenSent =
  (breakIt: (ops: AtomicOps) => Partial<SentProtocol>): MakeSent =>
  (ops) => ({ ...makeSentProtocol(ops), ...breakIt(ops) });

const brokenLoose =
  (breakIt: (ops: AtomicOps) => Partial<LooseProtocol>): MakeLoose =>
  (ops) => ({ ...makeLooseProtocol(ops), ...breakIt(ops) });

/** A mistake and a model that has it. */
export type Mistake = readonly [name: string, model: Model];

const RING_CASE: Omit<RingConfig, 'make'> = { jobs: 3, workers: 2, window: 2 };
const ringMistakes: readonly (readonly [string, BreakRing, Partial<RingConfig>?])[] = [
  [
    'a job is taken without compare-exchange',
    (ops) => ({
      take(ring, base, worker) {
        if (ops.load(ring, base + SLOT.STATE) !== SlotState.READY) return false;
        ops.store(ring, base + SLOT.STATE, SlotState.RUNNING | (worker << STATE_BITS));
        return true;
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
    (ops, p) => ({
      finish(ring, base) {
        // The wrong order in one piece; the right look, which comes later, is taken away.
        ops.load(ring, RING.PROCESSED);
        p.finish(ring, base);
      },
      mustWake: () => false,
    }),
  ],
  [
    'the owner delivers without publishing what is next',
    () => ({
      passed() {
        /* The workers go on looking at the first job. */
      },
    }),
    { jobs: 2 },
  ],
  [
    'the owner awaits a job that it has not submitted',
    (_ops, p) => ({
      passed(ring, next, awaited) {
        p.passed(ring, next, awaited + 1);
      },
    }),
    { patient: true },
  ],
  [
    'after a death nothing is offered again',
    () => ({
      offerAgain() {
        /* What the dead worker had reserved stays reserved. */
      },
    }),
    { mortal: true, steal: false },
  ],
  [
    'a job is published and never made ready',
    () => ({
      offer() {
        /* A reservation steps over it. */
      },
    }),
    { steal: false },
  ],
  [
    'what was submitted is not published',
    () => ({
      publish() {
        /* Nobody hears of it. */
      },
    }),
  ],
];

const PENDING_CASE: Omit<PendingConfig, 'make'> = {
  jobs: 2,
  workers: 1,
  window: 1,
  aborted: [0],
};
const pendingMistakes: readonly (readonly [string, BreakRing, Partial<PendingConfig>?])[] = [
  [
    'the owner settles without compare-exchange',
    (ops) => ({
      settle(ring, base, state) {
        if (ops.load(ring, base + SLOT.STATE) !== state) return false;
        ops.store(ring, base + SLOT.STATE, SlotState.RUNNING);
        return true;
      },
    }),
  ],
  [
    'a promise that ends takes the job back without compare-exchange',
    (ops) => ({
      regain(ring, base, worker, sequence) {
        if (ring[base + SLOT.SEQ] !== sequence) return false;
        const state = ops.load(ring, base + SLOT.STATE);
        if (!isPending(state) || state >> STATE_BITS !== worker) return false;
        ops.store(ring, base + SLOT.STATE, SlotState.RUNNING | (worker << STATE_BITS));
        return true;
      },
    }),
  ],
  [
    'an abandoned promise ends whatever is in its slot now',
    (ops) => ({
      regain(ring, base, worker) {
        const state = ops.load(ring, base + SLOT.STATE);
        if (!isPending(state) || state >> STATE_BITS !== worker) return false;
        const running = SlotState.RUNNING | (worker << STATE_BITS);
        return ops.compareExchange(ring, base + SLOT.STATE, state, running) === state;
      },
    }),
  ],
  [
    'a pending function gets its bytes without a word to the owner',
    (ops) => ({
      hold(ring, base, worker, sequence) {
        if (ring[base + SLOT.SEQ] !== sequence) return false;
        const state = ops.load(ring, base + SLOT.STATE);
        return isPending(state) && state >> STATE_BITS === worker;
      },
    }),
    { jobs: 3, workers: 2, window: 2 },
  ],
  [
    'a job whose function has bytes looks as if it had none',
    (_ops, p) => ({
      pend(ring, base, worker) {
        p.pend(ring, base, worker, false);
      },
    }),
    { jobs: 3, workers: 2, window: 2, views: true },
  ],
];

const LANE_CASE: LaneConfig = { chunks: [2, 1], helpers: 1 };
const laneMistakes: readonly (readonly [string, BreakLane, Partial<LaneConfig>?])[] = [
  [
    'a helper does not look at the gate after it has announced itself',
    (ops) => ({
      join(words, _base, present, w) {
        ops.store(words, present + w, 1);
        return true;
      },
    }),
  ],
  [
    'a helper looks at the gate first and announces itself afterwards',
    (ops) => ({
      join(words, base, present, w, gate) {
        const open = ops.load(words, base + LANE.GATE) === gate;
        ops.store(words, present + w, 1);
        return open;
      },
    }),
  ],
  [
    'a claim in two steps',
    (ops) => ({
      claim(words, base) {
        if (ops.load(words, base + LANE.STOPPED) !== 0) return -1;
        const index = ops.load(words, base + LANE.CLAIM);
        ops.store(words, base + LANE.CLAIM, index + 1);
        return index < ops.load(words, base + LANE.COUNT) ? index : -1;
      },
    }),
  ],
  [
    'a helper that leaves does not look whether the owner waits',
    (ops) => ({
      leave(words, _base, present, w) {
        ops.store(words, present + w, 0);
        return 0;
      },
    }),
  ],
  [
    'a helper looks whether the owner waits before it leaves',
    (ops) => ({
      leave(words, base, present, w) {
        const waiting = ops.load(words, base + LANE.WAITING);
        ops.store(words, present + w, 0);
        return waiting;
      },
    }),
  ],
  [
    'the owner does not wait for those who are present',
    () => ({
      hasLeft: () => true,
    }),
  ],
  [
    'a chunk that a dead helper had claimed and not begun is not asked for',
    () => ({}),
    { mortal: true, forgetful: true, chunks: [2] },
  ],
];

const SENT_CASE: SentConfig = { jobs: 2, window: 2, slow: 0 };
const sentMistakes: readonly (readonly [string, Partial<SentConfig>])[] = [
  [
    'a job is begun without compare-exchange',
    {
      make: brokenSent((ops) => ({
        begin(ring, base, worker, sequence) {
          if (ops.load(ring, base + SLOT.STATE) !== sentTo(worker)) return false;
          if (ring[base + SLOT.SEQ] !== sequence) return false;
          ops.store(ring, base + SLOT.STATE, SlotState.RUNNING | (worker << STATE_BITS));
          return true;
        },
      })),
    },
  ],
  [
    'a job is given to another thread without compare-exchange',
    {
      make: brokenSent((ops) => ({
        bind(ring, base, from, to) {
          if (ops.load(ring, base + SLOT.STATE) !== sentTo(from)) return false;
          ops.store(ring, base + SLOT.STATE, sentTo(to));
          return true;
        },
      })),
    },
  ],
  [
    'a thread looks whose slot it is before it begins, not afterwards',
    {
      window: 1,
      slow: undefined,
      make: brokenSent((ops) => ({
        begin(ring, base, worker, sequence) {
          const running = SlotState.RUNNING | (worker << STATE_BITS);
          const sent = sentTo(worker);
          if (ops.load(ring, base + SLOT.STATE) !== sent) return false;
          if (ring[base + SLOT.SEQ] !== sequence) return false;
          return ops.compareExchange(ring, base + SLOT.STATE, sent, running) === sent;
        },
      })),
    },
  ],
  [
    'an input that came late is taken for that of the next job in its slot',
    {
      jobs: 4,
      window: 2,
      slow: undefined,
      make: brokenSent((ops) => ({
        begin(ring, base, worker) {
          const running = SlotState.RUNNING | (worker << STATE_BITS);
          const sent = sentTo(worker);
          return ops.compareExchange(ring, base + SLOT.STATE, sent, running) === sent;
        },
      })),
    },
  ],
  [
    'a thread asks for inputs before it says that it is free',
    { mistake: 'asks before it is free', handedOver: [1] },
  ],
  [
    'a thread asks for inputs when it begins one, not when it is free',
    { mistake: 'asks only when it begins', handedOver: [1] },
  ],
  [
    'a thread looks at what waits for others before it says that it is free',
    { jobs: 3, window: 4, mistake: 'looks before it is free' },
  ],
  [
    'the owner does not look once more who is free after it has sent',
    { jobs: 3, window: 4, mistake: 'no second look' },
  ],
  [
    'the owner does not look for a thread before it sleeps',
    { mistake: 'no look before sleep', handedOver: [1] },
  ],
  [
    'the owner looks who is free before it looks what he has',
    { mistake: 'looks who is free first', jobs: 3, window: 4, handedOver: [1, 2] },
  ],
  [
    'an abort ends a job that a thread begins',
    { mistake: 'aborts what may have begun', aborted: 1 },
  ],
  [
    'what a dead thread had begun is sent to another',
    { mistake: 'sends again what a dead thread had begun', mortal: true },
  ],
  [
    'an input that is handed over goes to a thread that is not free',
    { jobs: 3, window: 4, mistake: 'hands over to anybody', handedOver: [1, 2] },
  ],
  [
    'an input goes for good to a thread that still imports the module',
    { mistake: 'counts whom its import keeps as free', importing: 'this', slow: undefined },
  ],
  [
    'an input that is handed over does not go to a thread that imports another module',
    { mistake: 'counts whom another import keeps as busy', importing: 'another', handedOver: [1] },
  ],
];

const LOOSE_CASE: LooseConfig = { jobs: 3, workers: 2, window: 2, coarse: true };
const looseMistakes: readonly (readonly [string, Partial<LooseConfig>])[] = [
  [
    'a job that ends is put on the list without compare-exchange',
    {
      make: brokenLoose((ops) => ({
        finish(ring, base) {
          ring[base + SLOT.NEXT] = ops.load(ring, RING.ENDED);
          ops.store(ring, RING.ENDED, base);
        },
      })),
    },
  ],
  [
    'a job that ends says what lies under it when it is on the list',
    {
      make: brokenLoose((ops) => ({
        finish(ring, base) {
          for (;;) {
            const before = ops.load(ring, RING.ENDED);
            if (ops.compareExchange(ring, RING.ENDED, before, base) !== before) continue;
            ops.store(ring, base + SLOT.NEXT, before);
            return;
          }
        },
      })),
    },
  ],
  [
    'the owner takes the list and empties it in two steps',
    {
      make: brokenLoose((ops) => ({
        collect(ring) {
          const base = topOf(ops.load(ring, RING.ENDED));
          if (base !== 0) ops.store(ring, RING.ENDED, 0);
          return base;
        },
      })),
    },
  ],
  ['a thread does not wake the owner', { make: brokenLoose(() => ({ mustWake: () => false })) }],
  ...(
    [
      ['a place is written though its job is not begun', { jobs: 4, steal: false }],
      ['what a dead thread had reserved is not queued again', { mortal: true, steal: false }],
      ['what a dead thread had ended is not collected before it is settled', { mortal: true }],
      ['a slot is free as soon as it is collected', {}],
      ['the owner does not look once more before it sleeps', {}],
      ['the owner looks first and says that it sleeps afterwards', {}],
      ['a worker looks whether the owner sleeps before the job has ended', {}],
      ['a thread that has nothing more to do tells nothing', { awaited: 2 }],
      ['the owner sleeps over what has ended though nothing waits', { awaited: 2 }],
    ] as const
  ).map(([mistake, more]) => [mistake, { ...more, mistake }] as const),
];

const PARTS_CASE: PartsConfig = {
  inputs: [1, 1, 2],
  window: 4,
  first: 4,
  more: 4,
  parts: 2,
  events: true,
};
const partsMistakes: readonly (readonly [string, Partial<PartsConfig>])[] = [
  [
    'the owner offers a job before it tells of the part',
    { mistake: 'offers before it tells', events: false },
  ],
  ['a thread runs a job whose part it does not know', { mistake: 'runs what it does not know' }],
  [
    'a thread sets a job aside without a look into its mail',
    { mistake: 'no look into the mail', events: false },
  ],
  [
    'a thread that waits for a part takes more jobs of it',
    { mistake: 'sets aside one after the other', inputs: [1, 1, 1], more: 8, parts: 1 },
  ],
  [
    'what is set aside is run when another part comes',
    { mistake: 'runs what is set aside when any part comes' },
  ],
  [
    'a thread leaves with a job set aside',
    { mistake: 'leaves with a job set aside', last: 'leaves' },
  ],
  [
    'threads that leave hear of no part',
    { mistake: 'tells nobody who leaves', last: 'leaves', events: false },
  ],
  [
    'a thread that starts hears of the parts to come alone',
    { mistake: 'announces the first part alone', last: 'late' },
  ],
  [
    "the handle of a deferred job names the ring's own part alone",
    { mistake: 'a handle names the first part alone', deferred: 1, events: false },
  ],
  ['a stretch lies in two parts', { mistake: 'a stretch lies in two parts' }],
  [
    'an abort ends a job that its thread has set aside',
    { mistake: 'an abort ends what is set aside', aborted: 1 },
  ],
  [
    'what a thread had set aside when it died is left',
    { mistake: 'a dead thread keeps what it has set aside', last: 'dies' },
  ],
];

/** Every mistake. */
const AT_LOWEST = HEAD.PASSED + 2;
const levelsMistakes: readonly (readonly [string, MakeLevels])[] = [
  [
    'starts are counted without compare-exchange',
    (ops) => ({
      pass(control) {
        const passed = ops.load(control, AT_LOWEST);
        ops.store(control, AT_LOWEST, passed >= 15 ? 0 : passed + 1);
        return passed >= 15;
      },
    }),
  ],
  [
    'whoever finds the count full takes the turn, and empties it afterwards',
    (ops) => ({
      pass(control) {
        if (ops.add(control, AT_LOWEST, 1) < 15) return false;
        ops.store(control, AT_LOWEST, 0);
        return true;
      },
    }),
  ],
  [
    'one start more passes',
    (ops) => ({
      pass(control) {
        for (;;) {
          const passed = ops.load(control, AT_LOWEST);
          const next = passed > 15 ? 0 : passed + 1;
          if (ops.compareExchange(control, AT_LOWEST, passed, next) === passed) return next === 0;
        }
      },
    }),
  ],
];

export const MISTAKES: readonly Mistake[] = [
  ...levelsMistakes.map(([name, make]): Mistake => [
    `levels: ${name}`,
    levelsModel({ workers: 2, starts: 18, make }),
  ]),
  ...ringMistakes.map(([name, breakIt, more]): Mistake => [
    `ring: ${name}`,
    ringModel({ ...RING_CASE, ...more, make: brokenRing(breakIt) }),
  ]),
  ...laneMistakes.map(([name, breakIt, more]): Mistake => [
    `lane: ${name}`,
    laneModel({ ...LANE_CASE, ...more, make: brokenLane(breakIt) }),
  ]),
  // The reduction of the largest case hides none of them.
  ...laneMistakes
    .filter(([, , more]) => more?.mortal !== true)
    .map(([name, breakIt]): Mistake => [
      `lane in coarse steps: ${name}`,
      laneModel({ ...LANE_CASE, coarse: true, make: brokenLane(breakIt) }),
    ]),
  ...pendingMistakes.map(([name, breakIt, more]): Mistake => [
    `pending: ${name}`,
    pendingModel({ ...PENDING_CASE, ...more, make: brokenRing(breakIt) }),
  ]),
  [
    'pending: bytes that an abandoned function still sees go to the next job',
    pendingModel({ ...PENDING_CASE, jobs: 3, workers: 2, window: 2, views: true, noHoles: true }),
  ],
  ...sentMistakes.map(([name, more]): Mistake => [
    `by message: ${name}`,
    sentModel({ ...SENT_CASE, ...more }),
  ]),
  ...partsMistakes.map(([name, more]): Mistake => [
    `parts: ${name}`,
    partsModel({ ...PARTS_CASE, ...more }),
  ]),
  ...looseMistakes.map(([name, more]): Mistake => [
    `without order: ${name}`,
    looseModel({ ...LOOSE_CASE, ...more }),
  ]),
  [
    'sleep: the epoch is read after the look for work',
    sleepModel({ jobs: 1, workers: 1, by: 'epoch', broken: 'late-epoch' }),
  ],
  [
    'sleep: a worker does not look at the ring again before it sleeps',
    sleepModel({ jobs: 1, workers: 1, by: 'ring', broken: 'no-second-look' }),
  ],
];
