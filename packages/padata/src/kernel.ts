/** The kernel's shape of ordered jobs: instances with worker masks, shells that are ordering domains. */
export { Padata, createPadata } from './kernel/padata.js';
export type { PadataOptions, PadataState } from './kernel/padata.js';
export { PadataShell } from './kernel/padata-shell.js';
export type { PadataJob, SerialInfo, ShellOptions } from './kernel/padata-shell.js';
export { formatMask, parseMask, serialWorkerFor } from './kernel/masks.js';
export type { MaskKind, WorkerMask } from './kernel/masks.js';
