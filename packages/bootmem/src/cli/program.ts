/**
 * Runs the command: arguments become calls by the grammar, errors become exit codes.
 *
 * ```
 * main(argv, io) ─ commander ─▶ boot | check | explain | what-if | replay | bench | report | completion | man | schema ─▶ exit code
 * ```
 */
import { CommanderError } from 'commander';
import { BootmemError, INPUT_ERROR_CODES, codeOf, messageOf } from '../errors.js';
import { inLine } from '../format/safe/escape.js';
import { ExitCode } from './exit-codes.js';
import type { ExitCodeValue } from './exit-codes.js';
import { createProgram } from './grammar.js';
import { guarded } from './io.js';
import type { CommandIo } from './io.js';

/**
 * Runs the command.
 * @param args   arguments after the program's name
 * @param world  where to write; the signal that ends it
 * @returns the exit code; never rejects for errors of usage, input or work
 */
export async function main(args: readonly string[], world: CommandIo): Promise<ExitCodeValue> {
  const io = guarded(world);
  let code: ExitCodeValue = ExitCode.OK;
  const program = createProgram(io, (outcome) => {
    code = outcome;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return report(error, io);
  }
}

/** What an error begins with that no input and no use should lead to; BOOTMEM_DEBUG=1 shows where it comes from. */
const FAULT = 'a fault of this program';

function report(error: unknown, io: CommandIo): ExitCodeValue {
  if (error instanceof CommanderError) {
    // Help and version end with 0; commander has printed the message of everything else.
    return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
  }
  if (io.signal.aborted) {
    io.err('interrupted\n');
    return ExitCode.INTERRUPTED;
  }
  const code = codeOf(error);
  const isOurs = code !== undefined && /^ERR_(?:BOOTMEM|FIRMWARE_MAP)_/.test(code);
  const what = isOurs ? '' : `${FAULT}${code === undefined ? '' : ` (${code})`}: `;
  io.err(`bootmem: ${what}${inLine(messageOf(error))}\n`);
  if (io.env['BOOTMEM_DEBUG'] === '1' && error instanceof Error) io.err(`${error.stack ?? ''}\n`);
  const input =
    error instanceof BootmemError && INPUT_ERROR_CODES.includes(error.code)
      ? true
      : code?.startsWith('ERR_FIRMWARE_MAP') === true;
  return input ? ExitCode.USAGE : ExitCode.FAILURE;
}
