/**
 * Turns good inputs into odd ones: what happens to logs on their way (cuts, wraps, prefixes, quoting, other bytes),
 * and what no kernel would print (numbers at every limit, words in the wrong place, records repeated).
 */
import type { Random } from '../../kit/random.mjs';

type Mutation = (lines: string[], random: Random) => void;

const NUMBERS = [
  '0',
  '1',
  '0x0',
  '0xfff',
  '0x1000',
  '0x9007199254740991',
  '0x1fffffffffffff',
  '0x20000000000000',
  '0xffffffffffffffff',
  '0xfffffffffffffffe',
  'ffffffffffffffffffffffffffffffff',
  '18446744073709551615',
  '9007199254740993',
  '-1',
  '1e9',
  '1023',
  '1024',
  '65536',
  '99999999999999999999999999999999',
  'NaN',
  '',
];
const PREFIXES = [
  '[    0.000000] ',
  '[    0.000000][    T0] ',
  '<6>[    0.000000] ',
  'kern  :info  : [    0.000000] ',
  '[Fri Aug 14 23:00:53 2020] ',
  '[ven. août 14 23:00:53 2020] ',
  '[  +0.000006] ',
  'touko 05 09:18:59 host kernel: ',
  '2024-11-30T12:00:00+0100 host kernel: ',
  '11:02:52 host kernel: ',
  '> ',
  '>>>>> ',
  '\u001b[32m[    0.000000] \u001b[0m',
  '\r',
  '\u00a0',
];
const JUNK = [
  '\u0000',
  '\u001b[',
  '\u001b]0;title',
  '<br />',
  '<br',
  '\ud800',
  '\ufffd',
  '\r',
  '\t',
  '\u2028',
  '&lt;&amp;&nbsp;',
  '[mem ',
  '-> ',
  ' + ',
  'usable ==> ',
  'Linux version 6.1 ',
  'Zone ranges:',
  'MEMBLOCK configuration:',
  'constructor',
  '__proto__: 1 kB',
];
const OPTIONS = [
  'mem=',
  'mem=0',
  'mem=512M',
  'mem=16E',
  'memmap=exactmap',
  'memmap=1G',
  'memmap=64K@0',
  'memmap=1G!4G',
  'memmap=64M$512M',
  'memmap=16M#1G',
  'memmap=1G%4G-1+2',
  'memmap=1G%4G+0x7fffffff',
  'memmap=,,,@@',
  'memmap=0x1fffffffffffff@1',
  'kernelcore=mirror',
  'kernelcore=101%',
  'movablecore=25%',
  'numa=fake=4',
  'numa=fake=0',
  'numa=fake=1024U',
  'numa=fake=64M',
  'numa=off',
  'crashkernel=512M-2G:64M,2G-:128M@16M',
  'crashkernel=-:,',
  'hugepagesz=3 hugepages=1',
  'hugepages=0:1,5:9999999999',
  'accept_memory=maybe',
  'log_buf_len=3',
  'constructor=1',
  '"mem=1G quoted',
  '--',
];

const MUTATIONS: readonly Mutation[] = [
  (lines, random) => void lines.splice(random.below(lines.length), 1 + random.below(3)),
  (lines, random) => {
    const at = random.below(lines.length);
    lines.splice(at, 0, ...lines.slice(at, at + 1 + random.below(5)));
  },
  (lines, random) => {
    const [from, to] = [random.below(lines.length), random.below(lines.length)];
    [lines[from], lines[to]] = [lines[to]!, lines[from]!];
  },
  (lines, random) => {
    changeLine(lines, random, (line) => line.slice(0, random.below(line.length + 1)));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => line.slice(random.below(line.length + 1)));
  },
  (lines, random) => {
    const at = random.below(lines.length);
    const line = lines[at]!;
    const cut = random.below(line.length + 1);
    lines.splice(at, 1, line.slice(0, cut), line.slice(cut));
  },
  (lines, random) => {
    const at = random.below(lines.length);
    lines.splice(at, 2, lines.slice(at, at + 2).join(random.pick(['', ' ', '\r', '<br>'])));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => changeNumber(line, random));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => changeNumber(line, random));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => changeNumber(line, random));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => insert(line, random.pick(JUNK), random));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => changeChar(line, random));
  },
  (lines, random) => {
    changeLine(lines, random, (line) => swapWords(line, random));
  },
  (lines, random) => {
    const prefix = random.pick(PREFIXES);
    for (let at = 0; at < lines.length; at++) lines[at] = prefix + lines[at]!;
  },
  (lines, random) => {
    changeLine(lines, random, (line) => random.pick(PREFIXES) + line);
  },
  (lines, random) => {
    const options = Array.from({ length: 1 + random.below(4) }, () => random.pick(OPTIONS));
    lines.splice(random.below(lines.length + 1), 0, `Command line: ${options.join(' ')}`);
  },
  (lines, random) => {
    changeLine(lines, random, (line) => line.repeat(1 + random.below(20)));
  },
  // Very long runs of one thing: what makes a careless pattern slow.
  (lines, random) => {
    changeLine(lines, random, (line) => stretch(line, random));
  },
];

/** Cuts a piece out of a good input and changes it a few times. */
export function mutate(source: readonly string[], random: Random): string {
  const length = 1 + random.below(24);
  const start = random.once(3) ? 0 : random.below(source.length);
  const lines = source.slice(start, start + length);
  const times = 1 + random.below(6);
  for (let time = 0; time < times && lines.length > 0; time++)
    random.pick(MUTATIONS)(lines, random);
  return lines.join(random.pick(['\n', '\n', '\n', '\r\n', '\r', '<br />']));
}

function changeLine(lines: string[], random: Random, change: (line: string) => string): void {
  const at = random.below(lines.length);
  lines[at] = change(lines[at]!);
}

function changeNumber(line: string, random: Random): string {
  const numbers = [...line.matchAll(/(?:0x)?[0-9a-f]*\d[0-9a-f]*/g)];
  if (numbers.length === 0) return line;
  const { index, 0: text } = random.pick(numbers);
  return line.slice(0, index) + random.pick(NUMBERS) + line.slice(index + text.length);
}

function insert(line: string, text: string, random: Random): string {
  const at = random.below(line.length + 1);
  return line.slice(0, at) + text + line.slice(at);
}

function changeChar(line: string, random: Random): string {
  const at = random.below(line.length + 1);
  return line.slice(0, at) + String.fromCharCode(random.below(256)) + line.slice(at + 1);
}

function swapWords(line: string, random: Random): string {
  const words = line.split(' ');
  const [from, to] = [random.below(words.length), random.below(words.length)];
  [words[from], words[to]] = [words[to]!, words[from]!];
  return words.join(' ');
}

function stretch(line: string, random: Random): string {
  if (!random.once(16)) return line;
  const from = random.below(line.length + 1);
  const to = Math.min(line.length, from + 1 + random.below(12));
  const piece = random.once(2)
    ? random.pick([' ', '0', 'f', '|', '[', '_', '1 ', '0x', ','])
    : line.slice(from, to);
  return (
    line.slice(0, to) + piece.repeat(Math.floor(9000 / Math.max(1, piece.length))) + line.slice(to)
  );
}
