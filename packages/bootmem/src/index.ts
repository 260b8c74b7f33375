/**
 * Bring a machine's memory up from its boot log; compare it with what the kernel reported.
 *
 * @packageDocumentation
 */
export { bootMemory } from './boot/boot-memory.js';
export { Machine } from './boot/machine.js';
export type { BootEvent, BootOptions, BootProgressOptions } from './boot/types.js';
export { loadMachine } from './input/load-machine.js';
export type { HotplugStep, LoadedMachine, MachineSource } from './input/types.js';
export { parseMemoryBlocks } from './input/memory-blocks.js';
export type { MemoryBlock, MemoryBlocks } from './input/memory-blocks.js';
export { planLayout } from './plan/layout-plan.js';
export type { LayoutPlan } from './plan/layout-plan.js';
export { chooseProfile } from './plan/profile.js';
export { checkLog } from './check/check-log.js';
export { checkMachine } from './check/check-machine.js';
export { replayLog } from './check/replay-log.js';
export { replayMachine } from './check/replay-machine.js';
export { benchBoot } from './bench/bench-boot.js';
export type { BenchBootOptions } from './bench/bench-boot.js';
export { renderReport } from './report/render-report.js';
export type { ReportInput } from './report/render-report.js';
export { bootText, summaryLines, zoneTable } from './format/boot-text.js';
export { checkSummary, checkText, factClassTable } from './format/check-text.js';
export { main } from './cli/program.js';
export { BootmemError } from './errors.js';
export type { BootmemErrorCode } from './errors.js';
export type * from './result.js';
