/** Jobs that the calling thread does itself. */
import type { JobRing } from '../ring/job-ring.js';
import type { SlotRunner } from '../slot/slot-runner.js';
import { cloneError } from './feeder.js';
import type { RingEntry } from './ring-entry.js';

/** Does an input of the ring wait here that this thread can run now? */
function canRunHeld({ sent }: JobRing, runner: SlotRunner): boolean {
  return runner.hasRoom && sent.next() !== undefined;
}

/** Is there a job of the ring that this thread can run now? */
export function canRunHere({ ring, runner }: RingEntry): boolean {
  // Jobs that were settled from outside may be unclaimed still, though all are delivered.
  return ring.outstanding > 0 && (runner.canWork || canRunHeld(ring, runner));
}

/** Runs jobs of a ring, slots' at most so many; false = there was none. */
export function runHere(entry: RingEntry, atMost?: number): boolean {
  return runHeldHere(entry) || entry.runner.scan(atMost);
}

/**
 * Runs the oldest input of a ring that waits here, as a thread would get it: a copy.
 * @returns false when there is none, or the function is not loaded here
 */
export function runHeldHere({ ring, runner }: RingEntry): boolean {
  if (!runner.hasRoom) return false;
  const sequence = ring.sent.next();
  if (sequence === undefined) return false;
  const { input, transfer } = ring.sent.input(sequence & (ring.memory.window - 1))!;
  let own = input;
  try {
    // What is handed over is a copy already.
    if (transfer === undefined) own = structuredClone(input);
  } catch (error) {
    ring.ends.cancelOne(sequence, cloneError(ring, sequence, error));
    return true;
  }
  runner.runSent(sequence, own, false);
  ring.sent.tell();
  return true;
}
