/** The protocols bound to the machine's atomics: what production runs. */
import { machineOps } from './atomic-ops.js';
import { makeLaneProtocol } from './lane.js';
import { makeRingProtocol } from './ring.js';
import { makeSleepProtocol } from './sleep.js';

export const lane = makeLaneProtocol(machineOps);
export const sleep = makeSleepProtocol(machineOps);
export const ring = makeRingProtocol(machineOps);
