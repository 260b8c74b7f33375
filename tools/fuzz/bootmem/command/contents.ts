/**
 * What may lie under a name that the command is given: logs, files of /proc, descriptions in JSON, results of the command itself, packed and
 * cut ones, other encodings, noise, folders of recorded boots and of /proc and /sys, loops, devices, pipes that nobody opens.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { synthesize, toJson } from '@bootmem/firmware-map';
import { mutate } from '../../firmware-map/mutate.js';
import type { Random } from '../../../kit/random.mjs';
import { debugLines, procLines } from './debug-lines.js';
import { formed, trailed } from './forms.js';
import { hostileJson } from './json.js';
import { hostileMap } from './maps.js';
import { gzip, xz, zstd } from './packed.js';

/** Names and words that a terminal must never see as they are. */
export const EVIL = [
  '\u001b]0;x\u0007',
  '\u001b[2J',
  '\u009b31m',
  '\u202e',
  '\u2066',
  '\r',
  '\n',
  '\u0085',
  '\ufeff',
  '\u007f',
  '<img src=x onerror=y>',
  '<script>z',
  '](javascript:z)![',
];

const SAMPLES = new URL('../../../../packages/bootmem/samples/k61-4n-odd/', import.meta.url);
const linesOf = (name: string): string[] => {
  try {
    return readFileSync(new URL(name, SAMPLES), 'utf8').split('\n');
  } catch {
    return [''];
  }
};

const SAMPLE = linesOf('dmesg.txt');
const BLOCKS = ['--- block_size_bytes', '8000000', '--- auto_online_blocks', 'online', '--- name'];
for (let index = 0; index < 40; index++) {
  BLOCKS.push(`memory${index} ${index.toString(16).padStart(8, '0')} online 1 [Normal] node0`);
}
/** Files beside a log, by name. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  'zoneinfo.txt': linesOf('zoneinfo.txt'),
  'buddyinfo.txt': linesOf('buddyinfo.txt'),
  'pagetypeinfo.txt': linesOf('pagetypeinfo.txt'),
  'meminfo.txt': linesOf('meminfo.txt'),
  'iomem.txt': linesOf('iomem.txt'),
  'nodes.txt': linesOf('nodes.txt'),
  'memory_blocks.txt': BLOCKS,
  'memory_blocks_added.txt': BLOCKS,
  'zoneinfo_added.txt': linesOf('zoneinfo.txt'),
  'firmware_memmap.txt': [
    '0 0x0 0x9fbff System RAM',
    '1 0x9fc00 0x9ffff Reserved',
    '2 0x100000 0x3fffffff System RAM',
  ],
  'debugfs_memblock.txt': [
    '# memory',
    '   0: 0x0000000000001000..0x000000000009efff    0 NONE',
    '   1: 0x0000000000100000..0x000000003fffffff    0 NONE',
    '# reserved',
    '   0: 0x0000000001000000..0x0000000001ffffff    0 NONE',
  ],
  'version.txt': ['Linux version 6.1.0-13-amd64 (a@b) #1 SMP'],
  'cmdline.txt': ['ro mem=1G numa=fake=2'],
};

/** What the command prints as JSON is a file as any other. */
const RESULTS = [
  '{"schema":"bootmem/boot","version":1,"zones":[]}\n',
  '{"schema":"bootmem/check","version":1,"facts":[]}\n',
  '[]\n',
  'null\n',
  '"x"\n',
  '{}\n'.repeat(30),
];

/** A text of a kind that is read. */
function text(random: Random): string {
  switch (random.below(11)) {
    case 0:
    case 1:
    case 2:
      return mutate(SAMPLE, random);
    case 3:
    case 4:
    case 5:
      return hostileMap(random);
    case 6:
      return hostileJson(random);
    case 8:
      return debugLines(random).join('\n');
    case 9:
      return `${hostileMap(random)}${procLines(random).join('\n')}\n`;
    case 7:
      return mutate(random.pick(Object.values(BESIDE)), random);
    default:
      return random.pick(RESULTS);
  }
}

/** Controls and marks of direction somewhere in a text. */
function spiced(plain: string, random: Random): string {
  if (!random.once(3)) return plain;
  const at = random.below(plain.length + 1);
  return plain.slice(0, at) + random.pick([...EVIL, '</script><script>z']) + plain.slice(at);
}

/** Bytes of a text in an encoding of another place or time. */
function encoded(plain: string, random: Random): Uint8Array {
  const utf16 = Buffer.from(plain, 'utf16le');
  switch (random.below(5)) {
    case 0:
      return Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]);
    case 1:
      return Buffer.concat([Buffer.from([0xfe, 0xff]), utf16.swap16()]);
    case 2:
      return Buffer.from(`\ufeff${plain}`);
    case 3:
      return Buffer.from(plain.replaceAll('e', 'é'), 'latin1');
    default:
      return Buffer.from(plain.replaceAll('\n', '\r\n'));
  }
}

/** Lines without end, or without number. */
function long(random: Random): string {
  const [line] = random.pick([['x'], ['['], [' '], ['0'], ['[mem 0x'], ['BIOS-e820: '], ['<br>']]);
  if (random.once(2)) return line.repeat(Math.floor(2 ** 20 / line.length));
  return `${line}\n`.repeat(random.below(2 ** 16));
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

function packed(random: Random): Uint8Array {
  const whole = random.pick([gzip, xz, zstd])(text(random), random);
  if (random.once(4)) return trailed(whole, random);
  return random.once(3) ? cut(whole, random) : whole;
}

const CONTENTS: readonly (readonly [weight: number, (random: Random) => string | Uint8Array])[] = [
  [6, (random) => spiced(mutate(SAMPLE, random), random)],
  [6, (random) => spiced(hostileMap(random), random)],
  [3, hostileJson],
  [2, (random) => spiced(text(random) + text(random), random)],
  [3, (random) => spiced(formed(text(random).split('\n'), random), random)],
  [2, (random) => formed(SAMPLE, random)],
  [2, (random) => spiced(debugLines(random).join('\n'), random)],
  [2, packed],
  [1, (random) => gzipSync(text(random))],
  [1, (random) => encoded(text(random), random)],
  [1, noise],
  [1, (random) => toJson(synthesize({ memory: '1G', nodes: 1 + random.below(4) }))],
];
const CONTENT_PICKS = CONTENTS.flatMap(([weight], index) => Array<number>(weight).fill(index));

/** Bytes of a file. */
export function content(random: Random): string | Uint8Array {
  if (random.once(60)) return long(random);
  if (random.once(60)) return '';
  return CONTENTS[random.pick(CONTENT_PICKS)]![1](random);
}

/** A file of text that now and then is a folder, a loop, a device, or not there. */
function mutated(path: string, lines: readonly string[], random: Random): void {
  const odd = random.below(60);
  if (odd === 0) symlinkSync(path, path);
  else if (odd === 1) mkdirSync(path);
  else if (odd === 2) symlinkSync('/dev/null', path);
  else if (odd === 3) symlinkSync('/proc/self/mem', path);
  else if (random.once(2)) writeFileSync(path, mutate(lines, random));
  else if (random.once(3)) writeFileSync(path, lines.join('\n'));
}

/** A folder of a recorded boot, as far as it goes. */
function recorded(path: string, random: Random): void {
  mkdirSync(path);
  for (const log of ['dmesg.txt', 'console.txt']) {
    if (random.once(2)) continue;
    if (random.once(12)) mkdirSync(join(path, log));
    else writeFileSync(join(path, log), content(random));
  }
  for (const [name, lines] of Object.entries(BESIDE)) mutated(join(path, name), lines, random);
}

/**
 * Files of /proc and /sys under a folder.
 * @param path  it is made
 */
export function sysroot(path: string, random: Random): void {
  const put = (name: string, lines: readonly string[]): void => {
    if (random.once(8)) return;
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    mutated(file, lines, random);
  };
  mkdirSync(path);
  for (const name of ['iomem', 'zoneinfo', 'buddyinfo', 'meminfo', 'version']) {
    put(`proc/${name}`, BESIDE[`${name}.txt`]!);
  }
  put('sys/devices/system/memory/block_size_bytes', ['8000000']);
  put('sys/devices/system/memory/auto_online_blocks', ['online']);
  for (let index = 0; index < random.below(20); index++) {
    const name = `sys/devices/system/memory/memory${random.once(20) ? 2 ** 40 : index}`;
    put(`${name}/state`, [random.pick(['online', 'offline', '', 'x'])]);
    put(`${name}/valid_zones`, [random.pick(['Normal', 'Movable', '', '\u001b[2J'])]);
  }
  for (let nid = 0; nid < random.below(4); nid++) {
    const name = `sys/devices/system/node/node${random.once(9) ? 99_999 : nid}`;
    put(`${name}/cpulist`, ['0-3', '0-99999999999']);
    put(`${name}/distance`, ['10 20']);
    put(`${name}/meminfo`, [`Node ${nid} MemTotal: 1000 kB`]);
  }
  for (let index = 0; index < random.below(6); index++) {
    put(`sys/firmware/memmap/${index}/start`, [`0x${(index * 2 ** 28).toString(16)}`]);
    put(`sys/firmware/memmap/${index}/end`, [`0x${(index * 2 ** 28 + 2 ** 27).toString(16)}`]);
    put(`sys/firmware/memmap/${index}/type`, [random.pick(['System RAM', 'Reserved', ''])]);
  }
}

/** Something under a name: mostly a file. Not a device without end: a whole GiB of it is read, which has a test of its own. */
export function put(path: string, random: Random): void {
  const kind = random.below(30);
  if (kind < 2) recorded(path, random);
  else if (kind === 2) symlinkSync(path, path);
  else if (kind === 3 && random.once(4)) mkdirSync(path);
  else if (kind === 4 && random.once(4)) {
    symlinkSync(
      random.pick(['/dev/null', '/proc/self/mem', '/proc/version', '/proc/self/fd/0']),
      path,
    );
  } else if (kind === 5 && random.once(8)) sysroot(path, random);
  else writeFileSync(path, content(random));
}
