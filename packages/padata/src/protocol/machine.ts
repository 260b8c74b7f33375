/** The protocols bound to the machine's atomics: what production runs. */
import { machineOps } from './atomic-ops.js';
import { WORKER, workerBase } from './control-layout.js';
import { makeLaneProtocol } from './lane.js';
import { makeRingProtocol } from './ring.js';
import { makeSentProtocol } from './sent.js';
import { makeSleepProtocol } from './sleep.js';

const { notify } = Atomics;

export const lane = makeLaneProtocol(machineOps);
export const sleep = makeSleepProtocol(machineOps);
export const ring = makeRingProtocol(machineOps);
export const sent = makeSentProtocol(machineOps);

/** Wakes one worker of the pool if it sleeps; true = it did. Publish before. */
export function wakeWorker(control: Int32Array, id: number): boolean {
  const base = workerBase(id);
  if (!sleep.claimSleeper(control, base)) return false;
  notify(control, base + WORKER.SLEEP);
  return true;
}
