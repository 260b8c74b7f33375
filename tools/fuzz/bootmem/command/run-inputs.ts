/**
 * Runs inputs one after the other, in a process that may be ended from outside: each is announced before it begins. What must
 * hold of each is here; that it ends at all, and within its heap, is seen to by who started the process.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { limitIn } from '../../../../packages/bootmem/dist/cli/budget.js';
import { createColors } from '../../../../packages/bootmem/dist/format/colors.js';
import { main } from '../../../../packages/bootmem/dist/cli/program.js';
import { Random } from '../../../kit/random.mjs';
import { stopwatch } from '../../../kit/stopwatch.js';
import { makeInput } from './inputs.js';
import type { Input } from './inputs.js';
import { MIB, peakMemory } from './peak-memory.js';

/** What the process is told. */
export interface Task {
  readonly folder: string;
  readonly seed: number;
  readonly first: number;
  readonly last: number;
  readonly longestMs: number;
  readonly print: boolean;
}

/** What it tells: an input begins, or did not hold. */
export type Told =
  | { readonly kind: 'begin'; readonly index: number }
  | { readonly kind: 'fault'; readonly index: number; readonly text: string }
  | { readonly kind: 'end'; readonly index: number; readonly ms: number; readonly mib: number };

/** Controls but tab and line end, and marks of direction. */
const RAW =
  // eslint-disable-next-line no-control-regex -- what must not be printed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** Colours of the command's own. */
// eslint-disable-next-line no-control-regex -- sequences begin with ESC
const SGR = /\u001b\[(?:1|2|22|31|32|33|36|39)m/gu;

const { folder, seed, first, last, longestMs, print } = JSON.parse(process.argv[2]!) as Task;
const say = (told: Told): void => {
  process.send!(told);
};

/** Marks of a page that come of what was read, as they stand in names and logs (`EVIL`). */
const MARKS = /<img src=x|<script>z/;

/** Files that an input has written, by what they are. */
function written(): { name: string; text: string }[] {
  const own = join(folder, String(current));
  return readdirSync(own, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('out'))
    .map(({ name }) => ({ name, text: readFileSync(join(own, name), 'utf8') }));
}

let current = first;

/** Standard input of an input. */
function setStdin(bytes: string | Uint8Array): void {
  const stdin = Readable.from(bytes.length === 0 ? [] : [Buffer.from(bytes)]);
  Object.defineProperty(process, 'stdin', { configurable: true, value: stdin });
}

/** Throws with what does not hold. */
async function runInput({ args, stdin }: Input, random: Random): Promise<void> {
  if (print) console.log(JSON.stringify(args));
  setStdin(stdin);
  const isTerminal = random.once(2);
  let out = '';
  let err = '';
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: isTerminal,
    columns: isTerminal ? random.pick([1, 20, 80, 200]) : undefined,
    errIsTerminal: false,
    errStream: new Writable(),
    colors: createColors(isTerminal),
    signal: new AbortController().signal,
    env: random.pick([{}, { NO_COLOR: '1' }, { TERM: 'dumb' }, { COLUMNS: '1' }]),
  });
  if (print) console.log(out.slice(0, 4000), err, code);
  const demand = (fact: boolean, otherwise: string): void => {
    if (!fact)
      throw new Error(`${otherwise}: ${JSON.stringify({ args, code, err: err.slice(0, 500) })}`);
  };
  demand([0, 1, 2].includes(code), 'another exit code');
  demand(!err.includes('a fault of this program'), 'an error without a code');
  demand(!RAW.test(err), 'a raw control on standard error');
  demand(!RAW.test(out.replaceAll(SGR, '')), 'a raw control on standard output');
  // A page, and help, are asked for by other words; those stand after `--` as well as before it.
  const isOther = args.some((word) => ['-o', '-h', '--help', '--version', '--'].includes(word));
  const isQuiet = args.includes('--quiet');
  demand(code === 0 || isQuiet || `${out}${err}`.trim() !== '', 'a failure without a word');
  demand(!isQuiet || isOther || out === '', 'output though it should be quiet');
  const isMarkdown = args.includes('--markdown') && args[0] === 'explain';
  // In code, and behind a backslash, a mark is text.
  const page = isMarkdown ? out.replaceAll(/`[^`]*`|\\./g, '') : args[0] === 'report' ? out : '';
  demand(!MARKS.test(page), 'a mark of what was read in a page');
  for (const { name, text } of written()) {
    demand(!RAW.test(text), `a raw control in ${name}`);
    demand(args[0] !== 'report' || !MARKS.test(text), `a mark of what was read in ${name}`);
  }
  if (args.includes('--json') && !isOther && err === '') {
    for (const line of out.split('\n').filter((text) => text !== '')) JSON.parse(line);
  }
}

for (let index = first; index < last; index++) {
  say({ kind: 'begin', index });
  current = index;
  const own = join(folder, String(index));
  mkdirSync(own);
  const random = new Random(seed, index);
  const input = makeInput(own, random);
  const peak = peakMemory();
  const times = stopwatch();
  try {
    await runInput(input, random);
  } catch (error) {
    say({ kind: 'fault', index, text: (error as Error).stack ?? String(error) });
  }
  const { cpuMs } = times();
  const mib = peak();
  const most = limitIn(input.args) / MIB;
  // These two boot a machine of 192 GiB besides, a few times.
  const measures = ['bench', 'report'].includes(input.args[0]!);
  if (cpuMs > longestMs * (measures ? 6 : 1))
    say({ kind: 'fault', index, text: `took ${cpuMs.toFixed(0)} ms of processor time` });
  if (mib > most)
    say({ kind: 'fault', index, text: `held ${mib.toFixed(0)} MiB of ${most} that it may` });
  say({ kind: 'end', index, ms: cpuMs, mib });
  rmSync(own, { recursive: true, force: true });
}
// The channel to the parent would keep the process.
process.disconnect();
