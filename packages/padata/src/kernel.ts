/** The kernel's shape of ordered jobs: instances with worker masks, shells that are ordering domains. */
export { Padata, PadataShell, createPadata } from './kernel/padata.js';
export type {
  MaskKind,
  PadataJob,
  PadataOptions,
  PadataState,
  SerialInfo,
  ShellOptions,
} from './kernel/padata.js';
export { formatMask, parseMask, serialWorkerFor } from './kernel/masks.js';
export type { WorkerMask } from './kernel/masks.js';
