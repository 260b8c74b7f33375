/** Memory that must be accepted before its first use: the state, zones, background acceptance, reports. */
export { UnacceptedMemory } from './memory/unaccepted-memory.js';
export type {
  AcceptOutcome,
  AttachOptions,
  StateRun,
  UnacceptedMemoryHandle,
  UnacceptedMemoryOptions,
  UnitState,
} from './memory/types.js';
export type { ByteRange } from './table/table.js';
export type { AcceptBackend } from './backends/backend.js';
export { createPrefaultBackend } from './backends/prefault.js';
export type { PrefaultOptions } from './backends/prefault.js';
export { AcceptError } from './base/errors.js';
export type { AcceptErrorCode } from './base/errors.js';
export { ZoneAcceptor } from './zone/zone-acceptor.js';
export type { ZoneAcceptorHandle, ZoneAcceptorOptions } from './zone/types.js';
export type { AcceptGate, AcceptPort } from './zone/zone-port.js';
export { Pacer } from './background/pacer.js';
export type { PacerOptions } from './background/pacer.js';
export { acceptUnitsJob, runArenaHelper } from './background/arena-helper.js';
export type { AcceptJob } from './background/arena-helper.js';
export { acceptReport, formatAcceptReport, meminfoLine, vmstatLine } from './memory/reports.js';
export type { AcceptReport } from './memory/reports.js';
