/** Outcomes of one ring that do not lie in their slots: values that came by message, and errors. Owner's side. */
import { fromErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { FromWorker } from '../protocol/messages.js';

/** An outcome that does not lie in its slot. */
export interface Reply {
  readonly failed: boolean;
  readonly value: unknown;
}

/** What a thread says by message of a job that has ended. */
type OutcomeMessage = Extract<FromWorker, { t: 'result' | 'jobFailed' }>;

/** The outcome that a message tells of the job with this number in its series. */
export function replyOf(message: OutcomeMessage, number: number): Reply {
  return message.t === 'result'
    ? { failed: false, value: message.value }
    : { failed: true, value: jobFailed(message, number) };
}

/** The function's own words and stack; where it was is in the details. */
function jobFailed(
  { worker, error }: Extract<FromWorker, { t: 'jobFailed' }>,
  number: number,
): PadataError {
  const failed = new PadataError(
    error.code === 'ERR_PADATA_CLONE' ? 'ERR_PADATA_CLONE' : 'ERR_PADATA_JOB_FAILED',
    error.message,
    { seq: number >>> 0, worker },
    { cause: fromErrorRecord(error) },
  );
  if (error.stack !== undefined) failed.stack = error.stack;
  return failed;
}
