/**
 * Exit codes of the command. Scripts rely on them; they never change their meaning.
 */
import { isSerious } from '../findings/find.js';
import type { Finding } from '../result.js';

/** Exit codes by name. */
export const ExitCode = {
  /** Done, everything agreed. */
  OK: 0,
  /** A mismatch was found, or the work failed. */
  FAILURE: 1,
  /** Bad usage or unusable input; nothing was started. */
  USAGE: 2,
  /** Ended by Ctrl-C (128 + SIGINT), after threads were stopped. */
  INTERRUPTED: 130,
} as const;

/** One of {@link ExitCode}'s values. */
export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * The exit code of a command that told findings.
 * @param strict    whether `--strict` was given
 * @param findings  what was found
 * @param otherwise the code without `--strict`
 */
export function strictly(
  strict: boolean | undefined,
  findings: readonly Finding[],
  otherwise: ExitCodeValue = ExitCode.OK,
): ExitCodeValue {
  return strict === true && otherwise === ExitCode.OK && isSerious(findings)
    ? ExitCode.FAILURE
    : otherwise;
}
