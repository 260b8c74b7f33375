/** The deterministic scheduler: runs threads that share words through every interleaving of their atomic steps. */
export { explore } from './testing/explore.js';
export type { Exploration, Model, ModelThread, Mortal, ThreadTools } from './testing/model.js';
export type { AtomicOps } from './protocol/atomic-ops.js';
