export { UnacceptedMemory } from './memory/unaccepted-memory.js';
export type {
  AttachOptions,
  StateRun,
  UnacceptedMemoryHandle,
  UnacceptedMemoryOptions,
} from './memory/unaccepted-memory.js';
export type { AcceptOutcome, UnitState } from './memory/accept-protocol.js';
export { buildTable, planHeader, readHeader, recordRange, writeHeader } from './table/table.js';
export type { ByteRange, TableHeader, TablePlan } from './table/table.js';
export { ACCEPT_PROFILES, acceptUnits, probeUnits } from './table/unit-range.js';
export type {
  AcceptProfile,
  AcceptProfileName,
  UnitGeometry,
  UnitRange,
} from './table/unit-range.js';
export type { AcceptBackend, BackendHandle, BackendOpeners } from './backends/backend.js';
export { openBackend } from './backends/open-backend.js';
export { createNoneBackend } from './backends/none.js';
export { createPrefaultBackend } from './backends/prefault.js';
export type { PrefaultOptions } from './backends/prefault.js';
export { createTdxModel } from './backends/tdx-model.js';
export type { TdxCall, TdxCounter, TdxModel, TdxModelOptions } from './backends/tdx-model.js';
export { createSnpModel } from './backends/snp-model.js';
export type { SnpCounter, SnpModel, SnpModelOptions } from './backends/snp-model.js';
export type { AcceptCost, ModelBackend, ModelOptions } from './backends/cost.js';
export { AcceptError } from './base/errors.js';
export type { AcceptErrorCode } from './base/errors.js';
export {
  BLOCK_PAGES,
  DEFAULT_UNIT_SIZE,
  PAGE_SIZE,
  TABLE_GUID,
  TABLE_HEADER_BYTES,
  TABLE_VERSION,
} from './base/constants.js';
export { ZoneAcceptor } from './zone/zone-acceptor.js';
export type {
  AcceptMode,
  ZoneAcceptCounter,
  ZoneAcceptorHandle,
  ZoneAcceptorOptions,
  ZoneHelperOptions,
} from './zone/zone-acceptor.js';
export type {
  AcceptGate,
  AcceptPort,
  AcceptStage,
  CondAcceptOptions,
  ZoneAcceptState,
} from './zone/zone-port.js';
export { Pacer } from './background/pacer.js';
export type { PacerOptions, PacerStats } from './background/pacer.js';
export { acceptUnitsJob, runArenaHelper } from './background/arena-helper.js';
export type { AcceptJob } from './background/arena-helper.js';
export { meterBackend } from './backends/meter.js';
export type { MeterCounter, MeterOptions, MeteredBackend } from './backends/meter.js';
export {
  acceptReport,
  formatAcceptReport,
  meminfoLine,
  nodeMeminfoLine,
  vmstatLine,
  zoneinfoLine,
} from './memory/reports.js';
export type { AcceptReport } from './memory/reports.js';
