/** A worker host inside a program of your own; the command `padata-nats worker` is one without a program. */
export { NatsWorker, startNatsWorker } from './worker/nats-worker.js';
export type { NatsWorkerOptions, NatsWorkerStats } from './worker/nats-worker.js';
