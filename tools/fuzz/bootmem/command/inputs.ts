/**
 * Small hostile inputs of the command: arguments, the files that they name, standard input, the terminal, what happens meanwhile.
 * What one is depends on its random numbers alone.
 *
 *   run        a command with options by the grammar, in this process; files may change, a signal may come while it works
 *   views      everything that can be asked of one machine: every command, every form of output, every place
 *   program    the real program, its streams made by bash
 *
 *   arguments  options with odd values, options of other commands, names with controls in them
 *   files      see contents.ts; several for the commands that take several
 *   output     files to write, some of which cannot be, or are what is read; see targets.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../kit/random.mjs';
import { content, EVIL, put, sysroot } from './contents.js';
import { FORMS, operand, optionsOf } from './grammar.js';
import type { CommandForm, Places } from './grammar.js';
import { makeWorld } from './program-run.js';
import type { World } from './program-run.js';
import { makePipe, namesSilentPipe, target } from './targets.js';

/** How standard input comes in this process. */
export interface Stdin {
  readonly bytes: string | Uint8Array;
  /** Bytes of a piece. */
  readonly piece: number;
  /** What comes after the last one: its end, an error, nothing for ever. */
  readonly then: 'end' | 'error' | 'nothing';
}

/** A command in this process. */
export interface RunInput {
  readonly kind: 'run';
  readonly args: readonly string[];
  readonly stdin: Stdin;
  /** Files change while it works. */
  readonly isMeddledWith: boolean;
  /** A signal comes, after so many milliseconds. */
  readonly interruptMs?: number | undefined;
}

/** Everything about one machine. */
export interface ViewsInput {
  readonly kind: 'views';
  readonly file: string;
}

/** The real program. */
export interface ProgramInput {
  readonly kind: 'program';
  readonly args: readonly string[];
  readonly world: World;
}

/** What the command is given. */
export type Input = RunInput | ViewsInput | ProgramInput;

/** How often a command comes; those that are not here as {@link USUAL}. */
const WEIGHTS: Readonly<Record<string, number>> = {
  check: 80,
  explain: 30,
  'what-if': 30,
  replay: 20,
  boot: 20,
  bench: 1,
  report: 1,
  schema: 1,
  completion: 1,
  man: 1,
};
const USUAL = 15;

/** Help is no command of the grammar. */
const HELP: CommandForm = {
  name: 'help',
  flags: [],
  operands: [{ name: 'command', isMany: false }],
};
const PICKS = [
  ...FORMS.flatMap((form) => Array<CommandForm>(WEIGHTS[form.name] ?? USUAL).fill(form)),
  HELP,
];

/** A silent standard input, or a pipe without a writer, ends with a signal by then, milliseconds. */
const PATIENCE_MS = 300;

/** Names of what is read: files, standard input, what is not there, nothing. */
function sources(form: CommandForm, folder: string, random: Random): string[] {
  return form.operands.flatMap(({ name, isMany }) => {
    if (name !== 'file' && name !== 'files') return [operand(name, random)];
    if (!isMany && random.once(50)) return [];
    return Array.from({ length: isMany ? 1 + random.below(3) : 1 }, (_, index) => {
      if (random.once(25)) return '-';
      const file = join(folder, `${index}${random.once(4) ? random.pick(EVIL) : ''}.log`);
      if (!random.once(40)) put(file, random);
      return file;
    });
  });
}

/** A word that belongs nowhere. */
function stray(random: Random): string {
  return random.pick([
    ...EVIL.map((evil) => `--${evil}`),
    ...EVIL,
    '--',
    '--json=x',
    '--limit=1',
    '-h',
    '--version',
    '-',
    '--no-json',
    '--dump',
    '-qo',
    'x'.repeat(20_000),
  ]);
}

function placesIn(folder: string, random: Random): Places {
  return {
    target: () => target(folder, random),
    root: () => {
      const root = join(folder, 'root');
      try {
        sysroot(root, random);
      } catch {
        // A result goes there.
      }
      return root;
    },
  };
}

function argumentsOf(folder: string, random: Random): string[] {
  const form = random.pick(PICKS);
  const files = sources(form, folder, random);
  const options = optionsOf(form, random, placesIn(folder, random));
  // Bounded in any case; an earlier value is overwritten by the last.
  const hasLimit = form.flags.some(({ name }) => name === '--limit');
  const isLimited = options.some((word) => word.startsWith('--limit'));
  const args = [
    random.once(200) ? random.pick([...EVIL, '', 'chek', '--help']) : form.name,
    ...options,
    ...(hasLimit && !isLimited ? ['--limit', '512M'] : []),
    // Another machine stands for the file.
    ...(options.some((word) => /^--(?:memory|sysroot|this-machine)/.test(word)) && !random.once(4)
      ? files.filter((_, index) => form.operands[index]?.name === 'place')
      : files),
  ];
  if (random.once(40)) args.splice(random.below(args.length + 1), 0, stray(random));
  return args;
}

function runInput(folder: string, random: Random): RunInput {
  const args = argumentsOf(folder, random);
  const readsStdin = args.includes('-');
  const then = readsStdin && random.once(4) ? random.pick(['error', 'nothing'] as const) : 'end';
  const isMeddledWith = random.once(16);
  const isWaiting = then === 'nothing' || isMeddledWith || namesSilentPipe(args);
  return {
    kind: 'run',
    args,
    stdin: {
      bytes: readsStdin ? content(random) : '',
      piece: random.pick([1, 7, 4096, 2 ** 16, 2 ** 30]),
      then,
    },
    isMeddledWith,
    interruptMs: isWaiting ? PATIENCE_MS : random.once(30) ? random.below(100) : undefined,
  };
}

function programInput(folder: string, random: Random): ProgramInput {
  const args = argumentsOf(folder, random);
  writeFileSync(join(folder, 'in-only'), '');
  makePipe(join(folder, 'in-pipe'));
  // A name that no text can hold.
  writeFileSync(Buffer.concat([Buffer.from(join(folder, 'in-')), Buffer.from([0xff, 0x1b])]), '');
  return {
    kind: 'program',
    args,
    world: makeWorld(content(random), namesSilentPipe(args), random),
  };
}

/** Pieces, at most so many. */
export const MOST_PIECES = 3000;

/**
 * Makes an input.
 * @param folder  empty; its files are written there
 * @param random  what decides
 */
export function makeInput(folder: string, random: Random): Input {
  mkdirSync(folder, { recursive: true });
  if (random.once(40)) {
    const file = join(folder, `0${random.once(4) ? random.pick(EVIL) : ''}.log`);
    put(file, random);
    return { kind: 'views', file };
  }
  return random.once(25) ? programInput(folder, random) : runInput(folder, random);
}
