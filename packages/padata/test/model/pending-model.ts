/**
 * Jobs whose functions return promises, as a model: workers take jobs, leave them pending, take more, and end the
 * oldest; the owner settles the ones that were aborted, delivers in order and gives slots and bytes to later jobs.
 * A function writes its result into its job's bytes: an abandoned one too, whenever it likes. The steps are those of
 * `protocol/ring.ts`; sleeping and reserving have models of their own (ring-model.ts), so waiting is taken to work.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import { HEAD } from '../../dist/protocol/control-layout.js';
import {
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  STATE_MASK,
  SlotState,
  isPending,
  slotWord,
} from '../../dist/protocol/ring-layout.js';
import { makeRingProtocol } from '../../dist/protocol/ring.js';
import type { RingProtocol } from '../../dist/protocol/ring.js';

const RING_AT = 64;
/** How a job ended: by its function, or settled by the owner. */
const RETURNED = 1;
const SETTLED = 9;

/** Makes the protocol, or a broken variant. */
export type MakePending = (ops: AtomicOps) => RingProtocol;

/** What is explored. */
export interface PendingConfig {
  readonly jobs: number;
  readonly workers: number;
  /** A power of two; smaller than `jobs`: slots are used again. */
  readonly window: number;
  /** Jobs that are aborted. */
  readonly aborted: readonly number[];
  /** The function has its bytes from the beginning (an input view), not only when it asks for them. */
  readonly views?: boolean;
  /** Mistake: the owner gives the bytes of every job to others. */
  readonly noHoles?: boolean;
  readonly make?: MakePending;
}

/** The model of a configuration. */
export function pendingModel(config: PendingConfig): Model {
  const { jobs, workers, window, aborted } = config;
  return {
    words: RING_AT + RING_HEAD_WORDS + window * SLOT_WORDS + jobs,
    threads: [
      ownerThread(config),
      ...Array.from({ length: workers }, (_, w) => workerThread(config, w + 1)),
    ],
    check(_words, history) {
      const order = history.map((h) => h.split(' ').map(Number) as [number, number, number]);
      if (order.map(([job]) => job).join() !== Array.from({ length: jobs }, (_, j) => j).join()) {
        return `delivered: ${history.join()}`;
      }
      const wrong = order.find(([job, how, value]) =>
        how === RETURNED ? value !== job + 1 : how !== SETTLED || !aborted.includes(job),
      );
      return wrong === undefined ? undefined : `job ${wrong.join(' ')} in ${history.join()}`;
    },
  };
}

/** First word of the jobs' bytes: one word each. */
const bytesAt = (window: number): number => RING_HEAD_WORDS + window * SLOT_WORDS;

function ownerThread(config: PendingConfig): ModelThread {
  const { jobs, window, aborted, noHoles = false, make = makeRingProtocol } = config;
  const slotAt = (sequence: number): number => RING_AT + slotWord(window, sequence) + SLOT.STATE;
  return (tools) => {
    const { ops, area, until, note, mark, resumed = 0 } = tools;
    const p = make(ops);
    const ring = area(RING_AT);
    let next = resumed & 7;
    let tail = (resumed >> 3) & 7;
    /** Words of bytes that are given out. */
    let given = resumed >> 6;
    const here = (): void => {
      mark(next | (tail << 3) | (given << 6));
    };
    const settle = (sequence: number): void => {
      const base = slotWord(window, sequence);
      const state = ops.load(ring, base + SLOT.STATE);
      if (!isPending(state) || !p.settle(ring, base, state)) return;
      ring[base + SLOT.KIND] = SETTLED;
      // The word for bytes, or none: a hole stays given out for good.
      if ((state & STATE_MASK) === SlotState.HOLDING && !noHoles) ring[base + SLOT.OFFSET] = -1;
      p.finish(ring, base);
    };
    while (next < jobs) {
      while (tail < jobs && tail - next < window) {
        const base = slotWord(window, tail);
        const place = lowestFree(given);
        ring[base + SLOT.SEQ] = tail;
        ring[base + SLOT.KIND] = 0;
        ring[base + SLOT.OFFSET] = place;
        given |= 1 << place;
        tail += 1;
        p.offer(ring, base);
        here();
      }
      until((words: Words) => {
        if (words[slotAt(next)] === SlotState.DONE) return true;
        return aborted.some((s) => s >= next && s < tail && isPending(words[slotAt(s)]!));
      });
      for (const sequence of aborted) if (sequence >= next && sequence < tail) settle(sequence);
      const base = slotWord(window, next);
      if (p.isDone(ring, base)) {
        const place = ring[base + SLOT.OFFSET]!;
        const value = place < 0 ? 0 : ring[bytesAt(window) + place]!;
        note(`${next} ${ring[base + SLOT.KIND]} ${value}`);
        p.free(ring, base);
        if (place >= 0) given &= ~(1 << place);
        next += 1;
      }
      here();
    }
    ops.store(area(0), HEAD.STOP, 1);
  };
}

function lowestFree(given: number): number {
  return 31 - Math.clz32(~given & (given + 1));
}

function workerThread(config: PendingConfig, worker: number): ModelThread {
  const { window, views = false, make = makeRingProtocol } = config;
  return (tools) => {
    const { ops, area, until, atomic, mark, resumed = 0 } = tools;
    const p = make(ops);
    const ring = area(RING_AT);
    // Up to two pending jobs, oldest first: number and word of bytes.
    let pending = decode(resumed);
    const look = (): number => {
      if (pending.length === 0) {
        until((words: Words) => words[HEAD.STOP] === 1 || anyReady(words, window));
      }
      for (let i = 0; i < window; i += 1) {
        const base = slotWord(window, i);
        if (ops.load(ring, base + SLOT.STATE) === SlotState.READY && p.take(ring, base, worker)) {
          return base;
        }
      }
      return -1;
    };
    for (;;) {
      const base = pending.length < 2 ? atomic(look) : -1;
      if (base >= 0) {
        pending = [...pending, { job: ring[base + SLOT.SEQ]!, place: ring[base + SLOT.OFFSET]! }];
        p.pend(ring, base, worker, views);
      } else if (pending.length > 0) {
        end(tools, p, config, worker, pending[0]!);
        pending = pending.slice(1);
      } else if (ops.load(area(0), HEAD.STOP) === 1) return;
      mark(encode(pending));
    }
  };
}

interface Pending {
  readonly job: number;
  readonly place: number;
}

/** The rest of a function, and what its thread does with the end of the promise. */
function end(
  { ops, area }: ThreadTools,
  p: RingProtocol,
  { window, views = false }: PendingConfig,
  worker: number,
  { job, place }: Pending,
): void {
  const ring = area(RING_AT);
  const base = slotWord(window, job);
  if (views || p.hold(ring, base, worker, job)) {
    ops.store(ring, bytesAt(window) + place, job + 1);
  }
  if (!p.regain(ring, base, worker, job)) return;
  ring[base + SLOT.KIND] = RETURNED;
  p.finish(ring, base);
}

const anyReady = (words: Words, window: number): boolean => {
  for (let i = 0; i < window; i += 1) {
    if (words[RING_AT + slotWord(window, i) + SLOT.STATE] === SlotState.READY) return true;
  }
  return false;
};

const encode = (list: readonly Pending[]): number =>
  list.reduceRight((code, { job, place }) => code * 64 + 1 + job * 7 + place, 0);

function decode(code: number): Pending[] {
  const list: Pending[] = [];
  for (let rest = code; rest > 0; rest = Math.floor(rest / 64)) {
    const one = (rest % 64) - 1;
    list.push({ job: Math.floor(one / 7), place: one % 7 });
  }
  return list;
}
