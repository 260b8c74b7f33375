/**
 * `@bootmem/memblock/replay`: reads what a kernel with `memblock=debug` printed, and follows a boot by it.
 */
export { replayBoot, type BootReplayOptions } from './replay/boot-replay.js';
export { compareDump } from './replay/compare-dump.js';
export {
  parseDebugLine,
  readDebugLog,
  type DebugEvent,
  type LogEntry,
} from './replay/debug-log.js';
export { parseDump, stateOfDump, type MemblockDump } from './replay/read-dump.js';
export type { NumaBlock } from './replay/numa-blocks.js';
export type { BootReplayResult, Checkpoint } from './replay/replay-result.js';
