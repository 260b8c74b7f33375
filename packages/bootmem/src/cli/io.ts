/**
 * What the command talks to: two text sinks, whether they are terminals, colours, and the signal that
 * Ctrl-C raises. Commands get this object and touch no global stream, so tests run them in-process.
 */
import { createColors } from '../format/colors.js';
import { shown } from '../format/safe/escape.js';
import type { Paper } from '../format/paper.js';
import type { Colors } from '../format/colors.js';

/** The world as a command sees it. */
export interface CommandIo {
  /** Writes to standard output: `main` lets nothing but text and our own colours through (`format/escape`). */
  out(text: string): void;
  /** Writes to standard error, likewise. */
  err(text: string): void;
  /** True when standard output is a terminal. */
  readonly outIsTerminal: boolean;
  /** Columns of standard output where it is a terminal that says so. */
  readonly columns?: number | undefined;
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
 * The same world behind one writer: what commands print reaches it as text and our own colours, nothing else.
 * @param io  where text goes in the end
 */
export function guarded(io: CommandIo): CommandIo {
  return {
    ...io,
    out: (text) => {
      io.out(shown(text));
    },
    err: (text) => {
      io.err(shown(text));
    },
    colors: createColors(io.colors.isColorSupported),
  };
}

/** Columns of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;

/**
 * What a command's text is written on: a terminal's width, else lines as long as they need and digits for programs.
 * @param io    where it goes
 * @param wide  `--wide`: lines as long as they need there too
 */
export function paperOf(
  { outIsTerminal, columns, colors }: CommandIo,
  { wide }: { readonly wide?: boolean },
): Paper {
  const width = outIsTerminal && wide !== true ? (columns ?? DEFAULT_COLUMNS) : Infinity;
  return { colors, width, plain: !outIsTerminal };
}
