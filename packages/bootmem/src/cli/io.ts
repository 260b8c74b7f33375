/**
 * What the command talks to: two text sinks, whether they are terminals, colours, and the signal that
 * Ctrl-C raises. Commands get this object and touch no global stream, so tests run them in-process.
 */
import { createColors, wantsColor } from '../format/colors.js';
import type { Colors } from '../format/colors.js';

/** The world as a command sees it. */
export interface CommandIo {
  /** Writes to standard output, as it is. */
  out(text: string): void;
  /** Writes to standard error, as it is. */
  err(text: string): void;
  /** True when standard output is a terminal. */
  readonly outIsTerminal: boolean;
  /** True when standard error is a terminal: a progress bar may be drawn there. */
  readonly errIsTerminal: boolean;
  /** Stream for the progress bar. */
  readonly errStream: NodeJS.WritableStream;
  /** Colours for standard output. */
  readonly colors: Colors;
  /** Raised by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Environment variables the command looks at. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The io of a real process.
 * @param signal  raised by Ctrl-C
 */
export function processIo(signal: AbortSignal): CommandIo {
  const outIsTerminal = process.stdout.isTTY;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    outIsTerminal,
    errIsTerminal: process.stderr.isTTY,
    errStream: process.stderr,
    colors: createColors(wantsColor(outIsTerminal, process.env)),
    signal,
    env: process.env,
  };
}
