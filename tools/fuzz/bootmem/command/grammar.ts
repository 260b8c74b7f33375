/**
 * Arguments by the program's own grammar, so that no command and no option can be forgotten: what is odd for a value is told by
 * the name of its option, else by its kind. What is not known here gets words that suit nothing.
 */
import { createProgram } from '../../../../packages/bootmem/dist/cli/grammar.js';
import type { CommandIo } from '../../../../packages/bootmem/dist/cli/io.js';
import type { Random } from '../../../kit/random.mjs';
import { EVIL } from './contents.js';

/** An option of a command. */
export interface Flag {
  /** With its two dashes. */
  readonly name: string;
  /** With one; the same as the name where there is none. */
  readonly short: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** What a command takes. */
export interface CommandForm {
  readonly name: string;
  readonly flags: readonly Flag[];
  readonly operands: readonly { readonly name: string; readonly isMany: boolean }[];
}

/** Every command of the program. */
export const FORMS: readonly CommandForm[] = createProgram(
  {} as CommandIo,
  () => undefined,
).commands.map((command) => ({
  name: command.name(),
  flags: command.options.map(({ long, short, required, optional, argChoices }) => ({
    name: long ?? short!,
    short: short ?? long!,
    takesValue: required || optional,
    choices: argChoices ?? [],
  })),
  operands: command.registeredArguments.map((argument) => ({
    name: argument.name(),
    isMany: argument.variadic,
  })),
}));

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
/** Values of which an ordinary run has one only: more threads or rounds are no other input, only more work. */
const ONE_OR_WRONG = [...Array<string>(30).fill('1'), '0', '256', '1001', 'x', '', '-1', '1e3'];
/** Suits nothing. */
const ODD = ['', '0', '-1', '99999999999', 'x', '-', '--', ...EVIL];

/** Values by option, or by command and option. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--limit': SIZES,
  '--boot': COUNTS,
  '--memory': ['1G', '16M', '1', '4G', '255T', ...SIZES],
  '--nodes': COUNTS,
  '--cpus': COUNTS,
  '--unaccepted': ['512M', ...SIZES],
  '--profile': ['auto', 'latest', '5.4', '2.6', '99.99', 'x', ''],
  '--bind': ['masks', 'taskset', 'x', '{tid}', '', 'false {tid}', 'no-such-command {tid}'],
  '--demand': SIZES,
  '--installed': SIZES,
  '--threads': ONE_OR_WRONG,
  'boot --threads': [...ONE_OR_WRONG, '2', 'node', 'all'],
  '--rounds': ONE_OR_WRONG,
  '--add': [
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
  '--remove': ['mem', 'x', '', '__proto__', ...EVIL],
  '--cmdline': ['', 'ro', 'memmap=exactmap memmap=1K@0', ...EVIL],
  '--kernel': ['7.3', '6.1', '0.0', '99.99', 'x', '', ...EVIL],
  'lsmem --output': ['RANGE,SIZE', 'ZONES', 'x', '', ',', ...EVIL],
};

/** Once in how many times an option is given; what stands here is another source of the machine, or comes always. */
const ONCE_IN: Readonly<Record<string, number>> = {
  '--memory': 50,
  '--cpus': 50,
  '--unaccepted': 50,
  '--this-machine': 80,
  '--sysroot': 50,
  '--threads': 1,
  '--rounds': 1,
  '--trace': 8,
  '--metrics': 8,
  'report --output': 1,
};
const USUAL = 4;

const of = <T>(table: Readonly<Record<string, T>>, command: string, flag: string): T | undefined =>
  table[`${command} ${flag}`] ?? table[flag];

/** What an option's value is, when it is a name of something in the folder of an input. */
export interface Places {
  /** A file to write. */
  readonly target: () => string;
  /** A folder of /proc and /sys. */
  readonly root: () => string;
}

const TARGETS = ['--output', '--trace', '--metrics'];

function valueOf({ name }: CommandForm, flag: Flag, random: Random, places: Places): string {
  if (flag.name === '--sysroot') return places.root();
  const known = of(VALUES, name, flag.name);
  if (known !== undefined) return random.pick(known);
  if (TARGETS.includes(flag.name)) return places.target();
  return random.pick(flag.choices.length > 0 ? [...flag.choices, 'x', ''] : ODD);
}

/** An option as it may be written: long, short, its value behind it or with it. */
function written(flag: Flag, value: string | undefined, random: Random): string[] {
  const isShort = random.once(5) && flag.short !== flag.name;
  const word = isShort ? flag.short : flag.name;
  if (value === undefined) return [word];
  // An empty value cannot stand in the same word as a short option.
  if (random.once(6) && !(isShort && value === '')) return [`${word}${isShort ? '' : '='}${value}`];
  return [word, value];
}

/**
 * Some options of a command.
 * @param form    the command
 * @param random  what decides
 * @param places  names in the folder of the input
 */
export function optionsOf(form: CommandForm, random: Random, places: Places): string[] {
  return form.flags.flatMap((flag) => {
    if (!random.once(of(ONCE_IN, form.name, flag.name) ?? USUAL)) return [];
    const value = flag.takesValue ? valueOf(form, flag, random, places) : undefined;
    return written(flag, value, random);
  });
}

/** A word for an operand that is no file. */
export function operand(name: string, random: Random): string {
  const places = ['0', '0x0', '0x100000', '1048576', '0xffffffffffffffff', '-1', 'x', '', ...EVIL];
  const shells = ['bash', 'zsh', 'fish', 'x', '', ...EVIL];
  return random.pick(name === 'place' ? places : name === 'shell' ? shells : ODD);
}

/** Options of the grammar that stand among arguments, each as `command --option`. */
export function optionsUsed(args: readonly string[]): string[] {
  const form = FORMS.find(({ name }) => name === args[0]);
  return (form?.flags ?? [])
    .filter(({ name, short }) =>
      args.some((word) => word === name || word.startsWith(`${name}=`) || word === short),
    )
    .map(({ name }) => `${form!.name} ${name}`);
}

/** Every option of the grammar, as {@link optionsUsed} names them. */
export const EVERY_OPTION: readonly string[] = FORMS.flatMap(({ name, flags }) =>
  flags.map((flag) => `${name} ${flag.name}`),
);
