/**
 * Entry `@bootmem/page-init/deferred`: for who makes a node without a plan, brings a runner of his own, or looks at
 * the parts of a pass.
 */
export { Phase } from './deferred/layout.js';
export {
  type DeferredNodesOptions,
  type DeferredRunOptions,
  type NodeResult,
} from './deferred/run.js';
export { splitJobs } from './deferred/split.js';
export type { DeferredAttach, DeferredCounts, DeferredNodeOptions } from './deferred/types.js';
export type { RangeJobResult, WorkerShare } from './base/types.js';
export type { JobSplitting } from './profiles.js';
export type { PoolRunnerOptions } from './core/runner.js';
