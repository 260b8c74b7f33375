/**
 * Exit codes of the command. Scripts rely on them; they never change their meaning.
 */
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
