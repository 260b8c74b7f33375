/**
 * Jobs whose inputs travel by message, as a model: the owner submits, sends inputs to threads that have room, takes back
 * what waits behind a job of another thread, aborts, buries a thread that dies, delivers; workers take their mail, begin,
 * run, ask for more, and say that they are free. One job may be slow: its function ends once all others have begun or
 * ended, so an input that is left behind it is a deadlock. The steps are those of `protocol/sent.ts`; what is around them
 * is written as in feeder.ts, sent-jobs.ts, slot-runner.ts and worker-core.ts. The last worker may be importing a module:
 * this ring's, until all jobs have begun, so what waits for it alone is a deadlock; or another's, for ever. That a finished job wakes the owner, and
 * mail its thread, is taken to work: other models are about that.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import { HEAD, workerBase } from '../../dist/protocol/control-layout.js';
import {
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  slotWord,
} from '../../dist/protocol/ring-layout.js';
import { makeRingProtocol } from '../../dist/protocol/ring.js';
import { makeSentProtocol, sentTo } from '../../dist/protocol/sent.js';
import type { SentProtocol } from '../../dist/protocol/sent.js';

const WORKERS = [1, 2];
/** Not words of the real control block: a thread has died; jobs that have begun, or ended; mail; who is idle; an import is over. */
const DEATH = 8;
const BEGUN = 9;
const MAIL = 10;
const IDLE = 13;
const IMPORTED = 20;
const RING_AT = workerBase(3);
/** The thread that may die. */
const MORTAL = 2;
/** What became of a job that its function did not end. */
const ABORTED = 100;
const LOST = 101;

/** Makes the protocol, or a broken variant. */
export type MakeSent = (ops: AtomicOps) => SentProtocol;

/** Mistakes around the steps. */
export type SentMistake =
  | 'asks before it is free'
  | 'looks before it is free'
  | 'asks only when it begins'
  | 'no look before sleep'
  | 'no second look'
  | 'looks who is free first'
  | 'hands over to anybody'
  | 'counts whom its import keeps as free'
  | 'counts whom another import keeps as busy'
  | 'aborts what may have begun'
  | 'sends again what a dead thread had begun';

/** What is explored. */
export interface SentConfig {
  readonly jobs: number;
  /** A power of two. */
  readonly window: number;
  /** The job whose function lasts until all others have begun, or a thread has died. */
  readonly slow?: number | undefined;
  /** Jobs whose inputs are handed over: they leave the owner once. */
  readonly handedOver?: readonly number[];
  /** A job that is aborted when it is submitted; its thread may begin it at this moment. */
  readonly aborted?: number;
  /** The last worker may die at any step. */
  readonly mortal?: boolean;
  /** The last worker imports this ring's module, until all jobs have begun; or another's, for ever. The owner knows. */
  readonly importing?: 'this' | 'another';
  readonly mistake?: SentMistake;
  readonly make?: MakeSent;
}

/** The model of a configuration. */
export function sentModel(config: SentConfig): Model {
  const { jobs, window, mortal = false, aborted } = config;
  return {
    words: RING_AT + RING_HEAD_WORDS + window * SLOT_WORDS,
    threads: [ownerThread(config), ...WORKERS.map((w) => workerThread(config, w))],
    mortal: mortal ? { thread: MORTAL, word: DEATH, told: 0 } : undefined,
    summary: (history) =>
      `${history.filter((h) => h.startsWith('d')).join()} ${history
        .filter((h) => h.startsWith('r'))
        .sort()
        .join()}`,
    check(_words, history) {
      const delivered = history
        .filter((h) => h.startsWith('d'))
        .map((h) => h.split(' ').map(Number));
      const ran = history.filter((h) => h.startsWith('r')).map((h) => Number(h.split(' ')[1]));
      const order = delivered.map(([, job]) => job).join();
      if (order !== Array.from({ length: jobs }, (_, j) => j).join()) return `delivered: ${order}`;
      if (new Set(ran).size !== ran.length) return `run twice: ${ran.join()}`;
      for (const [, job, value] of delivered) {
        if (value === job && ran.includes(job!)) continue;
        if (value === ABORTED && job === aborted && !ran.includes(job!)) continue;
        if (value === LOST && mortal) continue;
        return `job ${job} gave ${value}; ran: ${ran.join()}`;
      }
      return delivered.filter(([, , value]) => value === LOST).length > 1
        ? 'two jobs lost'
        : undefined;
    },
  };
}

/** The owner, between two turns. */
interface OwnerState {
  next: number;
  tail: number;
  /** Inputs that wait here, a bit each. */
  held: number;
  /** The death was dealt with. */
  buried: boolean;
  /** The abort was. */
  aborted: boolean;
  /** Where in its turn it is. */
  at: number;
}

const SUBMIT = 0;
const LEVEL = 1;
const ANSWER = 3;
const DELIVER = 5;

const pack = ({ next, tail, held, buried, aborted, at }: OwnerState): number =>
  next | (tail << 3) | (held << 6) | (Number(buried) << 12) | (Number(aborted) << 13) | (at << 14);
const unpack = (n: number): OwnerState => ({
  next: n & 7,
  tail: (n >> 3) & 7,
  held: (n >> 6) & 63,
  buried: ((n >> 12) & 1) === 1,
  aborted: ((n >> 13) & 1) === 1,
  at: n >> 14,
});

function ownerThread(config: SentConfig): ModelThread {
  const { jobs, window, mistake, handedOver = [], make = makeSentProtocol } = config;
  return (tools) => {
    const { ops, area, until, atomic, note, mark, resumed = 0 } = tools;
    const p = make(ops);
    const r = makeRingProtocol(ops);
    const control = area(0);
    const ring = area(RING_AT);
    const me = unpack(resumed);
    const alive = (): number[] => WORKERS.filter((w) => w !== MORTAL || !me.buried);
    // Another series' module is no hindrance, however long it takes to import.
    const isKept = (): boolean =>
      config.importing === 'another'
        ? mistake === 'counts whom another import keeps as busy'
        : config.importing === 'this' &&
          control[IMPORTED] === 0 &&
          mistake !== 'counts whom its import keeps as free';
    const isFree = (w: number): boolean =>
      p.isFree(control, workerBase(w)) && !(w === MORTAL && isKept());
    const state = (s: number): number => ops.load(ring, slotWord(window, s) + SLOT.STATE);
    const unbegun = (w: number): number => {
      let count = 0;
      for (let s = me.next; s < me.tail; s += 1) if (state(s) === sentTo(w)) count += 1;
      return count;
    };
    const oldest = (): number => 31 - Math.clz32(me.held & -me.held);
    const send = (s: number, from: number, w: number): void => {
      if (!p.bind(ring, slotWord(window, s), from, w)) return;
      atomic(() => ops.store(control, MAIL + w, ops.load(control, MAIL + w) | (1 << s)));
    };
    const here = (at: number): void => {
      me.at = at;
      mark(pack(me));
    };
    const tell = (): void => {
      p.holds(ring, me.held);
    };
    const dropEnded = (): void => {
      while (me.held !== 0 && (oldest() < me.next || state(oldest()) !== sentTo(0))) {
        me.held &= me.held - 1;
      }
    };
    const takeBack = (w: number): void => {
      // A thread that is free begins the oldest that it has at once.
      const found = atomic(() => {
        const kept = alive().filter(isFree);
        for (let s = me.next; s < me.tail; s += 1) {
          const was = state(s);
          const from = was >> STATE_BITS;
          if (from === 0 || from === w || was !== sentTo(from)) continue;
          if (handedOver.includes(s)) continue;
          const at = kept.indexOf(from);
          if (at < 0) return { s, from };
          kept.splice(at, 1);
        }
        return undefined;
      });
      if (found !== undefined) send(found.s, found.from, w);
    };
    const feed = (): void => {
      atomic(dropEnded);
      if (me.held === 0) return;
      const threads = alive().map((w) => {
        const early = mistake === 'looks who is free first' && isFree(w);
        const count = atomic(() => unbegun(w));
        const free = mistake === 'looks who is free first' ? early : isFree(w);
        return { w, free, jobs: count, given: false };
      });
      while (me.held !== 0) {
        const s = oldest();
        const room = threads.filter((t) => t.jobs === 0);
        const anybody = !handedOver.includes(s) || mistake === 'hands over to anybody';
        const to = anybody
          ? (room.find((t) => t.free && !t.given) ?? room[0])
          : room.find((t) => t.free && !t.given);
        if (to === undefined) break;
        to.jobs += 1;
        to.given = true;
        me.held &= me.held - 1;
        send(s, 0, to.w);
      }
      tell();
    };
    const level = (w: number): void => {
      if (me.held !== 0 || mistake === 'no second look' || !alive().includes(w)) return;
      if (atomic(() => unbegun(w)) === 0 && isFree(w)) takeBack(w);
    };
    const answer = (w: number): void => {
      if (control[IDLE + w] === 0 || !alive().includes(w)) return;
      control[IDLE + w] = 0;
      if (me.held === 0 && atomic(() => unbegun(w)) === 0 && isFree(w)) takeBack(w);
    };
    const canFeed = (): boolean =>
      mistake !== 'no look before sleep' &&
      atomic(() => {
        dropEnded();
        if (me.held === 0) return false;
        const free = handedOver.includes(oldest());
        return alive().some((w) => unbegun(w) === 0 && (!free || isFree(w)));
      });
    for (;;) {
      if (me.at === SUBMIT) {
        while (me.tail < jobs && me.tail - me.next < window) {
          const base = slotWord(window, me.tail);
          ring[base + SLOT.SEQ] = me.tail;
          ring[base + SLOT.KIND] = 0;
          p.keep(ring, base);
          me.held |= 1 << me.tail;
          me.tail += 1;
        }
        if (!me.buried && control[DEATH] === 1) {
          bury(config, tools, me);
          me.buried = true;
        }
        feed();
        if (!me.aborted && config.aborted !== undefined && config.aborted < me.tail) {
          if (config.aborted >= me.next)
            end(config, tools, slotWord(window, config.aborted), ABORTED);
          me.aborted = true;
        }
        here(LEVEL);
      }
      for (const w of WORKERS) {
        if (me.at !== LEVEL + w - 1) continue;
        level(w);
        here(me.at + 1);
      }
      for (const w of WORKERS) {
        if (me.at !== ANSWER + w - 1) continue;
        answer(w);
        here(me.at + 1);
      }
      while (me.next < me.tail && r.isDone(ring, slotWord(window, me.next))) {
        const base = slotWord(window, me.next);
        note(`d ${me.next} ${ring[base + SLOT.KIND]}`);
        r.free(ring, base);
        me.next += 1;
        here(DELIVER);
      }
      if (me.next === jobs) break;
      const nextAt = RING_AT + slotWord(window, me.next) + SLOT.STATE;
      const isCalled = (words: Words): boolean =>
        words[HEAD.OWNER_ASLEEP] !== 1 ||
        words[nextAt] === SlotState.DONE ||
        WORKERS.some((w) => words[IDLE + w] === 1) ||
        (!me.buried && words[DEATH] === 1);
      if (me.tail === jobs || me.tail - me.next === window) {
        if (r.ownerMaySleep(control, canFeed)) until(isCalled);
        r.ownerAwake(control);
      }
      here(SUBMIT);
    }
    ops.store(control, HEAD.STOP, 1);
  };
}

/** Ends a job from outside, unless its function has begun. */
function end(
  { mistake }: SentConfig,
  { ops, area }: ThreadTools,
  base: number,
  value: number,
  ofDead = false,
): void {
  const r = makeRingProtocol(ops);
  const ring = area(RING_AT);
  for (;;) {
    const state = ops.load(ring, base + SLOT.STATE);
    const phase = state & STATE_MASK;
    if (phase !== SlotState.SENT && !(ofDead && phase === SlotState.RUNNING)) return;
    if (mistake === 'aborts what may have begun')
      ops.store(ring, base + SLOT.STATE, SlotState.RUNNING);
    else if (!r.settle(ring, base, state)) continue;
    ring[base + SLOT.KIND] = value;
    area(0)[BEGUN]! |= 1 << ring[base + SLOT.SEQ]!;
    r.finish(ring, base);
    return;
  }
}

/** What `LostJobs.workerDied` does. */
function bury(config: SentConfig, tools: ThreadTools, me: OwnerState): void {
  const { window, handedOver = [], mistake, make = makeSentProtocol } = config;
  const { ops, area } = tools;
  const ring = area(RING_AT);
  for (let s = me.next; s < me.tail; s += 1) {
    const base = slotWord(window, s);
    const state = ops.load(ring, base + SLOT.STATE);
    if (state >> STATE_BITS !== MORTAL) continue;
    const isNotBegun =
      mistake === 'sends again what a dead thread had begun' || state === sentTo(MORTAL);
    if (isNotBegun && !handedOver.includes(s)) {
      make(ops).keep(ring, base);
      me.held |= 1 << s;
    } else end(config, tools, base, LOST, true);
  }
}

function workerThread(config: SentConfig, worker: number): ModelThread {
  const { jobs, window, slow, mistake, make = makeSentProtocol } = config;
  const all = (1 << jobs) - 1;
  return (tools) => {
    const { ops, area, until, atomic, note, mark, resumed = 0 } = tools;
    const p = make(ops);
    const r = makeRingProtocol(ops);
    const control = area(0);
    const ring = area(RING_AT);
    /** Inputs that have come and were not looked at, a bit each. */
    let mail = resumed;
    const ask = (): void => {
      p.mustAsk(ring, control);
    };
    const run = (sequence: number): void => {
      const base = slotWord(window, sequence);
      const isMine = p.begin(ring, base, worker, sequence);
      if (isMine) {
        note(`r ${sequence}`);
        control[BEGUN]! |= 1 << sequence;
      }
      ask();
      if (!isMine) return;
      if (sequence === slow) until((words: Words) => words[BEGUN] === all || words[DEATH] === 1);
      ring[base + SLOT.KIND] = sequence;
      r.finish(ring, base);
    };
    const look = (): boolean =>
      atomic(() => {
        for (let i = 0; i < window; i += 1) {
          const state = ops.load(ring, slotWord(window, i) + SLOT.STATE);
          const of = state >> STATE_BITS;
          if (of !== 0 && of !== worker && state === sentTo(of)) return true;
        }
        return false;
      });
    if (config.importing === 'this' && worker === MORTAL && control[IMPORTED] === 0) {
      // It turns its loop meanwhile: free, but it asks for nothing and looks at nothing of this ring.
      p.free(control, workerBase(worker));
      until((words: Words) => words[BEGUN] === all || words[HEAD.STOP] === 1);
      ops.store(control, IMPORTED, 1);
    }
    for (;;) {
      while (mail !== 0) {
        const sequence = 31 - Math.clz32(mail & -mail);
        mail &= mail - 1;
        run(sequence);
        mark(mail);
      }
      let seen = false;
      if (mistake === 'asks before it is free') ask();
      if (mistake === 'looks before it is free') seen = look();
      p.free(control, workerBase(worker));
      if (mistake !== 'asks before it is free' && mistake !== 'asks only when it begins') ask();
      if (mistake !== 'looks before it is free') seen = look();
      if (seen) ops.store(control, IDLE + worker, 1);
      until((words: Words) => words[MAIL + worker] !== 0 || words[HEAD.STOP] === 1);
      p.busy(control, workerBase(worker));
      mail = ops.exchange(control, MAIL + worker, 0);
      if (mail === 0 && ops.load(control, HEAD.STOP) === 1) return;
      mark(mail);
    }
  };
}
