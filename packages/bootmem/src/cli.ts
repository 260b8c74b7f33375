#!/usr/bin/env node
/**
 * The program: connects {@link main} to the process. The first Ctrl-C (or SIGTERM) aborts the work and
 * lets threads end; the second ends the process at once.
 */
import { ExitCode } from './cli/exit-codes.js';
import { processIo } from './cli/io.js';
import { main } from './cli/program.js';

const abort = new AbortController();
/** What an interrupted program ends with: 128 and the number of the signal. */
let interrupted: number = ExitCode.INTERRUPTED;
const onSignal = (_name: NodeJS.Signals, number: number): void => {
  if (abort.signal.aborted) process.exit(interrupted);
  interrupted = 128 + number;
  abort.abort();
};
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// A reader that goes away (`bootmem boot | head`) is no failure; a full disk is, in a line.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.OK);
  process.stderr.write(`bootmem: cannot write to standard output: ${error.message}\n`);
  process.exit(ExitCode.FAILURE);
});
// Nobody is left to tell.
process.stderr.on('error', () => undefined);

const code = await main(process.argv.slice(2), processIo(abort.signal));
process.exitCode = code === ExitCode.INTERRUPTED ? interrupted : code;
process.off('SIGINT', onSignal);
process.off('SIGTERM', onSignal);
