/** A range's `arg` on the calling thread: its chunks, and `undoFn`, see what a thread's do, a clone. */
import { PadataError } from '../base/errors.js';
import type { RangeJobState } from './range-job.js';

/**
 * Makes the clone, once a job.
 * @throws ERR_PADATA_CLONE
 */
export function cloneArg(job: RangeJobState): void {
  if (job.hasArg) return;
  const { arg } = job.options;
  try {
    job.arg = isValue(arg) ? arg : structuredClone(arg);
  } catch (cause) {
    throw argError(cause);
  }
  job.hasArg = true;
}

/** It could not be cloned for a thread. */
export function argError(cause: unknown): PadataError {
  return new PadataError('ERR_PADATA_CLONE', "the job's arg cannot be cloned", {}, { cause });
}

/** A clone of it is the value itself. */
function isValue(arg: unknown): boolean {
  switch (typeof arg) {
    case 'object':
      return arg === null;
    case 'function':
    case 'symbol':
      return false;
    default:
      return true;
  }
}
