/**
 * Runs a command in a thread of its own, so that the process always listens: to Ctrl-C, and to a reader that goes away.
 *
 * ```
 * process   ── args ──▶  thread: main(args)        SIGINT ─▶ interrupt ─▶ signal raised, threads end, 130
 *    ▲ write stdout, stderr ◀── pieces of text ──┘          ask ─▶ here   still listening: it ends in order
 *    └ exit code            ◀── end                          ask ─▶ …     in the middle of a computation: ended
 * ```
 * Reading and computing hold nothing but memory, so a thread that is in the middle of it may end where it stands. One that
 * answers has work that waits for others (threads, files), and ends it in order. The second signal waits for nothing.
 *
 * What the process does for a message is bounded by its size (`PIECE_LENGTH`), and no message holds more. The thread's heap is
 * bounded too: beyond it the command ends with a sentence instead of a crash of the engine.
 */
import { Worker } from 'node:worker_threads';
import { codeOf, messageOf } from '../../errors.js';
import { wantsColor } from '../../format/colors.js';
import { shown } from '../../format/safe/escape.js';
import { heapLimit, limitIn } from '../budget.js';
import { ExitCode } from '../exit-codes.js';
import type { CommandSettings, FromCommand, ToCommand } from './messages.js';

/** How long a thread that was interrupted may be silent, milliseconds. */
const PATIENCE_MS = 200;

/** A command that runs. */
export interface RunningCommand {
  /** Its exit code; never rejects. */
  readonly code: Promise<number>;
  /**
   * Ends it: in order where it listens, else where it stands.
   * @param signal  number of the signal: the exit code is 128 more
   */
  interrupt(signal: number): void;
}

/**
 * Starts a command.
 * @param args  arguments after the program's name
 */
export function superviseCommand(args: readonly string[]): RunningCommand {
  const { stdin, stdout, stderr } = process;
  const settings: CommandSettings = {
    args,
    outIsTerminal: stdout.isTTY,
    errIsTerminal: stderr.isTTY,
    columns: stdout.isTTY ? stdout.columns : undefined,
    errColumns: stderr.isTTY ? stderr.columns : undefined,
    colors: wantsColor(stdout.isTTY, process.env),
  };
  const limit = limitIn(args);
  const readsInput = args.includes('-');
  const thread = new Worker(new URL('./command-thread.js', import.meta.url), {
    name: 'bootmem command',
    workerData: settings,
    stdin: readsInput,
    // Descriptors of pipes pass to streams that close them; a thread that closed them again would close somebody else's.
    trackUnmanagedFds: false,
    resourceLimits: { maxOldGenerationSizeMb: heapLimit(limit) / 2 ** 20 },
  });
  if (readsInput) {
    stdin.pipe(thread.stdin!);
    // A folder, a file that is open for writing only, a terminal that has gone.
    stdin.on('error', (error) => {
      thread.postMessage({ unreadable: error.message } satisfies ToCommand);
    });
  }

  let code: number | undefined;
  let interrupted: number | undefined;
  let answered = true;
  let asking: NodeJS.Timeout | undefined;
  const say = (message: ToCommand): void => {
    answered = false;
    thread.postMessage(message);
  };
  thread.on('message', (message: FromCommand) => {
    if (message.kind === 'out') stdout.write(message.text);
    else if (message.kind === 'err') stderr.write(message.text);
    else if (message.kind === 'here') answered = true;
    else {
      code = message.code;
      // What it was waiting for (standard input that nobody ends) would keep it.
      void thread.terminate();
    }
  });
  thread.on('error', (error) => {
    code = ExitCode.FAILURE;
    stderr.write(`bootmem: ${shown(sentenceOf(error, limit))}\n`);
  });
  return {
    code: new Promise((resolve) => {
      thread.on('exit', () => {
        clearInterval(asking);
        if (readsInput) stdin.destroy();
        if (code === undefined && interrupted !== undefined) stderr.write('interrupted\n');
        const isInterrupted = code === undefined || code === ExitCode.INTERRUPTED;
        resolve(isInterrupted ? (interrupted ?? ExitCode.FAILURE) : code!);
      });
    }),
    interrupt(signal) {
      interrupted = 128 + signal;
      say('interrupt');
      asking = setInterval(() => {
        if (answered) say('ask');
        else void thread.terminate();
      }, PATIENCE_MS);
    },
  };
}

function sentenceOf(error: unknown, limit: number): string {
  if (codeOf(error) !== 'ERR_WORKER_OUT_OF_MEMORY') return messageOf(error);
  const heap = heapLimit(limit) / 2 ** 20;
  return `the input needs more than the ${heap} MiB that a --limit of ${limit / 2 ** 20} MiB leaves for it`;
}
