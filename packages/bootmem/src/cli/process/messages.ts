/** What the thread of a command and the process around it say to each other. */

/** What a command's thread is told about the world when it starts. */
export interface CommandSettings {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** {@link CommandIo} of the same name, as plain data. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly columns: number | undefined;
  /** Columns of standard error, for what is drawn there. */
  readonly errColumns: number | undefined;
  readonly colors: boolean;
}

/** From the command's thread. */
export type FromCommand =
  /** Text for standard output or standard error; at most {@link PIECE_LENGTH} characters. */
  | { readonly kind: 'out'; readonly text: string }
  | { readonly kind: 'err'; readonly text: string }
  /** The answer to `ask`: the thread is not in the middle of a computation. */
  | { readonly kind: 'here' }
  /** The last one. */
  | { readonly kind: 'end'; readonly code: number };

/** To the command's thread: end in order; say whether you listen; standard input cannot be read. */
export type ToCommand = 'interrupt' | 'ask' | { readonly unreadable: string };

/** Most characters of a piece of text: what the process does for each message is bounded. */
export const PIECE_LENGTH = 2 ** 16;
