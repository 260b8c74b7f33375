/**
 * The value of `--bind`: threads told apart by node, and tied by a command.
 *
 *     masks                          told apart only
 *     taskset                        taskset -p -c {cpus} {tid}
 *     COMMAND with {tid} … {cpus}    any other; words are separated by blanks, no shell is asked
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { InvalidArgumentError } from 'commander';
import type { HelperThread, NodeBinding } from '../boot/threads.js';

const TASKSET = 'taskset -p -c {cpus} {tid}';

/** How long a command may take, milliseconds. */
const COMMAND_MS = 10_000;

/**
 * Runs a command for a thread.
 * @throws Error when the system does not tell threads' numbers, the command cannot be run, or fails
 */
async function tie(words: readonly string[], thread: HelperThread): Promise<void> {
  if (thread.tid === 0) throw new Error('this system does not tell the numbers of threads');
  if (thread.cpus === '') throw new Error("this system does not tell its nodes' processors");
  const values = { tid: thread.tid, cpus: thread.cpus, node: thread.node, helper: thread.helper };
  const [command, ...args] = words.map((word) =>
    word.replace(/\{(tid|cpus|node|helper)\}/g, (_, name: keyof typeof values) =>
      String(values[name]),
    ),
  );
  await promisify(execFile)(command!, args, { timeout: COMMAND_MS });
}

/**
 * Parses the value.
 * @throws InvalidArgumentError for a command that does not name the thread
 */
export function bindingOf(text: string): NodeBinding {
  if (text === 'masks') return {};
  const words = (text === 'taskset' ? TASKSET : text).split(/\s+/).filter((word) => word !== '');
  if (!words.slice(1).some((word) => word.includes('{tid}'))) {
    throw new InvalidArgumentError(
      "--bind is masks, taskset, or a command with {tid}, such as 'taskset -p -c {cpus} {tid}'.",
    );
  }
  return { bind: (thread) => tie(words, thread) };
}
