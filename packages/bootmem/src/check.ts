/**
 * Compare a boot log with itself: what follows from its inputs against what the kernel printed.
 *
 * @packageDocumentation
 */
export { checkLog } from './check/check-log.js';
export { checkMachine } from './check/check-machine.js';
export { replayLog } from './check/replay-log.js';
export { replayMachine } from './check/replay-machine.js';
export { freeAtHandover } from './accounts/free-at-handover.js';
export { explainLog } from './explain/explain-log.js';
export type { ExplainReport } from './explain-result.js';
export { whatIf } from './what-if/what-if.js';
export { factClassTable } from './format/check-text.js';
export type { CheckReport, FactReport, ReplayReport } from './result.js';
