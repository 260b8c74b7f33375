/** The protocols bound to the machine's atomics: what production runs. */
import { machineOps } from './atomic-ops.js';
import { WORKER, workerBase } from './control-layout.js';
import { makeLaneProtocol } from './lane.js';
import { makeLooseProtocol } from './loose.js';
import { RING } from './ring-layout.js';
import { makeRingProtocol } from './ring.js';
import { makeSentProtocol } from './sent.js';
import { makeSleepProtocol } from './sleep.js';

const { notify } = Atomics;

export const lane = makeLaneProtocol(machineOps);
export const sleep = makeSleepProtocol(machineOps);
export const ring = makeRingProtocol(machineOps);
export const sent = makeSentProtocol(machineOps);
export const loose = makeLooseProtocol(machineOps);

/** What whoever runs or ends a job does by the protocol of its ring. */
export interface JobSteps {
  /** First word of the slot of the job at this place: PUBLISHED and CLAIM count them. */
  slotAt(ring: Int32Array, window: number, place: number): number;
  /** The outcome is in the slot, which is the owner's from here on. */
  finish(ring: Int32Array, base: number): void;
  /** After `finish`: true = the owner sleeps, what it awaits has ended, this caller wakes it. */
  mustWake(ring: Int32Array, control: Int32Array, window: number): boolean;
  /** Who has nothing more to do: true = the owner sleeps, there is something to deliver, this caller wakes it. */
  mustTell(ring: Int32Array, control: Int32Array, window: number): boolean;
}

/** The steps for this ring. */
export function stepsOf(words: Int32Array): JobSteps {
  return words[RING.LOOSE] === 0 ? ring : loose;
}

/** Wakes one worker of the pool if it sleeps; true = it did. Publish before. */
export function wakeWorker(control: Int32Array, id: number): boolean {
  const base = workerBase(id);
  if (!sleep.claimSleeper(control, base)) return false;
  notify(control, base + WORKER.SLEEP);
  return true;
}
