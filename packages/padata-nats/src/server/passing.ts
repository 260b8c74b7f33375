/** Errors of the server that another try may not meet, and the time between tries. */
import { textOf } from '../wire/errors.js';

const PASSING = /timeout|no responders|disconnect|temporarily|unavailable|reset|connection/i;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;

/** Text of an error and of the one behind it. */
export function fullTextOf(error: unknown): string {
  return `${textOf(error)} ${textOf((error as Error | undefined)?.cause)}`;
}

/** True where the server is away, or starting. */
export function isPassing(error: unknown): boolean {
  return PASSING.test(fullTextOf(error));
}

/** Waits between tries, twice as long each time. */
export class Pause {
  #waitMs = FIRST_WAIT_MS;

  async next(): Promise<void> {
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
