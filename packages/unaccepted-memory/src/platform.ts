/**
 * Entry `@bootmem/unaccepted-memory/platform`: for who models a platform, brings a backend of his own, measures one, or
 * hands a table from one boot stage to the next.
 */
export type { BackendHandle, BackendOpeners } from './backends/backend.js';
export { openBackend } from './backends/open-backend.js';
export { createNoneBackend } from './backends/none.js';
export { createTdxModel } from './backends/tdx-model.js';
export type { TdxCall, TdxModel, TdxModelOptions } from './backends/tdx-model.js';
export { createSnpModel } from './backends/snp-model.js';
export type { SnpModel, SnpModelOptions } from './backends/snp-model.js';
export { meterBackend } from './backends/meter.js';
export type { MeterOptions, MeteredBackend } from './backends/meter.js';
export { buildTable, readHeader } from './table/table.js';
export type { TableHeader, TablePlan } from './table/table.js';
export type { UnitHolder } from './memory/conversion.js';
export type { HandOver } from './memory/types.js';
