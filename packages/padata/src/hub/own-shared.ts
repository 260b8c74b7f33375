/** A series' `shared` value on the calling thread: jobs that it runs itself see what a thread's would, a clone. */
import { PadataError } from '../base/errors.js';

/** Of one series. */
export class OwnShared {
  #given: unknown;
  #isOwn = false;

  constructor(given: unknown) {
    this.#given = given;
  }

  /** The clone, once there is one. */
  get value(): unknown {
    return this.#isOwn ? this.#given : undefined;
  }

  /** Makes it; the first call only. @throws ERR_PADATA_CLONE */
  clone(): void {
    if (this.#isOwn) return;
    this.#given = cloneShared(this.#given);
    this.#isOwn = true;
  }
}

/** @throws ERR_PADATA_CLONE */
export function cloneShared(shared: unknown): unknown {
  try {
    return structuredClone(shared);
  } catch (error) {
    throw sharedError(error);
  }
}

/** It could not be cloned for a thread. */
export function sharedError(cause: unknown): PadataError {
  return new PadataError(
    'ERR_PADATA_CLONE',
    "the series' shared value cannot be cloned",
    {},
    { cause },
  );
}
