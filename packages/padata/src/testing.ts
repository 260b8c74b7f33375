/** The deterministic scheduler and the protocols that it can drive; for tests and for the curious. */
export { explore } from './testing/explore.js';
export type { Exploration, Model, ModelThread, Mortal, ThreadTools } from './testing/model.js';
export { makeLaneProtocol } from './protocol/lane.js';
export type { LaneProtocol } from './protocol/lane.js';
export { makeRingProtocol } from './protocol/ring.js';
export type { RingProtocol } from './protocol/ring.js';
export { makeSleepProtocol } from './protocol/sleep.js';
export type { SleepProtocol } from './protocol/sleep.js';
export type { AtomicOps, Words } from './protocol/atomic-ops.js';
export { HEAD, LANE, WORKER, workerBase } from './protocol/control-layout.js';
export {
  RING,
  RING_HEAD_WORDS,
  SLOT,
  SLOT_WORDS,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  deferredState,
  slotWord,
} from './protocol/ring-layout.js';
