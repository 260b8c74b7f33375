/** The error that the pure zone computations throw on a caller's mistake, before anything happened. */

/** What was wrong. */
export type ZoneErrorCode = 'ERR_ZONE_RANGES' | 'ERR_ZONE_LIMITS' | 'ERR_ZONE_ARGUMENT';

/** Thrown for arguments no machine can have; `details` carries the offending values. */
export class ZoneError extends Error {
  readonly code: ZoneErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: ZoneErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(`${message} (${code})`);
    this.name = 'ZoneError';
    this.code = code;
    this.details = details;
  }
}

/** @throws ERR_ZONE_ARGUMENT unless `value` is a whole number of pages, 0 or more */
export function checkPages(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ZoneError('ERR_ZONE_ARGUMENT', `${what} must be a whole number, 0 or more`, {
      value,
    });
  }
}
