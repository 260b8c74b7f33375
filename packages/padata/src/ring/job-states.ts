/** What the jobs of one ring are doing, as their slots say at the moment. Owner's side; reads only. */
import { SLOT, STATE_BITS, STATE_MASK, SlotState, slotWord } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';

const { load } = Atomics;

/** What one job is doing. */
export interface JobState {
  /** Its number in the series, 0 .. 2^32 - 1. */
  readonly seq: number;
  /** A `SlotState` without its worker. */
  readonly phase: number;
  /** Who has it; 0 = nobody, or the owner. */
  readonly worker: number;
}

/** The number in its series of a job that is out. */
export function numberOf({ words, window }: RingMemory, sequence: number): number {
  return words[slotWord(window, sequence) + SLOT.NUMBER]! >>> 0;
}

/** State of one job that is in flight. */
export function jobState({ words, window }: RingMemory, sequence: number): JobState {
  const base = slotWord(window, sequence);
  const state = load(words, base + SLOT.STATE);
  const phase = state & STATE_MASK;
  const worker = phase === SlotState.DEFERRED ? 0 : state >> STATE_BITS;
  return { seq: words[base + SLOT.NUMBER]! >>> 0, phase, worker };
}

/** Of these jobs, those whose function has not returned; one that handed its completion over keeps no thread busy. */
export function busyJobs({ words, window }: RingMemory, jobs: Iterable<number>): number {
  let count = 0;
  for (const s of jobs) {
    const phase = load(words, slotWord(window, s) + SLOT.STATE) & STATE_MASK;
    if (phase !== SlotState.DONE && phase !== SlotState.DEFERRED) count += 1;
  }
  return count;
}
