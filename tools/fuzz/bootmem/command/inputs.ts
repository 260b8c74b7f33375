/**
 * Small hostile inputs of the command: arguments, the files that they name, standard input, the terminal. What one does depends on its random
 * numbers alone.
 *
 *   arguments  a command, options with odd values, options of other commands, names with controls in them
 *   files      see contents.ts; several for the commands that take several
 *   output     files to write, some of which cannot be, or are what is read
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../kit/random.mjs';
import { content, EVIL, put, sysroot } from './contents.js';

/** What the command is given. */
export interface Input {
  readonly args: readonly string[];
  readonly stdin: string | Uint8Array;
}

const SIZES = [
  '0',
  '1',
  '1K',
  '16M',
  '256M',
  '255M',
  '1G',
  '4P',
  '9999999T',
  '0x',
  '-1',
  'NaN',
  '',
  '1e9',
];
const COUNTS = ['0', '1', '2', '3', '255', '256', '1024', '99999999999', '-1', '1.5', 'x', ''];
const PROFILES = ['--profile', 'auto', 'latest', '5.4', '2.6', '99.99', 'x', ''];

type Options = readonly (readonly string[])[];

const WHAT_IF: Options = [
  [
    '--add',
    'mem=1G',
    'crashkernel=512M',
    'memmap=1G!1G',
    'numa=fake=5',
    'movable_node',
    'kernelcore=0',
    'hugepages=99999999999',
    'kernelcore=mirror',
    'movablecore=50%',
    '"',
    ...EVIL,
  ],
  ['--remove', 'mem', 'x', ''],
  ['--cmdline', '', 'ro', 'memmap=exactmap memmap=1K@0', ...EVIL],
  ['--kernel', '7.3', '6.1', '0.0', '99.99', 'x', ''],
  ['--memory-model', 'sparsemem', 'flatmem', 'x'],
  ['--nodes', ...COUNTS],
  ['--boot', ...COUNTS],
  ['--all'],
];
const BRING_UP: Options = [
  ['--mode', 'eager', 'deferred', 'on-demand', 'x'],
  ['--accept', 'lazy', 'eager', 'x'],
  ['--bind', 'masks', 'taskset', 'x', '{tid}', ''],
  ['--demand', ...SIZES],
  ['--strict'],
  PROFILES,
  ['--boot', ...COUNTS],
];
const VIEW: Options = [PROFILES, ['--boot', ...COUNTS]];
/** What a machine without a file is made of; only small ones come up. */
const SYNTHETIC: Options = [
  ['--memory', '1G', '16M', '1', '4G', '255T', ...SIZES],
  ['--nodes', ...COUNTS],
  ['--cpus', ...COUNTS],
  ['--unaccepted', '512M', ...SIZES],
];
const OUTPUT: Options = [['--json'], ['--quiet'], ['--wide'], ['--limit', ...SIZES]];

/** A command: how often it comes, arguments after its name and before its files, how many files it takes. */
interface Command {
  readonly weight: number;
  readonly name: string;
  readonly options: (random: Random, folder: string) => string[];
  readonly files?: number;
}

const COMMANDS: readonly Command[] = [
  {
    weight: 80,
    name: 'check',
    options: (random) => flags(random, [['--all'], ['--strict'], ['--boot', ...COUNTS]]),
    files: 3,
  },
  {
    weight: 30,
    name: 'explain',
    options: (random) =>
      flags(random, [
        ['--evidence'],
        ['--markdown'],
        ['--strict'],
        ['--installed', ...SIZES],
        ...VIEW,
      ]),
    files: 3,
  },
  { weight: 30, name: 'what-if', options: (random) => flags(random, WHAT_IF) },
  {
    weight: 20,
    name: 'replay',
    options: (random) => flags(random, [['--dump'], ['--boot', ...COUNTS]]),
    files: 3,
  },
  { weight: 15, name: 'numa', options: (random) => flags(random, VIEW) },
  {
    weight: 15,
    name: 'lsmem',
    options: (random) => flags(random, [['-o', 'RANGE,SIZE', 'ZONES', 'x', '', ','], ...VIEW]),
  },
  { weight: 15, name: 'phases', options: (random) => flags(random, VIEW) },
  {
    weight: 15,
    name: 'at',
    options: (random) => [
      random.pick(['0', '0x0', '0x100000', '1048576', '0xffffffffffffffff', '-1', 'x', '']),
    ],
  },
  {
    weight: 20,
    name: 'boot',
    options: (random, folder) => [
      '--threads',
      random.once(20) ? random.pick(['node', 'all', '2', '0', '256', 'x']) : '1',
      ...flags(random, BRING_UP),
      ...target(random, folder, '--trace'),
      ...target(random, folder, '--metrics'),
    ],
  },
  {
    weight: 1,
    name: 'bench',
    options: (random) => [
      '--rounds',
      '1',
      '--threads',
      '1',
      ...flags(random, [['--csv'], ['--model']]),
    ],
  },
  {
    weight: 1,
    name: 'report',
    options: (random, folder) => [
      '--rounds',
      '1',
      '--threads',
      '1',
      '-o',
      random.pick(['-', target(random, folder, '', true)[1]!]),
    ],
  },
  {
    weight: 1,
    name: 'schema',
    options: (random) => flags(random, [['--of', 'boot', 'check', 'x', '']]),
    files: 0,
  },
  {
    weight: 1,
    name: 'completion',
    options: (random) => [random.pick(['bash', 'zsh', 'fish', 'x', '', ...EVIL])],
    files: 0,
  },
  { weight: 1, name: 'man', options: () => [], files: 0 },
  { weight: 1, name: 'help', options: (random) => [random.pick(['boot', 'x', ''])], files: 0 },
];
const PICKS = COMMANDS.flatMap(({ weight }, index) => Array<number>(weight).fill(index));

/** Some of the options, each with one of its values. */
function flags(random: Random, options: Options): string[] {
  return options.flatMap(([name, ...values]) => {
    if (!random.once(4)) return [];
    return values.length === 0 ? [name!] : [name!, random.pick(values)];
  });
}

/** A file to write, where that is asked for. */
function target(random: Random, folder: string, option: string, always = false): string[] {
  if (!always && !random.once(8)) return [];
  const names = ['out', 'no/out', '0.log', '', `out${random.pick(EVIL)}`, 'x'.repeat(300)];
  const path = random.once(6)
    ? random.pick(['/dev/null', '/dev/full', '/proc/self/mem', '/proc/none'])
    : join(folder, random.pick(names));
  return [option, path];
}

/** Names of what is read: files, standard input, what is not there, nothing. */
function sources(command: Command, folder: string, random: Random): string[] {
  const { name, files: most = 1 } = command;
  if (most === 0) return [];
  if (['boot', 'numa', 'lsmem', 'phases'].includes(name) && random.once(8)) {
    const machine = flags(random, SYNTHETIC);
    if (machine.length > 0) return machine;
    const root = join(folder, 'root');
    sysroot(root, random);
    return ['--sysroot', root];
  }
  if (most === 1 && random.once(50)) return [];
  return Array.from({ length: 1 + random.below(most) }, (_, index) => {
    if (random.once(25)) return '-';
    const file = join(folder, `${index}${random.once(4) ? random.pick(EVIL) : ''}.log`);
    if (!random.once(40)) put(file, random);
    return file;
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

/**
 * Makes an input.
 * @param folder  empty; its files are written there
 * @param random  what decides
 */
export function makeInput(folder: string, random: Random): Input {
  mkdirSync(folder, { recursive: true });
  const command = COMMANDS[random.pick(PICKS)]!;
  const output = flags(random, OUTPUT);
  // Bounded in any case; an earlier value is overwritten by the last.
  const limit = output.includes('--limit') ? [] : ['--limit', '512M'];
  const takes = !['schema', 'completion', 'man', 'help'].includes(command.name);
  const args = [
    random.once(200) ? random.pick([...EVIL, '', 'chek', '--help']) : command.name,
    ...command.options(random, folder),
    ...(takes ? [...output, ...limit] : []),
    ...sources(command, folder, random),
  ];
  if (random.once(40)) args.splice(random.below(args.length + 1), 0, stray(random));
  return { args, stdin: args.includes('-') ? content(random) : '' };
}
