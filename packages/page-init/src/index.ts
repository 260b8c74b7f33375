/** Page-descriptor initialisation: the plan, the early pass, the deferred pass and growth on demand. */
export { PageInitError, type PageInitErrorCode } from './base/errors.js';
export type {
  InitInput,
  PageSink,
  RangeJob,
  RangeJobRunner,
  ReservedPfnRange,
  ZonePfnRange,
} from './base/types.js';
export { type PageInitProfile, profileForRelease } from './profiles.js';
export { type InitPlan, planInit, type PlanNode, type PlanRun } from './plan/plan.js';
export { type EarlyResult, initEarly, releaseEarly } from './early/early.js';
export { DeferredNode } from './deferred/node.js';
export {
  createDeferredNodes,
  createZoneGrower,
  type DeferredResult,
  type GrowHook,
  initDeferred,
} from './deferred/run.js';
export type { DeferredNodeHandle } from './deferred/types.js';
export { createInlineRunner, createPoolRunner } from './core/runner.js';
