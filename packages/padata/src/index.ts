export { WorkPool, createWorkPool } from './pool/work-pool.js';
export type { WorkPoolEvents, WorkPoolOptions, WorkPoolStats } from './pool/work-pool.js';
export { PadataError } from './base/errors.js';
export type { PadataErrorCode } from './base/errors.js';
export { functionRef, provideModule } from './base/function-ref.js';
export type { FunctionName, FunctionRef } from './base/function-ref.js';
export { LOAD_BALANCE_FACTOR, chunkEnd, chunkStart, planRange } from './range/range-plan.js';
export type { RangePlan, RangeShape } from './range/range-plan.js';
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
} from './range/range-types.js';
export { Series, MAX_WINDOW } from './series/series.js';
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
} from './series/series-types.js';
export type { SeriesDuplex, SeriesTransform } from './series/streams-types.js';
export type { HaltPolicy } from './series/halt.js';
export type { TimeSummary } from './base/histogram.js';
export type { DeferredJob, JobContext } from './slot/job-context.js';
export { map, orderedMap, parallelFor } from './pool/adapters.js';
export type { OrderedMapOptions } from './pool/adapters.js';
export { Padata, PadataShell, createPadata } from './kernel/padata.js';
export type {
  MaskKind,
  PadataJob,
  PadataOptions,
  PadataState,
  SerialInfo,
  ShellOptions,
} from './kernel/padata.js';
export { formatMask, parseMask, serialWorkerFor } from './kernel/masks.js';
export type { WorkerMask } from './kernel/masks.js';
