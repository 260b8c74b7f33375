/** Ordered jobs and range jobs over NATS JetStream: padata's interfaces when one machine is not enough. */
export { NatsPool, createNatsPool } from './submit/nats-pool.js';
export type { NatsPoolOptions } from './submit/nats-pool.js';
export { NatsSeries } from './submit/nats-series.js';
export type { NatsSeriesOptions } from './submit/series-options.js';
export type { ConnectionOptions } from './server/connection.js';
export type { StorageOptions } from './server/streams.js';
export type { WorkerPresence } from './server/roster.js';
export { PadataNatsError } from './wire/errors.js';
export type { PadataNatsErrorCode } from './wire/errors.js';
