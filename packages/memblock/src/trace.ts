/**
 * `@bootmem/memblock/trace`: replays recorded traces of a kernel's memblock.
 */
export {
  replayTrace,
  type ReplayTraceOptions,
  type TraceDifference,
} from './trace/replay-trace.js';
export type { TraceScenario } from './trace/schema.js';
