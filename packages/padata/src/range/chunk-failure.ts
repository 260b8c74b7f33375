/** The error of a chunk that failed, whoever has run it. */
import { toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { PadataErrorCode } from '../base/errors.js';

/** What is no failure of the chunk's function keeps its code. */
const CODES: readonly unknown[] = [
  'ERR_PADATA_CLONE',
  'ERR_PADATA_ASYNC_IN_SYNC',
] satisfies PadataErrorCode[];

/** Where a chunk failed. */
interface FailedChunk {
  readonly index: number;
  /** Units, half open. */
  readonly start: number;
  readonly end: number;
  /** 0 = the caller. */
  readonly worker: number;
}

/** @param cause what its function has thrown; or a PadataError of its own */
export function chunkFailure(
  { index, start, end, worker }: FailedChunk,
  cause: unknown,
): PadataError {
  const { code, message } = toErrorRecord(cause);
  const where = worker === 0 ? 'the caller' : `worker ${worker}`;
  return new PadataError(
    CODES.includes(code) ? (code as PadataErrorCode) : 'ERR_PADATA_CHUNK_FAILED',
    `chunk [${start}, ${end}) failed in ${where}: ${message}`,
    { start, end, worker, index },
    { cause },
  );
}
