#!/usr/bin/env node
/**
 * The program: connects {@link main} to the process. The first Ctrl-C aborts the work and lets threads
 * end; the second ends the process at once.
 */
import { ExitCode } from './cli/exit-codes.js';
import { processIo } from './cli/io.js';
import { main } from './cli/program.js';

const abort = new AbortController();
const onSignal = (): void => {
  if (abort.signal.aborted) process.exit(ExitCode.INTERRUPTED);
  abort.abort();
};
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// A reader that goes away (`bootmem boot | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.OK);
  throw error;
});

process.exitCode = await main(process.argv.slice(2), processIo(abort.signal));
process.off('SIGINT', onSignal);
process.off('SIGTERM', onSignal);
