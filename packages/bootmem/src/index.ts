/**
 * Bring a machine's memory up from its boot log, on real threads: load, boot, measure, write a report.
 *
 * @packageDocumentation
 */
export { bootMemory } from './boot/boot-memory.js';
export type { Machine } from './boot/machine.js';
export type { HelperThread, NodeBinding } from './boot/threads.js';
export type { BootEvent, BootOptions } from './boot/types.js';
export { loadMachine } from './input/load-machine.js';
export type { LoadedMachine, MachineSource } from './input/types.js';
export type { LayoutPlan } from './plan/layout-plan.js';
export { benchBoot } from './bench/bench-boot.js';
export type { BenchBootOptions } from './bench/bench-boot.js';
export { renderReport } from './report/render-report.js';
export type { ReportInput } from './report/render-report.js';
export type { BenchReport } from './bench-result.js';
export type {
  AcceptMode,
  BootReport,
  ChunkReport,
  DeviceReport,
  InitMode,
  ZoneReport,
} from './result.js';
export { BootmemError } from './errors.js';
export type { BootmemErrorCode } from './errors.js';
