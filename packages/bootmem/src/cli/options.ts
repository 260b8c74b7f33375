/**
 * Parsers of option values. Each throws commander's `InvalidArgumentError`, which becomes a usage message
 * and exit code 2 before anything is started.
 */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { MAX_THREADS } from '../boot/boot-memory.js';
import type { NodeBinding } from '../boot/threads.js';
import { bindingOf } from './bind.js';
import { LEAST_LIMIT, sizeIn } from './budget.js';

/**
 * A whole number within bounds.
 * @param name  what it is, for the message
 * @param min   smallest accepted value
 * @param max   largest accepted value
 */
export function wholeNumber(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`${name} is a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/**
 * A size as the kernel's command line takes it: `768G`, `1536M`, `0x40000000`.
 * @param text  digits with an optional K, M, G or T
 * @returns bytes
 * @throws InvalidArgumentError when it is no size or is not a safe integer
 */
export function memorySize(text: string): number {
  const bytes = sizeIn(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('A size is a number with K, M, G or T, like 768G.');
}

/**
 * The value of `--limit`.
 * @throws InvalidArgumentError when it is no size, or too small to work in
 */
function memoryLimit(text: string): number {
  const bytes = memorySize(text);
  if (bytes < LEAST_LIMIT) throw new InvalidArgumentError('A limit is 256M or more.');
  return bytes;
}

/** Threads used when `--threads` is not given: what the machine offers, at most 16. */
export function defaultThreads(): number {
  return Math.min(availableParallelism(), 16);
}

/**
 * The value of `--threads`.
 * @throws InvalidArgumentError when it is neither a whole number in bounds nor one of the words
 */
function threadCount(text: string): number | 'node' | 'all' {
  if (text === 'node' || text === 'all') return text;
  return wholeNumber('--threads', 1, MAX_THREADS)(text);
}

/** Threads that a boot starts, and its limit a node. */
export function bootThreads(threads: BringUpOptions['threads']): {
  threads: number;
  perNode?: 'architecture';
} {
  if (typeof threads === 'number') return { threads };
  const all = Math.min(availableParallelism(), MAX_THREADS);
  return threads === 'all' ? { threads: all } : { threads: all, perNode: 'architecture' };
}

/** Options that every command with output takes. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Lines as long as they need, on a terminal too. */
  readonly wide?: boolean;
  /** Memory that the command may use, bytes. */
  readonly limit?: number;
}

/** The option of commands that tell findings. */
export interface StrictOption {
  readonly strict?: boolean;
}

/** Options that choose where the machine comes from. */
export interface SourceOptions {
  readonly boot?: number;
  readonly memory?: number;
  readonly nodes?: number;
  readonly cpus?: number;
  readonly unaccepted?: number;
  readonly thisMachine?: boolean;
  readonly sysroot?: string;
  readonly profile: string;
}

/** Options that choose how the machine is brought up. */
export interface BringUpOptions {
  /** `node`: what the described machine's kernel would start a node; `all`: every processor of this machine. */
  readonly threads: number | 'node' | 'all';
  readonly bind?: NodeBinding;
  readonly mode: 'eager' | 'deferred' | 'on-demand';
  readonly accept?: 'lazy' | 'eager';
  /** Bytes to allocate after the boot, and to free again. */
  readonly demand?: number;
}

/**
 * Adds `--json`, `--limit`, `--quiet` and `--wide`.
 * @param command  the command to extend
 */
export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object instead of text (stable: schema and version inside)')
    .option(
      '--limit <size>',
      'memory that the command may use, from 256M; default three quarters of what there is',
      memoryLimit,
    )
    .option('-q, --quiet', 'print nothing; the exit code tells the outcome')
    .option('--wide', 'on a terminal too: all columns, lines as long as they need');
}

/**
 * Adds `--strict`.
 * @param command  the command to extend
 */
export function addStrictOption(command: Command): Command {
  return command.option(
    '--strict',
    'exit with 1 when the log holds an error or a warning of the kernel (see FINDINGS in the manual)',
  );
}

/**
 * Adds the options that choose the machine.
 * @param command  the command to extend
 */
export function addSourceOptions(command: Command): Command {
  return command
    .option(
      '--boot <n>',
      'which boot of a log with several, 1 = the first',
      wholeNumber('--boot', 1, 1e6),
    )
    .option('--memory <size>', 'no log: a synthetic machine of this size, e.g. 768G', memorySize)
    .option('--nodes <n>', 'nodes of the synthetic machine', wholeNumber('--nodes', 1, 1024))
    .option('--cpus <n>', 'cpus of the synthetic machine', wholeNumber('--cpus', 1, 8192))
    .option(
      '--unaccepted <size>',
      'so much at the top of the synthetic machine is unaccepted',
      memorySize,
    )
    .option('--this-machine', 'read the machine this runs on from /proc and /sys')
    .option('--sysroot <folder>', 'read proc and sys in a folder, such as an sosreport')
    .option(
      '--profile <release>',
      'kernel release whose behaviour is followed: auto, latest or MAJOR.MINOR',
      'auto',
    );
}

/**
 * Adds the options that choose how the machine is brought up.
 * @param command  the command to extend
 */
export function addBringUpOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-t, --threads <n>',
        "threads that initialise pages: a number, all (processors), or node (all, a node's part by as many as its kernel starts)",
      )
        .argParser(threadCount)
        .default(defaultThreads(), 'one a processor, at most 16'),
    )
    .option(
      '--bind <how>',
      "threads belong to nodes of this host: masks (told apart), taskset (tied to the node's processors), or a command with {tid}, {cpus}, {node}",
      bindingOf,
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'all pages before the first allocation; one section per node before it; or the rest only when allocations need it',
      )
        .choices(['eager', 'deferred', 'on-demand'])
        .default('deferred'),
    )
    .option(
      '--demand <size>',
      'after the boot, allocate so much in large blocks and free it again (default with on-demand: a quarter)',
      memorySize,
    )
    .addOption(
      new Option(
        '--accept <when>',
        'unaccepted memory: when allocations need it, or all at boot (default: the log’s accept_memory=, else lazy)',
      ).choices(['lazy', 'eager']),
    );
}
