/**
 * The arena that grows, as a model: the owner places inputs, adds parts, tells the threads, offers, delivers and gives bytes back;
 * workers take jobs whose part they may not have heard of. Places are those of `SlotArena`, and what a thread knows is an
 * `ArenaParts`: both ship; the slots' steps are those of `protocol/ring.ts`, and what is around them is written as in ring-base.ts,
 * announcements.ts, slot-runner.ts, set-aside.ts and deferred.ts. A part is a word for each of its bytes. A thread that looks for an address in a
 * part that it does not know finds nothing there, and what it writes is lost, as with a typed array.
 *
 * The last worker may be one that starts late, may be asked to leave, or may die; a thread that takes its place starts late too.
 * That a job which has ended wakes the owner, and mail its thread, is taken to work: other models are about that.
 */
import type { Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import { HEAD } from '../../dist/protocol/control-layout.js';
import {
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  deferredState,
  slotWord,
} from '../../dist/protocol/ring-layout.js';
import { makeRingProtocol } from '../../dist/protocol/ring.js';
import type { RingProtocol } from '../../dist/protocol/ring.js';
import { Places, Sight } from './parts-bytes.js';

/** Not words of the real control block: a thread has died; who has started; the mail of each; where the parts end; handles. */
const DEATH = 8;
const STARTED = 10;
const MAIL = 16;
const ENDS = 24;
const HANDLES = 32;
const RING_AT = 64;

/** Mail: the ring is announced, the thread is to leave, it was told of part i. */
const RING_TOLD = 1;
const LEAVE = 2;
const PART = 4;

/** Two workers, and one that takes the place of the second when that dies. */
const LAST = 2;
const NEXT = 3;
/** How a job ended. */
const RETURNED = 1;
const LOST = 8;
const ABORTED = 9;

/** Mistakes to be found. */
export type PartsMistake =
  | 'offers before it tells'
  | 'runs what it does not know'
  | 'no look into the mail'
  | 'sets aside one after the other'
  | 'runs what is set aside when any part comes'
  | 'leaves with a job set aside'
  | 'tells nobody who leaves'
  | 'announces the first part alone'
  | 'a handle names the first part alone'
  | 'a stretch lies in two parts'
  | 'an abort ends what is set aside'
  | 'a dead thread keeps what it has set aside';

/** What is explored. */
export interface PartsConfig {
  /** Words of each job's input; its result has two. */
  readonly inputs: readonly number[];
  /** A power of two. */
  readonly window: number;
  /** Words of the first part, and of each that is added. */
  readonly first: number;
  readonly more: number;
  /** Parts that are added at most. */
  readonly parts: number;
  /** Messages come through the event loop alone (browsers). */
  readonly events?: boolean;
  /** What the last worker is or does: it starts at any time, is asked to leave, may die at any step. */
  readonly last?: 'late' | 'leaves' | 'dies';
  /** Jobs of a thread that has died are run again. */
  readonly idempotent?: boolean;
  /** A job whose function defers it; another thread completes it. */
  readonly deferred?: number;
  /** A job that is aborted. */
  readonly aborted?: number;
  readonly mistake?: PartsMistake;
}

/** The model of a configuration. */
export function partsModel(config: PartsConfig): Model {
  const { inputs, window, first, more, parts, last, deferred, aborted, events = false } = config;
  const threads = [ownerThread(config), workerThread(config, 1), workerThread(config, LAST)];
  if (last === 'dies') threads.push(workerThread(config, NEXT));
  if (deferred !== undefined) threads.push(completerThread(config, deferred));
  return {
    words: bytesAt(window) + first + parts * more,
    setup(words) {
      words[MAIL + 1] = RING_TOLD;
      if (last !== 'late') words[MAIL + LAST] = RING_TOLD;
    },
    threads,
    mortal: last === 'dies' ? { thread: LAST, word: DEATH, told: 0 } : undefined,
    // The order in which jobs ran matters to nobody.
    summary: (history) =>
      `${history.filter((h) => h.startsWith('d')).join()} ${history
        .filter((h) => !h.startsWith('d'))
        .sort()
        .join()}`,
    check(_words, history) {
      const of = (kind: string): number[][] =>
        history.filter((h) => h.startsWith(kind)).map((h) => h.split(' ').slice(1).map(Number));
      const delivered = of('d');
      const order = delivered.map(([job]) => job).join();
      if (order !== inputs.map((_, job) => job).join()) return `delivered: ${order}`;
      // A thread that takes its mail in finds the part there: the owner has told of it before it offered the job.
      if (!events && of('a').length > 0) return `set aside: ${history.join()}`;
      const ran = of('r').map(([job]) => job);
      const tries = last === 'dies' && config.idempotent === true ? 2 : 1;
      for (const [job, how, left, right] of delivered) {
        const times = ran.filter((r) => r === job).length;
        const isRight = left === inputOf(job!) && right === left;
        if (how === RETURNED && isRight && times >= 1 && times <= tries) continue;
        if (how === ABORTED && job === aborted && times === 0) continue;
        if (how === LOST && tries === 1 && last === 'dies') continue;
        return `job ${job} ended ${how} with ${left} ${right}, ran ${times} times`;
      }
      return undefined;
    },
  };
}

/** What a job gets and gives. */
const inputOf = (job: number): number => job + 10;

/** First word of the arena's bytes. */
const bytesAt = (window: number): number => RING_AT + RING_HEAD_WORDS + window * SLOT_WORDS;

/** The owner, between two steps that others see. */
interface OwnerState {
  next: number;
  tail: number;
  /** Threads that know the ring, a bit each. */
  known: number;
  buried: boolean;
  aborted: boolean;
  left: boolean;
}

const pack = ({ next, tail, known, buried, aborted, left }: OwnerState): number =>
  next |
  (tail << 3) |
  (known << 6) |
  (Number(buried) << 10) |
  (Number(aborted) << 11) |
  (Number(left) << 12);
const unpack = (n: number): OwnerState => ({
  next: n & 7,
  tail: (n >> 3) & 7,
  known: (n >> 6) & 15,
  buried: ((n >> 10) & 1) === 1,
  aborted: ((n >> 11) & 1) === 1,
  left: ((n >> 12) & 1) === 1,
});

function ownerThread(config: PartsConfig): ModelThread {
  const { inputs, window, last, mistake } = config;
  const jobs = inputs.length;
  return (tools) => {
    const { ops, area, until, note, mark, resumed } = tools;
    const p = makeRingProtocol(ops);
    const control = area(0);
    const ring = area(RING_AT);
    const me = unpack(resumed ?? (last === 'late' ? 0b0010 << 6 : 0b0110 << 6));
    const places = new Places(config, me.next, me.tail);
    const sight = new Sight(config, area(bytesAt(window)));
    for (const end of places.ends) sight.add(end);
    const here = (): void => {
      mark(pack(me));
    };
    const isNew = (words: Words, w: number): boolean =>
      words[STARTED + w] === 1 && (me.known & (1 << w)) === 0;
    const tell = (part: number): void => {
      for (const w of [1, LAST, NEXT]) {
        if ((me.known & (1 << w)) === 0 || (w === LAST && me.buried)) continue;
        if (w === LAST && me.left && mistake === 'tells nobody who leaves') continue;
        ops.add(control, MAIL + w, PART << part);
      }
    };
    const announce = (w: number): void => {
      me.known |= 1 << w;
      const told =
        mistake === 'announces the first part alone' ? 0 : ((1 << places.ends.length) - 1) * PART;
      ops.add(control, MAIL + w, RING_TOLD | told);
    };
    const submit = (): boolean => {
      if (me.tail === jobs || me.tail - me.next === window) return false;
      const before = places.ends.length;
      const first = places.place(me.tail);
      for (let part = before; part < places.ends.length; part += 1) {
        control[ENDS + part] = places.ends[part]!;
        sight.add(places.ends[part]!);
        if (mistake !== 'offers before it tells') tell(part);
      }
      if (first < 0) {
        if (places.ends.length > before) throw new Error('a part is too small for its job');
        return false;
      }
      const base = slotWord(window, me.tail);
      ring[base + SLOT.SEQ] = me.tail;
      ring[base + SLOT.KIND] = 0;
      ring[base + SLOT.FIRST] = first;
      ring[base + SLOT.IN_ROOM] = inputs[me.tail]!;
      sight.write(first, [inputOf(me.tail)]);
      sight.write(first + inputs[me.tail]!, [0, 0]);
      me.tail += 1;
      p.offer(ring, base);
      if (mistake === 'offers before it tells') {
        for (let part = before; part < places.ends.length; part += 1) tell(part);
      }
      here();
      return true;
    };
    while (me.next < jobs) {
      for (const w of [LAST, NEXT]) {
        if (!isNew(control, w)) continue;
        announce(w);
        here();
      }
      if (last === 'dies' && !me.buried && control[DEATH] === 1) {
        bury(config, tools, p, me);
        me.buried = true;
        here();
      }
      if (last === 'leaves' && !me.left) {
        me.left = true;
        ops.add(control, MAIL + LAST, LEAVE);
        here();
      }
      while (submit());
      if (!me.aborted && config.aborted !== undefined && config.aborted < me.tail) {
        if (config.aborted >= me.next) abort(config, tools, p, config.aborted);
        me.aborted = true;
        here();
      }
      const base = slotWord(window, me.next);
      until(
        (words: Words) =>
          words[RING_AT + base + SLOT.STATE] === SlotState.DONE ||
          isNew(words, LAST) ||
          isNew(words, NEXT) ||
          (!me.buried && words[DEATH] === 1),
      );
      if (p.isDone(ring, base)) {
        const values = sight.read(ring[base + SLOT.FIRST]! + ring[base + SLOT.IN_ROOM]!);
        note(`d ${me.next} ${ring[base + SLOT.KIND]} ${values.join(' ')}`);
        p.free(ring, base);
        places.giveBack(me.next);
        me.next += 1;
      }
      here();
    }
    ops.store(control, HEAD.STOP, 1);
  };
}

/** What `LostJobs.workerDied` does. */
function bury(
  { window, idempotent = false, mistake }: PartsConfig,
  { ops, area }: ThreadTools,
  p: RingProtocol,
  me: OwnerState,
): void {
  const ring = area(RING_AT);
  for (let s = me.next; s < me.tail; s += 1) {
    const base = slotWord(window, s);
    const state = ops.load(ring, base + SLOT.STATE);
    if (state !== (SlotState.RUNNING | (LAST << STATE_BITS))) continue;
    if (mistake === 'a dead thread keeps what it has set aside') continue;
    if (idempotent) p.offer(ring, base);
    else if (p.settle(ring, base, state)) {
      ring[base + SLOT.KIND] = LOST;
      p.finish(ring, base);
    }
  }
}

/** Ends a job that nobody has taken. */
function abort(
  { window, mistake }: PartsConfig,
  { ops, area }: ThreadTools,
  p: RingProtocol,
  job: number,
): void {
  const ring = area(RING_AT);
  const base = slotWord(window, job);
  const state = ops.load(ring, base + SLOT.STATE);
  const mayEnd =
    state === SlotState.READY ||
    (mistake === 'an abort ends what is set aside' && (state & STATE_MASK) === SlotState.RUNNING);
  if (!mayEnd || !p.settle(ring, base, state)) return;
  ring[base + SLOT.KIND] = ABORTED;
  p.finish(ring, base);
}

function workerThread(config: PartsConfig, worker: number): ModelThread {
  const { window, events = false, deferred, mistake } = config;
  const isLate =
    (worker === LAST && config.last === 'late') || (worker === NEXT && config.last === 'dies');
  return (tools) => {
    const { ops, area, until, atomic, note, mark, resumed } = tools;
    const p = makeRingProtocol(ops);
    const control = area(0);
    const ring = area(RING_AT);
    /** Mail that was taken in; the slot whose job is set aside, plus one. */
    let seen = (resumed ?? (isLate ? 0 : RING_TOLD)) & 0xff;
    let aside = (resumed ?? 0) >> 8;
    if (isLate && resumed === undefined) {
      if (worker === NEXT) until((words) => words[DEATH] === 1 || words[HEAD.STOP] === 1);
      ops.store(control, STARTED + worker, 1);
      until((words) => words[MAIL + worker] !== 0 || words[HEAD.STOP] === 1);
    }
    const sight = (): Sight => {
      const all = new Sight(config, area(bytesAt(window)));
      for (let part = 0; part < config.parts; part += 1) {
        if ((seen & (PART << part)) !== 0) all.add(control[ENDS + part]!);
      }
      return all;
    };
    const knows = (base: number): boolean => ring[base + SLOT.FIRST]! < sight().parts.end;
    const run = (base: number): void => {
      const job = ring[base + SLOT.SEQ]!;
      note(`r ${job}`);
      if (job === deferred) {
        ops.store(ring, base + SLOT.STATE, deferredState(window, job));
        const names = mistake === 'a handle names the first part alone' ? RING_TOLD : seen;
        ops.store(control, HANDLES + job, names);
        return;
      }
      const all = sight();
      const first = ring[base + SLOT.FIRST]!;
      const [input] = all.read(first);
      all.write(first + ring[base + SLOT.IN_ROOM]!, [input, input]);
      ring[base + SLOT.KIND] = RETURNED;
      p.finish(ring, base);
    };
    const here = (): void => {
      mark(seen | (aside << 8));
    };
    for (;;) {
      // One message after the other, as the event loop hands them over.
      const fresh = ops.load(control, MAIL + worker) & ~seen;
      seen |= (fresh & RING_TOLD) !== 0 ? fresh : fresh & -fresh;
      if (fresh >= PART && (fresh & (PART - 1)) === 0) {
        const base = slotWord(window, aside - 1);
        const any = mistake === 'runs what is set aside when any part comes';
        if (aside !== 0 && (any || knows(base))) {
          aside = 0;
          run(base);
          here();
          continue;
        }
      }
      const leaves = (seen & LEAVE) !== 0;
      if (leaves && (aside === 0 || mistake === 'leaves with a job set aside')) return;
      // What it has set aside it must hear of first: the others may know the part.
      const takes = !leaves && (seen & RING_TOLD) !== 0 && aside === 0;
      const index = takes ? atomic(() => take(config, tools, p, worker)) : -1;
      if (index >= 0) {
        const base = slotWord(window, index);
        if (!knows(base) && !events && mistake !== 'no look into the mail') {
          seen |= ops.load(control, MAIL + worker);
        }
        if (knows(base) || mistake === 'runs what it does not know') run(base);
        else {
          note(`a ${ring[base + SLOT.SEQ]}`);
          aside = index + 1;
          // The rest of what it has reserved, without an event between.
          const more = mistake === 'sets aside one after the other';
          if (more && atomic(() => take(config, tools, p, worker)) >= 0) {
            throw new Error('it keeps a job that others could run');
          }
        }
        here();
        continue;
      }
      until(
        (words: Words) =>
          (words[MAIL + worker]! & ~seen) !== 0 ||
          words[HEAD.STOP] === 1 ||
          (takes && anyReady(words, window)),
      );
      if (ops.load(control, HEAD.STOP) === 1) return;
      here();
    }
  };
}

/** Takes the first job that is ready; index of its slot, or -1. */
function take(
  { window }: PartsConfig,
  { ops, area }: ThreadTools,
  p: RingProtocol,
  worker: number,
): number {
  const ring = area(RING_AT);
  for (let i = 0; i < window; i += 1) {
    const base = slotWord(window, i);
    if (ops.load(ring, base + SLOT.STATE) !== SlotState.READY) continue;
    if (p.take(ring, base, worker)) return i;
  }
  return -1;
}

const anyReady = (words: Words, window: number): boolean => {
  for (let i = 0; i < window; i += 1) {
    if (words[RING_AT + slotWord(window, i) + SLOT.STATE] === SlotState.READY) return true;
  }
  return false;
};

/** Whoever has the handle of a deferred job completes it. */
function completerThread(config: PartsConfig, job: number): ModelThread {
  const { window } = config;
  return ({ ops, area, until }) => {
    const control = area(0);
    const ring = area(RING_AT);
    until((words) => words[HANDLES + job] !== 0);
    const named = ops.load(control, HANDLES + job);
    const sight = new Sight(config, area(bytesAt(window)));
    for (let part = 0; part < config.parts; part += 1) {
      if ((named & (PART << part)) !== 0) sight.add(control[ENDS + part]!);
    }
    const base = slotWord(window, job);
    const state = deferredState(window, job);
    if (ops.compareExchange(ring, base + SLOT.STATE, state, SlotState.RUNNING) !== state) return;
    const value = inputOf(job);
    sight.write(ring[base + SLOT.FIRST]! + ring[base + SLOT.IN_ROOM]!, [value, value]);
    ring[base + SLOT.KIND] = RETURNED;
    makeRingProtocol(ops).finish(ring, base);
  };
}
