/**
 * Errors that are thrown: only for a caller's mistake. What is wrong with an input is a `Problem` of the result,
 * because one odd line among thousands is no reason to lose the rest.
 */

/** Codes of {@link FirmwareMapError}. */
export type FirmwareMapErrorCode =
  'ERR_FIRMWARE_MAP_OPTION' | 'ERR_FIRMWARE_MAP_FINISHED' | 'ERR_FIRMWARE_MAP_CHUNK';

/** A call with arguments that cannot be meant. Thrown before anything has changed. */
export class FirmwareMapError extends Error {
  /** What kind of mistake. */
  readonly code: FirmwareMapErrorCode;
  /** The values that were refused. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code     kind of mistake
   * @param message  what was expected and what came
   * @param details  the values
   * @param options  `cause`: the lower error
   */
  constructor(
    code: FirmwareMapErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'FirmwareMapError';
    this.code = code;
    this.details = details;
  }
}
