/**
 * Small hostile inputs of the command: arguments, and files that they name. What one does depends on its random numbers alone.
 *
 *   arguments  a command, options with odd values, names of files with controls in them
 *   files      logs, descriptions in JSON, packed and cut ones, noise; a folder with files, pipes, loops beside the log
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { synthesize, toJson } from '@bootmem/firmware-map';
import { mutate } from '../../firmware-map/mutate.js';
import type { Random } from '../../../kit/random.mjs';
import { hostileJson } from './json.js';
import { hostileMap } from './maps.js';

/** Arguments of a command and the names of the files that were made for it. */
export interface Input {
  readonly args: readonly string[];
  readonly files: readonly string[];
}

const SAMPLE = readFileSync(
  new URL('../../../../packages/bootmem/samples/k61-4n-odd/dmesg.txt', import.meta.url),
  'utf8',
).split('\n');
const BESIDE = ['zoneinfo.txt', 'buddyinfo.txt', 'pagetypeinfo.txt', 'iomem.txt', 'nodes.txt'];
const BESIDE_TEXTS = BESIDE.map((name) => {
  const url = new URL(`../../../../packages/bootmem/samples/k61-4n-odd/${name}`, import.meta.url);
  try {
    return readFileSync(url, 'utf8').split('\n');
  } catch {
    return [''];
  }
});

/** Names and words that a terminal must never see as they are. */
const EVIL = [
  '\u001b]0;x\u0007',
  '\u001b[2J',
  '\u009b31m',
  '\u202e',
  '\u2066',
  '\r',
  '\u0085',
  '\ufeff',
];
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

type Writer = (path: string, random: Random) => void;

/** Kinds of contents. */
const CONTENTS: readonly (readonly [weight: number, write: Writer])[] = [
  [
    6,
    (path, random) => {
      writeFileSync(path, spiced(mutate(SAMPLE, random), random));
    },
  ],
  [
    6,
    (path, random) => {
      writeFileSync(path, spiced(hostileMap(random), random));
    },
  ],
  [
    3,
    (path, random) => {
      writeFileSync(path, hostileJson(random));
    },
  ],
  [
    1,
    (path, random) => {
      writeFileSync(path, gzipSync(hostileMap(random)));
    },
  ],
  [
    1,
    (path, random) => {
      writeFileSync(path, cut(gzipSync(mutate(SAMPLE, random)), random));
    },
  ],
  [
    1,
    (path, random) => {
      writeFileSync(path, noise(random));
    },
  ],
  [
    1,
    (path, random) => {
      writeFileSync(path, toJson(synthesize({ memory: '1G', nodes: 1 + random.below(4) })));
    },
  ],
  [
    1,
    (path, random) => {
      folderWith(path, random);
    },
  ],
  [
    1,
    (path) => {
      symlinkSync(path, path);
    },
  ],
];
const WEIGHTS = CONTENTS.flatMap(([weight], index) => Array<number>(weight).fill(index));

/** Something for `file` to be. */
function write(path: string, random: Random): void {
  CONTENTS[random.pick(WEIGHTS)]![1](path, random);
}

/** Controls and marks of direction somewhere in a text. */
function spiced(text: string, random: Random): string {
  if (!random.once(3)) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(EVIL) + text.slice(at);
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes.subarray(0, random.below(bytes.byteLength + 1)));
  if (copy.byteLength > 0) copy[random.below(copy.byteLength)] = random.below(256);
  return copy;
}

/** First bytes of every packing, then anything. */
function noise(random: Random): Uint8Array {
  const head = random.pick([
    [],
    [0x1f, 0x8b],
    [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    [0x28, 0xb5, 0x2f, 0xfd],
  ]);
  return Uint8Array.from([
    ...head,
    ...Array.from({ length: random.below(600) }, () => random.below(256)),
  ]);
}

/** A folder of a recorded boot, as far as it goes. */
function folderWith(path: string, random: Random): void {
  mkdirSync(path);
  for (const log of ['dmesg.txt', 'console.txt']) {
    if (random.once(2)) continue;
    if (random.once(12)) mkdirSync(join(path, log));
    else
      writeFileSync(join(path, log), random.once(2) ? mutate(SAMPLE, random) : hostileMap(random));
  }
  for (const [index, name] of BESIDE.entries()) {
    const file = join(path, name);
    if (random.once(2)) writeFileSync(file, mutate(BESIDE_TEXTS[index]!, random));
    else {
      const odd = random.below(20);
      if (odd === 0) symlinkSync(name, file);
      if (odd === 1) mkdirSync(file);
    }
  }
}

/** Commands by how often they come; the value: arguments after the name, before the files. */
const COMMANDS: readonly (readonly [
  weight: number,
  name: string,
  options: (random: Random) => string[],
])[] = [
  [8, 'check', (random) => flags(random, [['--all'], ['--strict'], ['--boot', ...COUNTS]])],
  [
    3,
    'explain',
    (random) => flags(random, [['--evidence'], ['--markdown'], ['--installed', ...SIZES]]),
  ],
  [3, 'what-if', (random) => flags(random, WHAT_IF)],
  [2, 'replay', (random) => flags(random, [['--dump'], ['--boot', ...COUNTS]])],
  [2, 'numa', () => []],
  [2, 'lsmem', (random) => flags(random, [['-o', 'RANGE,SIZE', 'ZONES', 'x', '', ',']])],
  [2, 'phases', () => []],
  [
    2,
    'at',
    (random) => [
      random.pick(['0', '0x0', '0x100000', '1048576', '0xffffffffffffffff', '-1', 'x', '']),
    ],
  ],
  [2, 'boot', (random) => ['--threads', '1', ...flags(random, BOOT)]],
];
const WHAT_IF: readonly string[][] = [
  [
    '--add',
    'mem=1G',
    'crashkernel=512M',
    'memmap=1G!1G',
    'numa=fake=5',
    'movable_node',
    'kernelcore=0',
    'hugepages=99999999999',
  ],
  ['--remove', 'mem', 'x', ''],
  ['--cmdline', '', 'ro', 'memmap=exactmap memmap=1K@0', ...EVIL],
  ['--kernel', '7.3', '6.1', '0.0', '99.99', 'x', ''],
  ['--memory-model', 'sparsemem', 'flatmem', 'x'],
  ['--nodes', ...COUNTS],
];
const BOOT: readonly string[][] = [
  ['--mode', 'eager', 'deferred', 'on-demand', 'x'],
  ['--accept', 'lazy', 'eager', 'x'],
  ['--profile', 'auto', 'latest', '5.4', 'x'],
  ['--demand', ...SIZES],
  ['--boot', ...COUNTS],
];
const PICKS = COMMANDS.flatMap(([weight], index) => Array<number>(weight).fill(index));

/** Some of the options, each with one of its values. */
function flags(random: Random, options: readonly (readonly string[])[]): string[] {
  return options.flatMap(([name, ...values]) => {
    if (!random.once(4)) return [];
    return values.length === 0 ? [name!] : [name!, random.pick(values)];
  });
}

/**
 * Makes an input.
 * @param folder  empty; its files are written there
 * @param random  what decides
 */
export function makeInput(folder: string, random: Random): Input {
  const [, name, options] = COMMANDS[random.pick(PICKS)]!;
  const many = ['check', 'explain', 'replay'].includes(name) ? 1 + random.below(2) : 1;
  const files = Array.from({ length: many }, (_, index) => {
    const file = join(folder, `${index}${random.once(4) ? random.pick(EVIL) : ''}.log`);
    if (!random.once(40)) write(file, random);
    return file;
  });
  const output = flags(random, [['--json'], ['--quiet'], ['--wide'], ['--limit', ...SIZES]]);
  // Bounded in any case; an earlier value is overwritten by the last.
  const limit = output.includes('--limit') ? [] : ['--limit', '512M'];
  return { args: [name, ...options(random), ...output, ...limit, ...files], files };
}
