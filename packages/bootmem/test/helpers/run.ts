/** Runs the command in this process with captured output; with `columns` as on a terminal of that width. */
import { createColors } from '../../dist/format/colors.js';
import { main } from '../../dist/cli/program.js';
import type { CommandIo } from '../../dist/cli/io.js';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function run(
  args: readonly string[],
  options: {
    signal?: AbortSignal;
    env?: Record<string, string>;
    color?: boolean;
    columns?: number;
  } = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const io: CommandIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: options.columns !== undefined,
    columns: options.columns,
    errIsTerminal: false,
    errStream: process.stderr,
    colors: createColors(options.color === true),
    signal: options.signal ?? new AbortController().signal,
    env: options.env ?? {},
  };
  const code = await main(args, io);
  return { code, out, err };
}

/** The recorded boots that are part of the repository. */
export const FIXTURES = new URL('../../../../tools/oracle/fixtures/boots/', import.meta.url)
  .pathname;
