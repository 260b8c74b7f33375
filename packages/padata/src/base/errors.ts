/**
 * Errors of the package.
 *
 * One class, one union of codes. Everything that goes wrong by the caller's mistake, in a worker or in a
 * user function arrives as a `PadataError` whose `code` says what, and whose `details` say where (job,
 * chunk, worker). Errors cross threads as plain data and are rebuilt, so `cause` keeps name, message,
 * stack and code of the original even where the original class does not exist on this side.
 */

/** What went wrong; stable across releases. */
export type PadataErrorCode =
  /** An argument is outside its documented range. */
  | 'ERR_PADATA_ARGUMENT'
  /** The pool, shell or series was closed. */
  | 'ERR_PADATA_CLOSED'
  /** The instance is stopped or has no usable worker (the kernel's EINVAL). */
  | 'ERR_PADATA_INVALID'
  /** Worker masks are being replaced (the kernel's EBUSY). */
  | 'ERR_PADATA_BUSY'
  /** `onFull: 'reject'` and the window is full. */
  | 'ERR_PADATA_FULL'
  /** A module could not be loaded, or has no such export. */
  | 'ERR_PADATA_MODULE'
  /** A job's function threw or rejected. */
  | 'ERR_PADATA_JOB_FAILED'
  /** A chunk's function threw or rejected. */
  | 'ERR_PADATA_CHUNK_FAILED'
  /** The worker thread ended while it ran the job or chunk. */
  | 'ERR_PADATA_WORKER_DIED'
  /** A result or an argument cannot be cloned. */
  | 'ERR_PADATA_CLONE'
  /** A job was completed twice. */
  | 'ERR_PADATA_DOUBLE_COMPLETE'
  /** The calling thread may not block. */
  | 'ERR_PADATA_CANNOT_BLOCK'
  /** A synchronous run met an asynchronous function. */
  | 'ERR_PADATA_ASYNC_IN_SYNC'
  /** The series stopped early because of its `halt` policy. */
  | 'ERR_PADATA_HALTED'
  /** A broken invariant: the object refuses further work. */
  | 'ERR_PADATA_INVARIANT';

/** Coded error; `details` are plain values that name the job, chunk or worker concerned. */
export class PadataError extends Error {
  readonly code: PadataErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code    what went wrong
   * @param message what was expected and what came, with units
   * @param details plain values for programs
   * @param options `cause`: the error behind this one
   */
  constructor(
    code: PadataErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    // A cause that is undefined is none: `'cause' in error` is false then.
    super(message, options?.cause === undefined ? undefined : options);
    this.name = 'PadataError';
    this.code = code;
    this.details = details;
  }
}

/** An error as it crosses between threads. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  /** A thrown value that is not an error, when it can be cloned; else its text is in `message`. */
  readonly value?: unknown;
  readonly isError: boolean;
}

/**
 * Plain description of anything that was thrown.
 * @param thrown any value; errors of other realms are recognised by shape
 */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
    const e = thrown as { name?: unknown; message: unknown; stack?: unknown; code?: unknown };
    return {
      name: typeof e.name === 'string' ? e.name : 'Error',
      message: String(e.message),
      stack: typeof e.stack === 'string' ? e.stack : undefined,
      code: typeof e.code === 'string' ? e.code : undefined,
      isError: true,
    };
  }
  const plain =
    thrown === null ||
    ['string', 'number', 'boolean', 'bigint', 'undefined'].includes(typeof thrown);
  return {
    name: 'Error',
    message: describe(thrown),
    stack: undefined,
    code: undefined,
    isError: false,
    ...(plain ? { value: thrown } : {}),
  };
}

/**
 * The thrown value again: an Error with the original's name, message, stack and code, or the plain value.
 * @param record what `toErrorRecord` made on the other side
 */
export function fromErrorRecord(record: ErrorRecord): unknown {
  if (!record.isError && 'value' in record) return record.value;
  const error = new Error(record.message);
  error.name = record.name;
  if (record.stack !== undefined) error.stack = record.stack;
  if (record.code !== undefined) Object.assign(error, { code: record.code });
  return error;
}

/** Reports an error of the program's own code as an uncaught one, outside the call that met it. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return toErrorRecord(thrown).message;
}

/** Text of any value, without throwing. */
function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without text';
  }
}

/**
 * Broken invariants stop the object: throws when `condition` is false.
 * @throws ERR_PADATA_INVARIANT
 */
export function assert(condition: boolean, text: string): asserts condition {
  if (!condition) throw new PadataError('ERR_PADATA_INVARIANT', text);
}

/**
 * The caller's argument is an integer in [low, high], else a coded error.
 * @throws ERR_PADATA_ARGUMENT
 */
export function checkInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      `${name} must be an integer in ${low}..${high}, got ${value}`,
      { name, value },
    );
  }
}
