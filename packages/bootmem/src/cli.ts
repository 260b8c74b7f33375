#!/usr/bin/env node
/**
 * The program: signals, broken pipes and the exit code are the process's; the command runs in a thread (`cli/process`). The first
 * Ctrl-C (or SIGTERM) ends the work in order, the second ends the process at once.
 */
import { ExitCode } from './cli/exit-codes.js';
import { superviseCommand } from './cli/process/supervise.js';
import { messageOf } from './errors.js';

const args = process.argv.slice(2);
/** Whether files are written besides, or may be (lsmem's columns look the same): those are wanted without a reader too. */
const writesFiles = args.some((word) => /^(?:--output|--trace|--metrics|-[a-zA-Z]*o)/.test(word));

// A reader that goes away (`bootmem boot | head`) is no failure; a full disk is, in a line.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') {
    if (writesFiles) return;
    process.exit(ExitCode.OK);
  }
  process.stderr.write(`bootmem: cannot write to standard output: ${error.message}\n`);
  process.exit(ExitCode.FAILURE);
});
// Nobody is left to tell.
process.stderr.on('error', () => undefined);

try {
  // Threads cannot start without a folder to stand in.
  process.cwd();
} catch (error) {
  process.stderr.write(`bootmem: cannot read the current folder: ${messageOf(error)}\n`);
  process.exit(ExitCode.USAGE);
}
const command = superviseCommand(args);
const state: { signal?: number } = {};
const onSignal = (name: NodeJS.Signals, number: number): void => {
  if (state.signal !== undefined) {
    // Without a listener the system ends the process, whatever its threads are doing.
    process.removeAllListeners(name);
    process.kill(process.pid, name);
  }
  state.signal = number;
  command.interrupt(number);
};
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
process.exitCode = await command.code;
// Not waiting for a reader of what was printed, who may have stopped reading: so what was printed may lack its end.
if (state.signal !== undefined) process.exit(128 + state.signal);
process.off('SIGINT', onSignal);
process.off('SIGTERM', onSignal);
