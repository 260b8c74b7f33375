/**
 * Runs inputs one after the other, in a process that may be ended from outside: each is announced before it begins. What must
 * hold of each is here; that it ends at all, and within its heap, is seen to by who started the process.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { limitIn } from '../../../../packages/bootmem/dist/cli/budget.js';
import { createColors } from '../../../../packages/bootmem/dist/format/colors.js';
import { main } from '../../../../packages/bootmem/dist/cli/program.js';
import { Random } from '../../../kit/random.mjs';
import { stopwatch } from '../../../kit/stopwatch.js';
import { check, checkFiles, linkedIn } from './demands.js';
import type { Outcome } from './demands.js';
import { optionsUsed } from './grammar.js';
import { makeInput, MOST_PIECES } from './inputs.js';
import type { ProgramInput, RunInput, Stdin } from './inputs.js';
import { mischief } from './mischief.js';
import { MIB, peakMemory } from './peak-memory.js';
import { runProgram } from './program-run.js';
import type { World } from './program-run.js';
import { askEverything } from './views.js';

/** What the process is told when it starts. */
export interface Task {
  readonly folder: string;
  readonly seed: number;
  /** Processor time that a command may take, milliseconds. */
  readonly longestMs: number;
  readonly print: boolean;
}

/** What it is told to run, again and again. */
export interface Part {
  readonly first: number;
  readonly last: number;
}

/** What it tells: an input, or a command of it, begins, did not hold, is over; and so are all of a part. */
export type Told =
  | { readonly kind: 'begin'; readonly index: number }
  | { readonly kind: 'fault'; readonly index: number; readonly text: string }
  | {
      readonly kind: 'end';
      readonly index: number;
      readonly ms: number;
      readonly mib: number;
      /** Kind of the input. */
      readonly what: string;
      readonly options: readonly string[];
    }
  | { readonly kind: 'idle' };

const { folder, seed, longestMs, print } = JSON.parse(process.argv[2]!) as Task;
let current = 0;
const say = (told: Told): void => {
  process.send!(told);
};

/** What an input has used, the most of its commands; and what was too much. */
class Spent {
  ms = 0;
  mib = 0;
  over: string | undefined;
  /** The arguments of a command that held too much here, where the fuzzer's own memory is counted as well. */
  heavy: readonly string[] | undefined;
  readonly options = new Set<string>();

  add(args: readonly string[], { ms, mib }: { ms: number; mib: number }, most: number): void {
    this.ms = Math.max(this.ms, ms);
    this.mib = Math.max(this.mib, mib);
    for (const option of optionsUsed(args)) this.options.add(option);
    // These two boot a machine of 192 GiB besides, a few times.
    const longest = most * (['bench', 'report'].includes(args[0]!) ? 6 : 1);
    const limit = limitIn(args) / MIB;
    const named = JSON.stringify(args.map((word) => word.slice(0, 200)));
    if (ms > longest) this.over ??= `took ${ms.toFixed(0)} ms of processor time: ${named}`;
    if (mib <= limit) return;
    this.over ??= `held ${mib.toFixed(0)} MiB of ${limit} that it may: ${named}`;
    this.heavy = args;
  }
}

/** Standard input of an input. */
function setStdin({ bytes, piece, then }: Stdin): void {
  const whole = Buffer.from(bytes);
  let at = 0;
  let pieces = 0;
  const value = new Readable({
    read() {
      if (at < whole.byteLength) {
        const size = pieces < MOST_PIECES ? piece : whole.byteLength;
        this.push(whole.subarray(at, at + size));
        at += size;
        pieces += 1;
      } else if (then === 'end') this.push(null);
      else if (then === 'error') this.destroy(new Error('EIO: i/o error, read'));
    },
  });
  // Of nobody, where nobody reads it.
  value.on('error', () => undefined);
  Object.defineProperty(process, 'stdin', { configurable: true, value });
}

/** Where a command writes in this process. */
interface Terminal {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string>>;
}

function terminalOf(random: Random): Terminal {
  const isTerminal = random.once(2);
  return {
    isTerminal,
    columns: isTerminal ? random.pick([1, 20, 80, 200]) : undefined,
    env: random.pick([{}, { NO_COLOR: '1' }, { TERM: 'dumb' }, { COLUMNS: '1' }]),
  };
}

/** Runs a command; throws with what does not hold. */
async function command(
  args: readonly string[],
  { isTerminal, columns, env }: Terminal,
  spent: Spent,
  interruptMs?: number,
): Promise<Outcome> {
  say({ kind: 'begin', index: current });
  const abort = new AbortController();
  let out = '';
  let err = '';
  const peak = peakMemory();
  const times = stopwatch();
  const timer =
    interruptMs === undefined
      ? undefined
      : setTimeout(() => {
          abort.abort();
        }, interruptMs);
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: isTerminal,
    columns,
    errIsTerminal: false,
    errStream: new Writable(),
    colors: createColors(isTerminal),
    signal: abort.signal,
    env,
  });
  clearTimeout(timer);
  spent.add(args, { ms: times().cpuMs, mib: peak() }, longestMs);
  if (print) console.log(JSON.stringify(args), `\n${out.slice(0, 4000)}`, err, code);
  const outcome = { args, code, out, err, ...(abort.signal.aborted ? { signal: 2 } : {}) };
  check(outcome);
  return outcome;
}

async function inThisProcess(
  { args, stdin, isMeddledWith, interruptMs }: RunInput,
  own: string,
  random: Random,
  spent: Spent,
): Promise<void> {
  setStdin(stdin);
  const before = linkedIn(own);
  const meddling = isMeddledWith ? mischief(own, new Random(random.next())) : undefined;
  try {
    await command(args, terminalOf(random), spent, interruptMs);
  } finally {
    await meddling?.stop();
  }
  // What was written may have been meddled with.
  if (!isMeddledWith) checkFiles(own, args, before);
}

/** What a process needs before it has read anything, milliseconds of processor time. */
const START_MS = 2000;

async function asProgram({ args, world }: ProgramInput, own: string, spent: Spent): Promise<void> {
  if (print) console.log(JSON.stringify(args), world);
  const before = linkedIn(own);
  const runs = await Promise.all(
    Array.from({ length: world.copies }, () => runProgram(args, world, own)),
  );
  for (const { outcome, ms, mib } of runs) {
    if (print) console.log(outcome);
    spent.add(args, { ms, mib }, longestMs + START_MS);
    check(outcome);
  }
  checkFiles(own, args, before);
}

/** A program alone, its standard input at its end, everything heard. */
const ALONE: World = {
  line: 'exec "$@"',
  isHeard: true,
  env: {},
  feed: { pieces: [], waitMs: 0, isSilent: false },
  copies: 1,
};

/** Whether a command holds too much in a process of its own as well, where nothing else is counted. */
async function isHeavy(
  args: readonly string[],
  own: string,
  stdin: string | Uint8Array,
): Promise<boolean> {
  // It may have been removed while the command ran.
  mkdirSync(own, { recursive: true });
  const feed = { ...ALONE.feed, pieces: [Buffer.from(stdin)] };
  const { mib } = await runProgram(args, { ...ALONE, feed }, own);
  return mib > limitIn(args) / MIB;
}

/** Makes an input, runs it, removes its files; the second time, what is too much is looked at alone. */
async function attempt(index: number, isSecond: boolean): Promise<Spent & { what: string }> {
  const own = join(folder, String(index));
  mkdirSync(own);
  const spent = Object.assign(new Spent(), { what: 'none' });
  try {
    const random = new Random(seed, index);
    const input = makeInput(own, random);
    spent.what = input.kind;
    if (input.kind === 'run') await inThisProcess(input, own, random, spent);
    else if (input.kind === 'program') await asProgram(input, own, spent);
    else {
      const terminal = terminalOf(random);
      await askEverything(input.file, (args) => command(args, terminal, spent), random);
    }
    const stdin = input.kind === 'run' ? input.stdin.bytes : '';
    const isAcquitted =
      isSecond && spent.heavy !== undefined && !(await isHeavy(spent.heavy, own, stdin));
    if (isAcquitted && spent.over?.startsWith('held') === true) spent.over = undefined;
  } catch (error) {
    say({ kind: 'fault', index, text: (error as Error).stack ?? String(error) });
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return spent;
}

async function run(index: number): Promise<void> {
  current = index;
  say({ kind: 'begin', index });
  let spent = await attempt(index, false);
  if (spent.over !== undefined) {
    // What earlier inputs left, and code that was compiled meanwhile, are not its own.
    globalThis.gc?.();
    spent = await attempt(index, true);
    if (spent.over !== undefined) say({ kind: 'fault', index, text: `${spent.over}, twice` });
  }
  const { ms, mib, what, options } = spent;
  say({ kind: 'end', index, ms, mib, what, options: [...options] });
}

process.on('message', (part: Part) => {
  void (async () => {
    for (let index = part.first; index < part.last; index++) await run(index);
    say({ kind: 'idle' });
  })();
});
say({ kind: 'idle' });
