/** Errors of a pool as a whole. */
import { currentWorker } from '../base/current-worker.js';
import { toErrorRecord } from '../base/error-record.js';
import { BUNDLES, PadataError } from '../base/errors.js';
import type { RangeJobState } from '../range/range-job.js';

export function closedError(): PadataError {
  return new PadataError('ERR_PADATA_CLOSED', 'the pool was closed');
}

/** A module that makes a pool whenever it is imported makes one in each thread of that pool, and so on without end. */
export function nestedImport(): PadataError {
  const worker = currentWorker();
  return new PadataError(
    'ERR_PADATA_MODULE',
    `createWorkPool was called while worker ${worker} imports the module of a job; let only the main thread do that: if (isMainThread) main()`,
    { worker },
  );
}

/**
 * Where the package is installed, what jobs run by is read at the first pool. @returns an error that says so where that failed;
 * undefined = `cause` is another
 */
export function unreadPart(cause: unknown): PadataError | undefined {
  const { code, message } = toErrorRecord(cause);
  // Node gives its errors about files a code; what padata finds wrong says so itself.
  const isOfFiles = cause instanceof SyntaxError || code !== undefined;
  if (!isOfFiles || cause instanceof PadataError) return undefined;
  return new PadataError(
    'ERR_PADATA_MODULE',
    `a file of @bootmem/padata cannot be read (${message}): the package is not to be replaced or removed before the program's first pool, and where a program's files are copied or bundled it belongs to them, see ${BUNDLES}`,
    {},
    { cause },
  );
}

/** @param trouble what the start of threads has ended with */
export function startError(trouble: unknown): PadataError {
  // It says what is wrong with the program.
  if (trouble instanceof PadataError) return trouble;
  return new PadataError(
    'ERR_PADATA_WORKER_DIED',
    'worker threads cannot be started; jobs run on those that run, or on the calling thread',
    {},
    { cause: trouble },
  );
}

/** A thread takes no part in a range job. */
export function rangeJobError(job: RangeJobState, worker: number, cause: unknown): PadataError {
  const isUnread = toErrorRecord(cause).code === 'ERR_PADATA_CLONE';
  const what = isUnread ? 'read the argument of' : 'load';
  return new PadataError(
    isUnread ? 'ERR_PADATA_CLONE' : 'ERR_PADATA_MODULE',
    `worker ${worker} cannot ${what} ${job.name} of ${job.href}; the job runs without it`,
    { worker, module: job.href, name: job.name },
    { cause },
  );
}
