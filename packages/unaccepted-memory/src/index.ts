export { UnacceptedMemory } from './unaccepted-memory.js';
export type {
  AttachOptions,
  StateRun,
  UnacceptedMemoryHandle,
  UnacceptedMemoryOptions,
} from './unaccepted-memory.js';
export type { AcceptOutcome, UnitState } from './accept-protocol.js';
export { buildTable, planHeader, readHeader, recordRange, writeHeader } from './table.js';
export type { ByteRange, TableHeader, TablePlan } from './table.js';
export { ACCEPT_PROFILES, acceptUnits, probeUnits } from './unit-range.js';
export type { AcceptProfile, AcceptProfileName, UnitGeometry, UnitRange } from './unit-range.js';
export type { AcceptBackend, BackendHandle, BackendOpeners } from './backend.js';
export { openBackend } from './backends.js';
export { createNoneBackend } from './backends/none.js';
export { createPrefaultBackend } from './backends/prefault.js';
export type { PrefaultOptions } from './backends/prefault.js';
export { createTdxModel } from './backends/tdx-model.js';
export type { TdxCall, TdxCounter, TdxModel, TdxModelOptions } from './backends/tdx-model.js';
export { createSnpModel } from './backends/snp-model.js';
export type { SnpCounter, SnpModel, SnpModelOptions } from './backends/snp-model.js';
export type { AcceptCost, ModelBackend, ModelOptions } from './backends/cost.js';
export { AcceptError } from './errors.js';
export type { AcceptErrorCode } from './errors.js';
export {
  BLOCK_PAGES,
  DEFAULT_UNIT_SIZE,
  PAGE_SIZE,
  TABLE_GUID,
  TABLE_HEADER_BYTES,
  TABLE_VERSION,
} from './constants.js';
export { ZoneAcceptor } from './zone-acceptor.js';
export type {
  AcceptMode,
  ZoneAcceptCounter,
  ZoneAcceptorHandle,
  ZoneAcceptorOptions,
  ZoneHelperOptions,
} from './zone-acceptor.js';
export type {
  AcceptGate,
  AcceptPort,
  AcceptStage,
  CondAcceptOptions,
  ZoneAcceptState,
} from './zone-port.js';
export { Pacer } from './pacer.js';
export type { PacerOptions, PacerStats } from './pacer.js';
export { acceptUnitsJob, runArenaHelper } from './arena-helper.js';
export type { AcceptJob } from './arena-helper.js';
export { meterBackend } from './meter.js';
export type { MeterCounter, MeterOptions, MeteredBackend } from './meter.js';
export {
  acceptReport,
  formatAcceptReport,
  meminfoLine,
  nodeMeminfoLine,
  vmstatLine,
  zoneinfoLine,
} from './reports.js';
export type { AcceptReport } from './reports.js';
