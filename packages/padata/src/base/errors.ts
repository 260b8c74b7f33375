/**
 * Errors of the package.
 *
 * One class, one union of codes. Everything that goes wrong by the caller's mistake, in a worker or in a
 * user function arrives as a `PadataError` whose `code` says what, and whose `details` say where (job,
 * chunk, worker). The function's own error is its `cause`; how that crosses threads: `error-record.ts`.
 */
import { queueMicrotask } from './host-time.js';

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
  /** A thread could not be set up: `setup` threw, rejected, ended its thread or did not end in time. */
  | 'ERR_PADATA_SETUP'
  /** `teardown` threw, rejected or did not end in time. */
  | 'ERR_PADATA_TEARDOWN'
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
  /** A job has not ended in the time that its call gave it. */
  | 'ERR_PADATA_TIMEOUT'
  /** The series stopped early because of its `halt` policy. */
  | 'ERR_PADATA_HALTED'
  /** A broken invariant: the object refuses further work. */
  | 'ERR_PADATA_INVARIANT';

/** The page of the guide on bundled programs, as messages name it. */
export const BUNDLES = 'docs/bundles.md of @bootmem/padata';

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
    // No assignment: that fails where `Error.prototype` is frozen.
    Object.defineProperty(this, 'name', {
      value: 'PadataError',
      configurable: true,
      enumerable: true,
      writable: true,
    });
    this.code = code;
    this.details = details;
  }
}

/** Copies of the package know each other's errors by it: threads have one of their own, bundles may have another. */
const BRAND = Symbol.for('@bootmem/padata/error');
const isInstance = Function.prototype[Symbol.hasInstance];

// Outside of the class, which keeps its name so when it is bundled.
Object.defineProperty(PadataError.prototype, BRAND, { value: true });
Object.defineProperty(PadataError, Symbol.hasInstance, {
  value(this: unknown, error: unknown): boolean {
    // Of a class that extends it as ever.
    if (this !== PadataError) return isInstance.call(this as never, error);
    return typeof error === 'object' && error !== null && BRAND in error;
  },
});

/** Whatever a signal or a function gave, for those who may only throw errors; the value stays what it is. */
export function asError(reason: unknown): Error {
  return reason as Error;
}

/** Reports an error of the program's own code as an uncaught one, outside the call that met it. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
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
