/**
 * Jobs without an order as a model: the owner submits them into free slots, delivers what has ended, in whatever order, and
 * sleeps in between; workers reserve places of the queue, take, run, finish and wake it, take over what others have not
 * begun, and sleep when there is nothing. The steps are those of `protocol/loose.ts` and, for the slots, of
 * `protocol/ring.ts`, which ship; what is around them is written as in loose-ring.ts, start-queue.ts and slot-runner.ts. A
 * worker's own sleep (`protocol/sleep.ts`) is taken to work here and has a model of its own.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import { HEAD } from '../../dist/protocol/control-layout.js';
import { makeLooseProtocol } from '../../dist/protocol/loose.js';
import type { LooseProtocol } from '../../dist/protocol/loose.js';
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
export type MakeLoose = (ops: AtomicOps) => LooseProtocol;

/** Mistakes of what is around the protocol. */
export type LooseMistake =
  | 'a place is written though its job is not begun'
  | 'what a dead thread had reserved is not queued again'
  | 'what a dead thread had ended is not collected before it is settled'
  | 'a slot is free as soon as it is collected'
  | 'the owner does not look once more before it sleeps'
  | 'the owner looks first and says that it sleeps afterwards'
  | 'a worker looks whether the owner sleeps before the job has ended'
  | 'a thread that has nothing more to do tells nothing'
  | 'the owner sleeps over what has ended though nothing waits';

/** What is explored. */
export interface LooseConfig {
  readonly jobs: number;
  readonly workers: number;
  /** A power of two; smaller than `jobs`: slots are used again. */
  readonly window: number;
  /** Places reserved in one step at most. Default 2. */
  readonly batch?: number;
  /** Idle workers take over what is reserved and not begun. Default true. */
  readonly steal?: boolean;
  /** A worker looks whether the owner sleeps after each job, not only at the end of what it reserved. */
  readonly eager?: boolean;
  /** The last worker may die at any step; its job fails. */
  readonly mortal?: boolean;
  /** Looking for work is one step, done as soon as there may be some: what it finds is a hint, `take` decides. */
  readonly coarse?: boolean;
  /** So many jobs have to end until the owner is woken. Default 1. */
  readonly awaited?: number;
  readonly make?: MakeLoose;
  readonly mistake?: LooseMistake;
}

/** The model of a configuration. */
export function looseModel(config: LooseConfig): Model {
  const { jobs, workers, window, mortal = false } = config;
  const worker = workerThread(config, 1);
  const threads = Array.from({ length: workers }, () => worker);
  if (mortal) threads[workers - 1] = workerThread(config, 2);
  return {
    words: RING_AT + RING_HEAD_WORDS + window * SLOT_WORDS,
    threads: [ownerThread(config), ...threads],
    mortal: mortal ? { thread: workers, word: DEATH, told: 0 } : undefined,
    // Of deliveries and runs only how often: there is no order.
    summary: (history) => [...history].sort().join(),
    check(_words, history) {
      const delivered = history.filter((h) => h.startsWith('deliver'));
      const numbers = delivered.map((h) => Number(h.split(' ')[1])).sort((a, b) => a - b);
      const expected = Array.from({ length: jobs }, (_, j) => j);
      if (numbers.join() !== expected.join()) return `delivered: ${delivered.join()}`;
      const wrong = delivered.filter((h) => h.endsWith('wrong'));
      if (wrong.length > 0) return `another job's outcome: ${wrong.join()}`;
      const lost = delivered.filter((h) => h.endsWith('lost')).length;
      const ran = history.filter((h) => h.startsWith('run')).map((h) => Number(h.split(' ')[1]));
      if (new Set(ran).size !== ran.length) return `run twice: ${ran.join()}`;
      if (lost > (mortal ? 1 : 0) || ran.length < jobs - lost) return `ran: ${ran.join()}`;
      return undefined;
    },
  };
}

const isCalled = (words: Words): boolean => words[HEAD.OWNER_ASLEEP] !== 1;
const isCalledOrDeath = (words: Words): boolean => isCalled(words) || words[DEATH] === 1;

/** What the owner knows besides the words: small enough to be a number, so that its thread can be resumed. */
class OwnerState {
  dead = 0;
  submitted = 0;
  delivered = 0;
  /** Place after the last of the queue. */
  end = 0;
  /** Slots in a circle: what is free, first given back first. */
  free: number[];
  ready: number[] = [];
  /** The place that is each slot's own. */
  readonly placeOf: number[];

  readonly window: number;

  constructor(window: number, resumed: number | undefined) {
    this.window = window;
    this.free = Array.from({ length: window }, (_, i) => i);
    this.placeOf = this.free.map(() => 15);
    if (resumed === undefined) return;
    let rest = resumed;
    const next = (limit: number): number => {
      const digit = rest % limit;
      rest = Math.floor(rest / limit);
      return digit;
    };
    this.dead = next(2);
    this.submitted = next(8);
    this.delivered = next(8);
    this.end = next(16);
    const list = (): number[] => Array.from({ length: next(window + 1) }, () => next(window));
    this.free = list();
    this.ready = list();
    for (let i = 0; i < window; i += 1) this.placeOf[i] = next(16);
  }

  /** All of it in one number. */
  get mark(): number {
    let mark = 0;
    let unit = 1;
    const put = (digit: number, limit: number): void => {
      mark += digit * unit;
      unit *= limit;
    };
    put(this.dead, 2);
    put(this.submitted, 8);
    put(this.delivered, 8);
    put(this.end, 16);
    for (const list of [this.free, this.ready]) {
      put(list.length, this.window + 1);
      for (const item of list) put(item, this.window);
    }
    for (const place of this.placeOf) put(place & 15, 16);
    return mark;
  }
}

function ownerThread(config: LooseConfig): ModelThread {
  const { jobs, window, make = makeLooseProtocol, mistake } = config;
  return (tools) => {
    const { ops, area, until, note, mark, resumed } = tools;
    const p = make(ops);
    const slots = makeRingProtocol(ops);
    const control = area(CONTROL);
    const ring = area(RING_AT);
    const own = new OwnerState(window, resumed);
    const baseOf = (index: number): number => slotWord(window, index);
    const enqueue = (index: number): void => {
      for (;;) {
        const named = p.slotAt(ring, window, own.end);
        if (named === 0 || named === baseOf(index)) break;
        if (mistake === 'a place is written though its job is not begun') break;
        if (ops.load(ring, named + SLOT.STATE) !== SlotState.READY) break;
        const kept = ring[named + SLOT.SEQ]! & (window - 1);
        if (own.placeOf[kept] !== ((own.end - window) & 15)) break;
        own.placeOf[kept] = own.end;
        own.end += 1;
      }
      p.enqueue(ring, window, own.end, baseOf(index));
      own.placeOf[index] = own.end;
      own.end += 1;
    };
    const submit = (): void => {
      const index = own.free.shift()!;
      const base = baseOf(index);
      ring[base + SLOT.SEQ] = index;
      ring[base + SLOT.NUMBER] = own.submitted;
      ring[base + SLOT.KIND] = 0;
      own.submitted += 1;
      slots.offer(ring, base);
      enqueue(index);
      slots.publish(ring, own.end);
    };
    const collect = (): void => {
      for (let base = p.collect(ring); base !== 0; base = p.endedAfter(ring, base)) {
        ring[base + SLOT.STATE] = SlotState.DONE;
        const index = ring[base + SLOT.SEQ]! & (window - 1);
        own.ready.push(index);
        if (mistake === 'a slot is free as soon as it is collected') own.free.push(index);
      }
    };
    const anyEnded = (): boolean => {
      if (own.ready.length === 0) collect();
      return own.ready.length > 0;
    };
    // What has ended stays on the list until it is as much as is awaited, or the threads have nothing more to begin.
    const isDue = (): boolean => {
      if (own.ready.length > 0 || p.isDue(ring)) return true;
      if (mistake === 'the owner sleeps over what has ended though nothing waits') return false;
      return own.end <= ops.load(ring, RING.CLAIM) && anyEnded();
    };
    const deliver = (): void => {
      const index = own.ready.shift()!;
      const base = baseOf(index);
      const number = ring[base + SLOT.NUMBER]!;
      const kind = ring[base + SLOT.KIND]!;
      // The outcome of a job is its own number, as its thread has seen it.
      const seen = ring[base + SLOT.LENGTH]!;
      note(`deliver ${number}${kind === 9 ? ' lost' : seen === number ? '' : ' wrong'}`);
      own.delivered += 1;
      slots.free(ring, base);
      if (mistake !== 'a slot is free as soon as it is collected') own.free.push(index);
    };
    const maySleep = (): boolean => {
      if (mistake === 'the owner does not look once more before it sleeps') {
        ops.store(control, HEAD.OWNER_ASLEEP, 1);
        return true;
      }
      if (mistake === 'the owner looks first and says that it sleeps afterwards') {
        if (isDue()) return false;
        ops.store(control, HEAD.OWNER_ASLEEP, 1);
        return true;
      }
      return slots.ownerMaySleep(control, isDue);
    };
    // One thing a turn: whoever is resumed begins with a turn.
    while (own.delivered < jobs) {
      if (own.submitted < jobs && own.free.length > 0) submit();
      else if (own.dead === 0 && control[DEATH] === 1) {
        if (mistake !== 'what a dead thread had ended is not collected before it is settled') {
          collect();
        }
        bury(tools, { p, slots, window }, { enqueue, ready: own.ready }, mistake);
        slots.publish(ring, own.end);
        own.dead = 1;
      } else if (anyEnded()) deliver();
      else {
        p.passed(ring, own.end, config.awaited ?? 1);
        // A message ends the sleep: that of a worker, or the one that says that a thread has ended.
        if (maySleep()) until(own.dead === 0 ? isCalledOrDeath : isCalled);
        slots.ownerAwake(control);
      }
      mark(own.mark);
    }
    ops.store(control, HEAD.STOP, 1);
  };
}

interface Protocols {
  readonly p: LooseProtocol;
  readonly slots: RingProtocol;
  readonly window: number;
}

/** What `LooseRing.workerDied` does: the job that the dead thread ran fails, what is not begun is queued again. */
function bury(
  { ops, area }: ThreadTools,
  { p, slots, window }: Protocols,
  { enqueue, ready }: { enqueue: (index: number) => void; ready: number[] },
  mistake: LooseMistake | undefined,
): void {
  const ring = area(RING_AT);
  for (let index = 0; index < window; index += 1) {
    const base = slotWord(window, index);
    const state = ops.load(ring, base + SLOT.STATE);
    if ((state & STATE_MASK) === SlotState.RUNNING && state >> STATE_BITS === 2) {
      if (!slots.settle(ring, base, state)) continue;
      ring[base + SLOT.KIND] = 9;
      // A slot that is on the list already would lead to itself.
      if (mistake === 'what a dead thread had ended is not collected before it is settled') {
        ready.push(index);
      } else p.finish(ring, base);
    }
  }
  if (mistake === 'what a dead thread had reserved is not queued again') return;
  for (let index = 0; index < window; index += 1) {
    const state = ops.load(ring, slotWord(window, index) + SLOT.STATE);
    if (state === SlotState.READY) enqueue(index);
  }
}

function workerThread(config: LooseConfig, id: number): ModelThread {
  const { window, batch = 2, steal = true, eager = true, coarse = false, mistake } = config;
  const { make = makeLooseProtocol, awaited = 1 } = config;
  const tooEarly = mistake === 'a worker looks whether the owner sleeps before the job has ended';
  const canWork = (words: Words): boolean =>
    words[HEAD.STOP] === 1 || words[RING_AT + RING.PUBLISHED]! > words[RING_AT + RING.CLAIM]!;
  const canWorkOrSteal = (words: Words): boolean => {
    if (canWork(words)) return true;
    if (!steal) return false;
    for (let index = 0; index < window; index += 1) {
      if (words[RING_AT + slotWord(window, index) + SLOT.STATE] === SlotState.READY) return true;
    }
    return false;
  };
  return ({ ops, area, until, atomic, note, mark, resumed = 0 }) => {
    const p = make(ops);
    const slots = makeRingProtocol(ops);
    const control = area(CONTROL);
    const ring = area(RING_AT);
    const taken = { count: 0 };
    // What is left of a reservation: how many places, from which on; and whether one was run.
    let count = resumed & 15;
    let first = (resumed >> 4) & 255;
    let ran = resumed >> 12 === 1;
    const here = (): void => {
      if (count === 0) first = 0;
      mark(count | (first << 4) | ((ran ? 1 : 0) << 12));
    };
    const found = (): boolean => count > 0 || ran;
    const wakeOwner = (): void => {
      if (!tooEarly) p.mustWake(ring, control);
    };
    const run = (base: number): void => {
      const number = ring[base + SLOT.NUMBER]!;
      note(`run ${number}`);
      ring[base + SLOT.LENGTH] = number;
      if (tooEarly) p.mustWake(ring, control);
      p.finish(ring, base);
      ran = true;
    };
    const reserve = (): void => {
      first = slots.reserve(ring, batch, 1, taken);
      count = taken.count;
    };
    const takeOver = (): number => {
      for (let index = 0; index < window; index += 1) {
        const base = slotWord(window, index);
        if (ops.load(ring, base + SLOT.STATE) === SlotState.READY && slots.take(ring, base, id)) {
          return base;
        }
      }
      return -1;
    };
    for (;;) {
      while (count > 0) {
        if (ran && eager) wakeOwner();
        const base = p.slotAt(ring, window, first);
        const mine = slots.take(ring, base, id);
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
      // Before it sleeps it says what has ended, whoever has ended it. Who is woken for each need not be told.
      const isTold =
        awaited === 1 || mistake === 'a thread that has nothing more to do tells nothing';
      if (!isTold) p.mustTell(ring, control);
      const look = (): number => {
        until(steal ? canWorkOrSteal : canWork);
        reserve();
        return count === 0 && steal ? takeOver() : -1;
      };
      const base = coarse ? atomic(look) : look();
      if (base >= 0) run(base);
      if (!found() && ops.load(control, HEAD.STOP) === 1) return;
      here();
    }
  };
}
