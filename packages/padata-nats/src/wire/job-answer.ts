/** What a job answers, on its way to the submitter: the same whichever process has run it, the submitter's own too. */
import { PadataError } from '@bootmem/padata';
import { textOf } from './errors.js';
import { encodeError, encodeValue } from './values.js';
import type { Item } from './values.js';

/** Which job, by its number in the run, and where it ran. */
export interface JobPlace {
  readonly sequence: number;
  readonly host: string;
}

/** A job's result; its error, where the value cannot leave the process. Never throws. */
export function resultItem(place: JobPlace, value: unknown): Item {
  try {
    return encodeValue(value);
  } catch (error) {
    return failureItem(place, error);
  }
}

/** A job's error under its own number, with the host that it happened on. Never throws. */
export function failureItem({ sequence, host }: JobPlace, error: unknown): Item {
  if (!(error instanceof PadataError)) return encodeError(error);
  const { code, cause, details } = error;
  const reason = cause === undefined ? error.message : textOf(cause);
  return encodeError(
    new PadataError(
      code,
      `job ${sequence} failed on ${host}: ${reason}`,
      { ...details, seq: sequence, host },
      { cause },
    ),
  );
}
