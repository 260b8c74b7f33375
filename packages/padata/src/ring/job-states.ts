/** What the jobs of one ring are doing, as their slots say at the moment. Owner's side; reads only. */
import { SLOT, STATE_BITS, STATE_MASK, SlotState, slotWord } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';

const { load } = Atomics;

/** What one job is doing. */
export interface JobState {
  /** Sequence number, 0 .. 2^32 - 1. */
  readonly seq: number;
  /** A `SlotState` without its worker. */
  readonly phase: number;
  /** Who has it; 0 = nobody, or the owner. */
  readonly worker: number;
}

/** State of one job that is in flight. */
export function jobState({ words, window }: RingMemory, sequence: number): JobState {
  const state = load(words, slotWord(window, sequence) + SLOT.STATE);
  const phase = state & STATE_MASK;
  const worker = phase === SlotState.DEFERRED ? 0 : state >> STATE_BITS;
  return { seq: sequence >>> 0, phase, worker };
}

/**
 * Jobs from `first` to before `end` whose function has not returned; one that handed its completion over keeps no thread
 * busy. O(window).
 */
export function busyJobs({ words, window }: RingMemory, first: number, end: number): number {
  let count = 0;
  for (let s = first; s !== end; s = (s + 1) | 0) {
    const phase = load(words, slotWord(window, s) + SLOT.STATE) & STATE_MASK;
    if (phase !== SlotState.DONE && phase !== SlotState.DEFERRED) count += 1;
  }
  return count;
}
