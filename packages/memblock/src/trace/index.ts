/**
 * `@bootmem/memblock/trace`: replays recorded traces of a kernel's memblock.
 */
export { hashState, replayTrace } from './replay-trace.js';
export type { ReplayTraceOptions, TraceDifference } from './replay-trace.js';
export type {
  TraceConfig,
  TraceOperation,
  TraceRegion,
  TraceScenario,
  TraceState,
} from './schema.js';
export { Translation, wordsOf } from './translation.js';
