/**
 * Ordered parallel jobs and parallel ranges on worker threads.
 *
 * The pool, what runs on it, and the interfaces that another backend of the same calls implements too. Modules with
 * job functions import `@bootmem/padata/worker`; the kernel's instances and shells are in `@bootmem/padata/kernel`.
 */
export { WorkPool, createWorkPool } from './pool/work-pool.js';
export type { WorkPoolOptions } from './pool/pool-options.js';
export type { WorkPoolEvents, WorkPoolStats } from './pool/pool-types.js';
export type { JobOutput } from './protocol/messages.js';
export { PadataError } from './base/errors.js';
export type { PadataErrorCode } from './base/errors.js';
export { functionRef } from './base/function-ref.js';
export type { FunctionRef } from './base/function-ref.js';
export { provideModule } from './modules/job-modules.js';
export type { TimeSummary } from './base/histogram.js';
export { map, orderedMap, parallelFor } from './pool/adapters.js';
export type { OrderedMapOptions } from './pool/adapters.js';
export { wrap } from './pool/wrap.js';
export type { Series } from './series/series.js';
export type {
  ErrorPolicy,
  JobCallback,
  JobInput,
  JobOptions,
  JobResult,
  MapOptions,
  OrderedJobs,
  SeriesDuplex,
  SeriesMaker,
  SeriesOptions,
  SeriesStats,
  SeriesTransform,
  Source,
  StallReport,
} from './series/series-types.js';
export type { HaltPolicy } from './series/halt.js';
export type {
  MultithreadedJob,
  PreparedRange,
  RangeJobOptions,
  RangeResult,
  RangeRun,
  RangeRunner,
  RangeWorkerStats,
} from './range/range-types.js';
