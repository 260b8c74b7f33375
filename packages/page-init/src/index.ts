/** Page-descriptor initialisation: early, deferred, on demand, device. */
export { PageInitError, type PageInitErrorCode, type PageInitErrorDetails } from './base/errors.js';
export type {
  InitInput,
  MemoryPfnRange,
  PageSink,
  RangeJob,
  RangeJobResult,
  RangeJobRunner,
  ReservedPfnRange,
  WorkerShare,
  ZonePfnRange,
} from './base/types.js';
export {
  type JobSplitting,
  type PageInitProfile,
  type PagemapType,
  profileForRelease,
} from './profiles.js';
export { type ByteSpan, memoryFromBytes, reservedFromBytes } from './plan/cut.js';
export {
  type InitPlan,
  NO_ZONE_INDEX,
  type PageOwner,
  planInit,
  type PlanNode,
  planNode,
  type PlanRun,
  runOf,
  type UnavailableCount,
  verifyPlan,
} from './plan/plan.js';
export {
  defineZones,
  type EarlyOptions,
  type EarlyResult,
  initEarly,
  releaseEarly,
} from './early/early.js';
export {
  type DeferredAttach,
  type DeferredCounts,
  DeferredNode,
  type DeferredNodeHandle,
  type DeferredNodeOptions,
} from './deferred/node.js';
export { Phase } from './deferred/layout.js';
export {
  createDeferredNodes,
  createZoneGrower,
  type DeferredNodesOptions,
  type DeferredResult,
  type DeferredRunOptions,
  type GrowHook,
  initDeferred,
  type NodeResult,
} from './deferred/run.js';
export { splitJobs } from './deferred/split.js';
export {
  type ChunkFunction,
  createInlineRunner,
  createPoolRunner,
  type PoolJob,
  type PoolRunnerOptions,
  type WorkPoolPort,
  yieldToEvents,
} from './work/runner.js';
export { type ClaimOwner, ClaimState, ClaimTable } from './work/claims.js';
export { Altmap, type AltmapRequest } from './device/altmap.js';
export { DeviceInit, type DeviceInitHandle, type DeviceInitOptions } from './device/init.js';
export {
  type BackgroundOptions,
  DEFAULT_DEVICE_THREADS,
  DeviceMemory,
  type DeviceMemoryOptions,
  type LogLine,
} from './device/device-memory.js';
export { DeviceMapping, type DevicePageInfo, type MappedRange } from './device/mapping.js';
export { MappingReferences } from './device/references.js';
export { SubsectionMap } from './hotplug/subsections.js';
export {
  type DeviceBackend,
  type HotplugLock,
  type PagemapOps,
  type PagemapRequest,
  type PageProtection,
} from './device/types.js';
export { MemoryHotplug, type MemoryHotplugOptions } from './hotplug/memory-hotplug.js';
