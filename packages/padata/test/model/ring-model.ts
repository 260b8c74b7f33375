/**
 * The reorder protocol as a model: the owner submits jobs as its window has room, delivers them in order, sleeps
 * in between; workers reserve, take, run, finish and wake it, take over what others have not begun, and sleep when
 * there is nothing. The steps are those of `protocol/ring.ts`, which ships; what is around them is written as in
 * slot-ring.ts, owner-turns.ts, slot-runner.ts and job-calls.ts. A worker's own sleep (`protocol/sleep.ts`) is taken
 * to work here and has a model of its own.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import { HEAD } from '../../dist/protocol/control-layout.js';
import {
  RING,
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  slotWord,
} from '../../dist/protocol/ring-layout.js';
import { makeRingProtocol } from '../../dist/protocol/ring.js';
import type { RingProtocol } from '../../dist/protocol/ring.js';

const CONTROL = 0;
/** Not words of the real control block: a thread has died; the survivors may end. */
const DEATH = 60;
const RING_AT = 64;

/** Makes the protocol, or a broken variant. */
export type MakeRing = (ops: AtomicOps) => RingProtocol;

/** What is explored. */
export interface RingConfig {
  readonly jobs: number;
  readonly workers: number;
  /** A power of two; smaller than `jobs`: slots are used again. */
  readonly window: number;
  /** Jobs reserved in one step at most. */
  readonly batch?: number;
  /** Idle workers take over what is reserved and not begun. Default true. */
  readonly steal?: boolean;
  /** The owner publishes once for all that it submits in one go, not for each job. */
  readonly lazy?: boolean;
  /** A worker looks whether the owner sleeps after each job, not only at the end of what it reserved. */
  readonly eager?: boolean;
  /** The owner awaits the last job submitted, not the next in order. */
  readonly patient?: boolean;
  /** The last worker may die at any step; its job fails. */
  readonly mortal?: boolean;
  /**
   * 'steal': looking for a job to take over is one step; 'all': looking for one to reserve as well, and both are
   * done as soon as they can be. What they find is a hint: the compare-exchange of `take` decides.
   */
  readonly coarse?: 'steal' | 'all';
  readonly make?: MakeRing;
}

/** The model of a configuration. */
export function ringModel(config: RingConfig): Model {
  const { jobs, workers, window, mortal = false } = config;
  const make = config.make ?? makeRingProtocol;
  const victim = mortal ? workers : 0;
  const worker = workerThread(config, 1);
  const threads = Array.from({ length: workers }, () => worker);
  if (mortal) threads[workers - 1] = workerThread(config, 2);
  return {
    words: RING_AT + RING_HEAD_WORDS + window * SLOT_WORDS,
    threads: [ownerThread(make, config), ...threads],
    mortal: mortal ? { thread: victim, word: DEATH, told: 0 } : undefined,
    // Deliveries in their order; of runs only how often.
    summary: (history) =>
      `${history.filter((h) => h.startsWith('deliver')).join()} ${history
        .filter((h) => h.startsWith('run'))
        .sort()
        .join()}`,
    check(_words, history) {
      const expected = Array.from({ length: jobs }, (_, j) => j);
      const delivered = history.filter((h) => h.startsWith('deliver'));
      if (delivered.map((h) => h.split(' ')[1]).join() !== expected.join()) {
        return `delivered: ${delivered.join()}`;
      }
      const lost = delivered.filter((h) => h.endsWith('lost')).length;
      const ran = history.filter((h) => h.startsWith('run')).map((h) => Number(h.split(' ')[1]));
      if (new Set(ran).size !== ran.length) return `run twice: ${ran.join()}`;
      // A job that is lost may have begun; every other one has run.
      if (lost > (mortal ? 1 : 0) || ran.length < jobs - lost) return `ran: ${ran.join()}`;
      return undefined;
    },
  };
}

const isCalled = (words: Words): boolean => words[HEAD.OWNER_ASLEEP] !== 1;
const isCalledOrDeath = (words: Words): boolean => isCalled(words) || words[DEATH] === 1;

/** Places in the owner's loop that it can be resumed at. */
const SUBMIT = 0;
const DRAIN = 1;

function ownerThread(
  make: MakeRing,
  { jobs, window, lazy = false, patient = false }: RingConfig,
): ModelThread {
  return (tools) => {
    const { ops, area, until, note, mark, resumed = 0 } = tools;
    const p = make(ops);
    const control = area(CONTROL);
    const ring = area(RING_AT);
    let at = resumed & 1;
    let dead = (resumed >> 1) & 1;
    let count = (resumed >> 2) & 1;
    let next = (resumed >> 3) & 15;
    let tail = (resumed >> 7) & 15;
    const here = (place: number): void => {
      at = place;
      mark(place | (dead << 1) | (count << 2) | (next << 3) | (tail << 7));
    };
    const isNextDone = (): boolean => next < tail && p.isDone(ring, slotWord(window, next));
    const awaited = (): number => {
      if (!patient || tail - next < 2) return next;
      return p.isDone(ring, slotWord(window, tail - 1)) ? next : tail - 1;
    };
    // What is done stays where it is until the job that is awaited has ended too.
    const isDue = (last: number): boolean =>
      isNextDone() && (last === next || p.isDone(ring, slotWord(window, last)));
    for (;;) {
      if (at === SUBMIT) {
        while (tail < jobs && tail - next < window) {
          const base = slotWord(window, tail);
          ring[base + SLOT.SEQ] = tail;
          ring[base + SLOT.KIND] = 0;
          tail += 1;
          p.offer(ring, base);
          const more = tail < jobs && tail - next < window;
          if (!(lazy && more)) p.publish(ring, tail);
          here(SUBMIT);
        }
        if (dead === 0 && control[DEATH] === 1) {
          bury(tools, p, window, next, tail);
          dead = 1;
        }
        count = 0;
        here(DRAIN);
      }
      while (isNextDone()) {
        const base = slotWord(window, next);
        note(`deliver ${ring[base + SLOT.SEQ]}${ring[base + SLOT.KIND] === 9 ? ' lost' : ''}`);
        p.free(ring, base);
        next += 1;
        count = 1;
        here(DRAIN);
      }
      const last = awaited();
      if (count > 0 || patient) p.passed(ring, next, last);
      if (next === jobs) break;
      if (!(tail < jobs && tail - next < window)) {
        // A message ends the sleep: that of a worker, or the one that says that a thread has ended.
        const hasWork = (): boolean => isDue(last);
        if (p.ownerMaySleep(control, hasWork)) until(dead === 0 ? isCalledOrDeath : isCalled);
        p.ownerAwake(control);
      }
      here(SUBMIT);
    }
    ops.store(control, HEAD.STOP, 1);
  };
}

/** What `SlotRing.workerDied` does: the job that the dead thread ran fails, the rest is on offer again. */
function bury(
  { ops, area }: ThreadTools,
  p: RingProtocol,
  window: number,
  next: number,
  tail: number,
): void {
  const ring = area(RING_AT);
  for (let s = next; s < tail; s += 1) {
    const base = slotWord(window, s);
    const state = ops.load(ring, base + SLOT.STATE);
    if (state >> STATE_BITS !== 2 || (state & STATE_MASK) !== SlotState.RUNNING) continue;
    if (ops.compareExchange(ring, base + SLOT.STATE, state, SlotState.RUNNING) !== state) continue;
    ring[base + SLOT.KIND] = 9;
    p.finish(ring, base);
  }
  p.offerAgain(ring);
}

function workerThread(config: RingConfig, id: number): ModelThread {
  const { window, batch = 2, steal = true, eager = true, coarse, make = makeRingProtocol } = config;
  const RING_STATE = RING_AT + SLOT.STATE;
  const canWork = (words: Words): boolean =>
    words[HEAD.STOP] === 1 || words[RING_AT + RING.PUBLISHED]! > words[RING_AT + RING.CLAIM]!;
  const canWorkOrSteal = (words: Words): boolean => {
    if (canWork(words)) return true;
    if (!steal) return false;
    const to = words[RING_AT + RING.PUBLISHED]!;
    for (let s = words[RING_AT + RING.PROCESSED]!; s < to; s += 1) {
      if (words[RING_STATE + slotWord(window, s)] === SlotState.READY) return true;
    }
    return false;
  };
  return ({ ops, area, until, atomic, note, mark, resumed = 0 }) => {
    const p = make(ops);
    const control = area(CONTROL);
    const ring = area(RING_AT);
    const taken = { count: 0 };
    // What is left of a reservation: how many jobs, from which on; and whether one was run.
    let count = resumed & 15;
    let first = (resumed >> 4) & 255;
    let ran = resumed >> 12 === 1;
    const here = (): void => {
      if (count === 0) first = 0;
      mark(count | (first << 4) | ((ran ? 1 : 0) << 12));
    };
    const found = (): boolean => count > 0 || ran;
    // The message that goes with it is what the owner's sleep waits for.
    const wakeOwner = (): void => {
      p.mustWake(ring, control, window);
    };
    const run = (base: number): void => {
      note(`run ${ring[base + SLOT.SEQ]}`);
      p.finish(ring, base);
      ran = true;
    };
    const reserve = (): void => {
      first = p.reserve(ring, batch, 1, taken);
      count = taken.count;
    };
    const takeOver = (): number => {
      const from = ops.load(ring, RING.PROCESSED);
      const to = ops.load(ring, RING.PUBLISHED);
      for (let s = from; s < to; s += 1) {
        const base = slotWord(window, s);
        if (ops.load(ring, base + SLOT.STATE) === SlotState.READY && p.take(ring, base, id)) {
          return base;
        }
      }
      return -1;
    };
    for (;;) {
      while (count > 0) {
        if (ran && eager) wakeOwner();
        const base = slotWord(window, first);
        const mine = p.take(ring, base, id);
        first += 1;
        count -= 1;
        if (mine) run(base);
        here();
      }
      if (ran) {
        wakeOwner();
        ran = false;
      }
      here();
      if (coarse === 'all') {
        const base = atomic(() => {
          until(canWorkOrSteal);
          reserve();
          return count === 0 && steal ? takeOver() : -1;
        });
        if (base >= 0) run(base);
      } else {
        until(canWork);
        reserve();
        if (count === 0 && steal) {
          const base = coarse === 'steal' ? atomic(takeOver) : takeOver();
          if (base >= 0) run(base);
        }
      }
      if (!found() && ops.load(control, HEAD.STOP) === 1) return;
      here();
    }
  };
}
