/**
 * The real program in a process of its own, and what is around it: streams that are closed, full, slow, not what they seem,
 * signals, no folder to stand in, two at once. A line of bash makes the streams; how the process ends is looked at here.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../../kit/random.mjs';
import type { Outcome } from './demands.js';

const CLI = fileURLToPath(new URL('../../../../packages/bootmem/dist/cli.js', import.meta.url));
const USAGE = new URL('./tell-usage.mjs', import.meta.url).href;
/** A program that has not ended by then hangs, however busy the machine is. */
const HANGS_MS = 40_000;

/** Where standard input comes from. */
const STDIN = [
  '',
  '',
  '',
  '<&-',
  '</dev/null',
  '<.',
  '0>in-only',
  '</dev/zero',
  '<>in-pipe',
  '</proc/self/mem',
  '<0.log',
];
/** Where standard output and error go, without a pipe to another program. */
const STDOUT = [
  '',
  '',
  '>&-',
  '2>&-',
  '>&- 2>&-',
  '>/dev/full',
  '2>/dev/full',
  '>out-printed',
  '1<in-only',
  '>/dev/null 2>&1',
];
/** Programs that read what is printed. */
const READERS = [
  'cat',
  'head -c 1',
  'head -c 70000',
  'true',
  'sleep 0.2',
  '(sleep 0.1; cat)',
  'cat >/dev/null',
];
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A way to run the program. */
export interface World {
  /** How bash starts it. */
  readonly line: string;
  /** Whether all that it prints is seen here. */
  readonly isHeard: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Its standard input, where it is a pipe: pieces, and how long each waits, milliseconds. */
  readonly feed: {
    readonly pieces: readonly Uint8Array[];
    readonly waitMs: number;
    readonly isSilent: boolean;
  };
  /** A signal, when it comes, and whether it comes again. */
  readonly signal?: {
    readonly name: (typeof SIGNALS)[number];
    readonly afterMs: number;
    readonly isTwice: boolean;
  };
  /** How many are run at once. */
  readonly copies: number;
}

/**
 * A way to run it.
 * @param stdin      bytes of standard input
 * @param isWaiting  it waits for what does not come, however its streams are
 */
export function makeWorld(stdin: string | Uint8Array, isWaiting: boolean, random: Random): World {
  const reader = random.pick(READERS);
  const stdinOf = random.pick(STDIN);
  // What waits for ever has to be told to end; a program before a pipe is not the one that a signal finds.
  const isSilent = stdinOf === '' && random.once(4);
  const isForEver = isWaiting || isSilent || ['</dev/zero', '<>in-pipe'].includes(stdinOf);
  const isPiped = !isForEver && random.once(3);
  const isSignalled = isForEver || (!isPiped && random.once(4));
  // A shell that waits for another program does not hear every signal.
  const isGone = !isSignalled && random.once(9);
  const gone = isGone ? 'mkdir in-gone && cd in-gone && rmdir ../in-gone; ' : '';
  const start = random.once(9) ? `${gone}ulimit -n 256; ` : gone;
  const line = isPiped
    ? `${start}"$@" ${stdinOf} | ${reader}; exit "\${PIPESTATUS[0]}"`
    : `${start}exec "$@" ${stdinOf} ${random.pick(STDOUT)}`;
  const bytes = Buffer.from(stdin);
  const isHeard = isPiped ? reader === 'cat' : !/\d?>(?!in-pipe)|1</.test(line);
  const size = random.pick([1, 100, 2 ** 12, 2 ** 16, 2 ** 22]);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength && pieces.length < 40; at += size)
    pieces.push(bytes.subarray(at, at + size));
  return {
    line,
    isHeard,
    env: {
      ...(random.once(6) ? {} : { PATH: process.env['PATH'] }),
      ...random.pick([{}, { TERM: 'dumb' }, { FORCE_COLOR: '1' }, { COLUMNS: '1' }, { LANG: 'C' }]),
      ...(random.once(6) ? { TMPDIR: '/nowhere' } : {}),
    },
    feed: { pieces, waitMs: random.pick([0, 0, 5]), isSilent },
    ...(isSignalled
      ? {
          signal: {
            name: random.pick(SIGNALS),
            afterMs: random.below(1500),
            isTwice: random.once(4),
          },
        }
      : {}),
    copies: random.once(8) ? 2 : 1,
  };
}

/** How one ended, and what it used. */
export interface Run {
  readonly outcome: Outcome;
  readonly ms: number;
  readonly mib: number;
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Writes standard input until it is over or the program has gone; without an end it is kept open. */
async function feed(
  child: ChildProcess,
  { pieces, waitMs, isSilent }: World['feed'],
): Promise<void> {
  const stdin = child.stdin!;
  stdin.on('error', () => undefined);
  for (const piece of pieces) {
    if (child.exitCode !== null || stdin.destroyed) return;
    stdin.write(piece);
    if (waitMs > 0) await setTimeout(waitMs);
  }
  if (!isSilent) stdin.end();
}

/** A process that has reserved more than the machine has cannot begin another: tries of that, each after a collection. */
const TRIES = 50;
const TRY_MS = 100;

/** What boots in this process have left goes with a collection, a moment later: the memory is given back by another thread. */
async function begun<T extends ChildProcess>(begin: () => T): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    globalThis.gc?.();
    try {
      return begin();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOMEM' || left === 0) throw error;
      await setTimeout(TRY_MS);
    }
  }
}

/**
 * Runs the program.
 * @param args    its arguments
 * @param world   what is around it
 * @param folder  where it stands
 * @throws Error when it does not end
 */
export async function runProgram(
  args: readonly string[],
  { line, isHeard, env, feed: fed, signal }: World,
  folder: string,
): Promise<Run> {
  const words = [process.execPath, '--import', USAGE, CLI, ...args];
  const child = await begun(() =>
    spawn('/bin/bash', ['--norc', '-c', line, 'bash', ...words], {
      cwd: folder,
      env,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    }),
  );
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...how) => {
      resolve(how);
    });
  });
  const texts = Promise.all([child.stdout, child.stderr, child.stdio[3] as Readable].map(textOf));
  void feed(child, fed);
  const state = { isHanging: false };
  const watch = globalThis.setTimeout(() => {
    state.isHanging = true;
    child.kill('SIGKILL');
  }, HANGS_MS);
  if (signal !== undefined) {
    await setTimeout(signal.afterMs);
    child.kill(signal.name);
    if (signal.isTwice) child.kill(signal.name);
  }
  const [code, by] = await ended;
  clearTimeout(watch);
  const [out = '', err = '', used = ''] = await texts;
  if (state.isHanging) throw new Error(`has not ended: ${JSON.stringify({ args, line, signal })}`);
  if (by !== null && by !== signal?.name)
    throw new Error(`ended by ${by}: ${JSON.stringify({ args, line, err })}`);
  const [ms = 0, mib = 0] = used.split(' ').map(Number);
  const number = signal === undefined ? undefined : constants.signals[signal.name];
  return { outcome: { args, code: code ?? undefined, out, err, isHeard, signal: number }, ms, mib };
}
