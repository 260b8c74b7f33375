/**
 * Errors of this package. What has a counterpart on one machine keeps padata's class and code (a job that
 * throws, a worker that dies, a full window); only what the network adds has codes of its own.
 */

/** What went wrong; stable across releases. */
export type PadataNatsErrorCode =
  /** An argument is outside its documented range, or an option means nothing over a network. */
  | 'ERR_PADATA_NATS_ARGUMENT'
  /** No server answers, or it refuses the credentials. */
  | 'ERR_PADATA_NATS_CONNECT'
  /** The server refuses what is needed: JetStream is off, a permission is missing, storage is full. */
  | 'ERR_PADATA_NATS_SERVER'
  /** No worker offers the module, for longer than `workerWaitMs`. */
  | 'ERR_PADATA_NATS_NO_WORKER'
  /** The job took its worker down as often as it may. */
  | 'ERR_PADATA_NATS_POISON'
  /** A large value could not be put into or taken out of the object store. */
  | 'ERR_PADATA_NATS_VALUE'
  /** A message is not what this package writes. */
  | 'ERR_PADATA_NATS_WIRE'
  /** A run with this id exists already, or does not exist. */
  | 'ERR_PADATA_NATS_RUN';

/** Coded error; `details` are plain values that name the job, run, module or subject concerned. */
export class PadataNatsError extends Error {
  readonly code: PadataNatsErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code    what went wrong
   * @param message what was expected and what came
   * @param details plain values for programs
   * @param options `cause`: the error behind this one
   */
  constructor(
    code: PadataNatsErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    // A cause that is undefined is none: `'cause' in error` is false then.
    super(message, options?.cause === undefined ? undefined : options);
    this.name = 'PadataNatsError';
    this.code = code;
    this.details = details;
  }
}

/** Text of anything that was thrown; never throws. */
export function textOf(error: unknown): string {
  try {
    return typeof error === 'object' && error !== null && 'message' in error
      ? String(error.message)
      : String(error);
  } catch {
    return 'a value without text';
  }
}

/** The reason that was given; without one an AbortError, as `AbortController` makes it: an abort is never a success. */
export function abortReason(reason: unknown): unknown {
  return reason === undefined
    ? new DOMException('This operation was aborted', 'AbortError')
    : reason;
}
