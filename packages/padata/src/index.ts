export { WorkPool, createWorkPool } from './work-pool.js';
export type { WorkPoolEvents, WorkPoolOptions, WorkPoolStats } from './work-pool.js';
export { PadataError } from './errors.js';
export type { PadataErrorCode } from './errors.js';
export { functionRef, provideModule } from './function-ref.js';
export type { FunctionName, FunctionRef } from './function-ref.js';
export { LOAD_BALANCE_FACTOR, chunkEnd, chunkStart, planRange } from './range-plan.js';
export type { RangePlan, RangeShape } from './range-plan.js';
export type {
  MultithreadedJob,
  PreparedRange,
  RangeArg,
  RangeFunction,
  RangeJobOptions,
  RangeResult,
  RangeRun,
  RangeRunner,
  RangeValue,
  RangeWorkerStats,
} from './range-types.js';
export { Series, MAX_WINDOW } from './series.js';
export type {
  ErrorPolicy,
  JobCallback,
  JobInput,
  JobOptions,
  JobResult,
  MapOptions,
  OrderedJobs,
  ReadableLike,
  SeriesMaker,
  SeriesOptions,
  SeriesStats,
  Source,
  StallReport,
} from './series-types.js';
export type { SeriesDuplex, SeriesTransform } from './streams-types.js';
export type { HaltPolicy } from './halt.js';
export type { TimeSummary } from './histogram.js';
export type { DeferredJob, JobContext } from './job-context.js';
export { map, orderedMap, parallelFor } from './adapters.js';
export type { OrderedMapOptions } from './adapters.js';
export { Padata, PadataShell, createPadata } from './padata.js';
export type {
  MaskKind,
  PadataJob,
  PadataOptions,
  PadataState,
  SerialInfo,
  ShellOptions,
} from './padata.js';
export { formatMask, parseMask, serialWorkerFor } from './masks.js';
export type { WorkerMask } from './masks.js';
