/** Ordered jobs and range jobs over NATS JetStream. */
export { NatsPool, createNatsPool } from './nats-pool.js';
export type { NatsPoolOptions } from './nats-pool.js';
export type { ConnectionOptions } from './connection.js';
export type { StorageOptions } from './streams.js';
export { PadataNatsError } from './errors.js';
export type { PadataNatsErrorCode } from './errors.js';
export { NatsSeries } from './submit/nats-series.js';
export type { NatsSeriesOptions } from './submit/nats-series.js';
export type { WorkerPresence } from './submit/roster.js';
export { NatsWorker, startNatsWorker } from './worker/nats-worker.js';
export type { NatsWorkerOptions, NatsWorkerStats } from './worker/nats-worker.js';
