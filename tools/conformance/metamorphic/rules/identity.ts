/** Changes of the input that leave the machine as it was. */
import type { Random } from '../../../kit/random.mjs';
import { BANNER } from '../recording.js';
import type { Recording } from '../recording.js';
import { hex, prefixOf } from '../text.js';
import { sameFacts } from '../variant.js';
import type { Rule, Variant } from '../variant.js';

const PAGE = 4096;

/** An entry of a firmware map in a line of the log. */
const MAP_LINE = /(BIOS-e820|user|modified): \[mem 0x([0-9a-f]{8,16})-0x([0-9a-f]{8,16})\](.*)$/;
const SRAT_LINE = /(SRAT: Node \d+ PXM \d+) \[mem 0x([0-9a-f]{8,16})-0x([0-9a-f]{8,16})\](.*)$/;

interface Found {
  readonly index: number;
  readonly match: RegExpExecArray;
}

function find(lines: readonly string[], pattern: RegExp): Found[] {
  return lines.flatMap((line, index) => {
    const match = pattern.exec(line);
    return match === null ? [] : [{ index, match }];
  });
}

/** Whether a list of lines stands in the log once: a map printed twice is told by being the same twice. */
function areDistinct(found: readonly Found[]): boolean {
  const texts = found.map(({ match }) => match[0]);
  return new Set(texts).size === texts.length;
}

function replaced(
  recording: Recording,
  index: number,
  lines: readonly string[],
  count = 1,
): Recording {
  return { ...recording, lines: recording.lines.toSpliced(index, count, ...lines) };
}

function identity(what: string, recording: Recording): Variant {
  return { what, recording, judge: sameFacts };
}

/** Cuts one line's range in two at a page. */
function split(recording: Recording, found: readonly Found[], random: Random): Variant | undefined {
  const wide = found.filter(
    ({ match }) => Number(`0x${match[3]!}`) - Number(`0x${match[2]!}`) > 4 * PAGE,
  );
  if (wide.length === 0) return undefined;
  const { index, match } = random.pick(wide);
  const [start, end] = [Number(`0x${match[2]!}`), Number(`0x${match[3]!}`) + 1];
  const first = Math.ceil(start / PAGE) + 1;
  const cut = (first + random.below(Math.floor(end / PAGE) - first)) * PAGE;
  if (!Number.isSafeInteger(end) || cut <= start || cut >= end) return undefined;
  const line = recording.lines[index]!;
  const head = line.slice(0, match.index);
  const digits = match[2]!.length;
  const [sign, words] = [match[1]!, match[4]!];
  const part = (from: number, to: number): string =>
    `${head}${sign}${sign.includes('SRAT') ? '' : ':'} [mem ${hex(from, digits)}-${hex(to - 1, digits)}]${words}`;
  return identity(
    `line ${index + 1} cut at ${hex(cut)}`,
    replaced(recording, index, [part(start, cut), part(cut, end)]),
  );
}

/** Lines of a kind in another order, each kind of map for itself. */
function reorder(
  recording: Recording,
  found: readonly Found[],
  random: Random,
): Variant | undefined {
  if (found.length < 2) return undefined;
  const lines = [...recording.lines];
  const places = found.map(({ index }) => index);
  const order = [...places];
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  for (const [at, place] of places.entries()) lines[place] = recording.lines[order[at]!]!;
  return identity(`${places.length} lines in another order`, { ...recording, lines });
}

function mapLines(recording: Recording): Found[] {
  const found = find(recording.lines, MAP_LINE);
  if (!recording.isPlain) return [];
  // One list at a time: the firmware's, or what was made of it.
  const provider = found.at(-1)?.match[1];
  const own = found.filter(({ match }) => match[1] === provider);
  return areDistinct(own) && !overlap(own) ? own : [];
}

function overlap(found: readonly Found[]): boolean {
  const ranges = found
    .map(({ match }) => ({ start: Number(`0x${match[2]!}`), end: Number(`0x${match[3]!}`) }))
    .sort((a, b) => a.start - b.start);
  return ranges.some(({ start }, index) => index > 0 && start <= ranges[index - 1]!.end);
}

function sratLines(recording: Recording): Found[] {
  const found = recording.isPlain ? find(recording.lines, SRAT_LINE) : [];
  return areDistinct(found) && !overlap(found) ? found : [];
}

/** Joins two lines of one kind that touch. */
function merge(recording: Recording, found: readonly Found[], random: Random): Variant | undefined {
  const pairs = found.flatMap((left, at) => {
    const right = found[at + 1];
    const touch =
      right?.index === left.index + 1 &&
      right.match[1] === left.match[1] &&
      right.match[4] === left.match[4] &&
      Number(`0x${left.match[3]!}`) + 1 === Number(`0x${right.match[2]!}`);
    return touch ? [{ left, right }] : [];
  });
  if (pairs.length === 0) return undefined;
  const { left, right } = random.pick(pairs);
  const line = recording.lines[left.index]!.replace(
    `0x${left.match[3]!}]`,
    `0x${right.match[3]!}]`,
  );
  return identity(
    `lines ${left.index + 1} and ${right.index + 1} joined`,
    replaced(recording, left.index, [line], 2),
  );
}

const FOREIGN: readonly string[] = [
  'systemd[1]: Started Journal Service.',
  'random: crng init done',
  'pci 0000:00:01.0: reg 0x10: [mem 0xfd000000-0xfdffffff 64bit pref]',
  'usb 1-1: new high-speed USB device number 2 using xhci_hcd',
  '00000010: 12 34 56 78 9a bc de f0 12 34 56 78 9a bc de f0  .4Vx.....4Vx....',
  'Code: 48 89 e5 41 57 41 56 41 55 41 54 53 48 83 ec 18',
  'e1000: Intel(R) PRO/1000 Network Driver',
  'EXT4-fs (sda1): mounted filesystem with ordered data mode',
  'node exporter listens on port 9100 of node 3',
  'memory cgroup out of memory: Killed process 4242 (stress) total-vm:4194304kB, anon-rss:2048kB',
  'PM: hibernation: Registered nosave memory: [mem 0x0009f000-0x000fffff]',
  'kernel: watchdog: BUG: soft lockup - CPU#3 stuck for 22s!',
];

/** Lines of others between those of the kernel. */
function foreign(recording: Recording, random: Random): Variant {
  const lines: string[] = [];
  // A foreign line never comes before the first: then the log would have another form.
  let left = 8;
  const every = Math.max(2, Math.floor(recording.lines.length / left));
  for (const [at, line] of recording.lines.entries()) {
    lines.push(line);
    const prefix = prefixOf(line);
    // Mail wraps a line after it was printed: nothing comes between its two halves, of which the second has no prefix.
    const next = recording.lines[at + 1];
    const isWhole = next === undefined || next === '' || prefixOf(next) !== '';
    if (left > 0 && prefix !== '' && isWhole && random.once(every)) {
      lines.push(prefix + random.pick(FOREIGN));
      left--;
    }
  }
  return identity(`${8 - left} lines of others`, { ...recording, lines });
}

/** Text behind the numbers of the release. */
function release(recording: Recording, random: Random): Variant | undefined {
  const banner = recording.lines.find((line) => BANNER.test(line));
  const text = /Linux version (\d+\.\d+\.?\d*)([^\s(]*)/.exec(banner ?? '');
  // Red Hat's kernels carry later changes under an old number, and say so in that text.
  // Xen's own kernels are told by it as well.
  if (text === null || /\.el\d|xen/.test(text[2]!)) return undefined;
  const whole = text[1]! + text[2]!;
  const other = text[1]! + random.pick(['', '-vendor1', '+', '-1-custom', '-07-g0123456789ab']);
  if (other === whole) return undefined;
  const lines = recording.lines.map((line) => line.replaceAll(whole, other));
  return identity(`release ${whole} called ${other}`, { ...recording, lines });
}

/** `mem=` where memory ends, and memory above it. */
function memoryAbove(recording: Recording, random: Random, prints: boolean): Variant | undefined {
  const { lines } = recording;
  const found = find(lines, MAP_LINE);
  if (found.length === 0 || found.some(({ match }) => match[1] !== 'BIOS-e820')) return undefined;
  if (!areDistinct(found) || lines.some((line) => /Command line:.*\bmem(?:map)?=|Xen/.test(line)))
    return undefined;
  const usable = found.filter(({ match }) => /usable|System RAM/.test(match[4]!));
  const top = Math.max(...usable.map(({ match }) => Number(`0x${match[3]!}`) + 1));
  const all = Math.max(...found.map(({ match }) => Number(`0x${match[3]!}`) + 1));
  if (!recording.isPlain || !Number.isSafeInteger(all) || usable.length === 0) return undefined;
  const last = found.at(-1)!;
  const head = lines[last.index]!.slice(0, last.match.index);
  const start = Math.ceil(all / 2 ** 30) * 2 ** 30 + random.below(64) * 2 ** 27;
  const more = `${head}BIOS-e820: [mem ${hex(start)}-${hex(start + (1 + random.below(32)) * 2 ** 27 - 1)}]${usable[0]!.match[4]!}`;
  const printed = [
    `${head}e820: remove [mem ${hex(top)}-0xfffffffffffffffe] usable`,
    `${head}e820: user-defined physical RAM map:`,
    ...found.map(
      ({ index, match }) =>
        `${head}${lines[index]!.slice(match.index).replace('BIOS-e820', 'user')}`,
    ),
  ];
  const added = [more, ...(prints ? printed : [])];
  const next = lines
    .toSpliced(last.index + 1, 0, ...added)
    .map((line) => (line.includes('ommand line: ') ? `${line.trimEnd()} mem=${top}` : line));
  return identity(`mem=${hex(top)} with memory above it`, { ...recording, lines: next });
}

/** More memory above what `mem=` of the recording cut off. */
function moreAbove(recording: Recording, random: Random): Variant | undefined {
  const { lines } = recording;
  const option = lines
    .map((line) => /ommand line:.* mem=(\d+[KMGkmg]?)(?:\s|$)/.exec(line))
    .find((match) => match !== null);
  const found = find(lines, MAP_LINE).filter(({ match }) => match[1] === 'BIOS-e820');
  const last = found.at(-1);
  if (option === undefined || last === undefined) return undefined;
  const all = Math.max(...found.map(({ match }) => Number(`0x${match[3]!}`) + 1));
  const start = Math.ceil(all / 2 ** 30) * 2 ** 30 + random.below(64) * 2 ** 27;
  const head = lines[last.index]!.slice(0, last.match.index);
  const more = `${head}BIOS-e820: [mem ${hex(start)}-${hex(start + 2 ** 30 - 1)}] usable`;
  return identity(`memory above ${option[1]!}`, replaced(recording, last.index + 1, [more], 0));
}

/** Makes the rule that puts another boot in front; which one, the seed says. */
export function bootInFront(all: readonly Recording[]): Rule {
  const whole = all.filter(({ lines }) => BANNER.test(lines[0] ?? ''));
  return {
    class: 'identity',
    name: 'another boot in front',
    reason: 'a log begins with its banner; the last boot of a file is the one that is meant',
    vary: (recording, random) => {
      const saysWhere = recording.lines.some((line) => /BIOS-|\bnode +\d+: \[mem/.test(line));
      if (!BANNER.test(recording.lines[0] ?? '') || !saysWhere) return undefined;
      const other = random.pick(whole);
      return identity(`behind ${other.name}`, {
        ...recording,
        lines: [...other.lines, ...recording.lines],
      });
    },
  };
}

/** Changes of the input that change nothing. */
export const IDENTITY_RULES: readonly Rule[] = [
  {
    class: 'identity',
    name: 'a map entry cut in two',
    reason: 'the kernel sorts its map and joins entries of one kind that touch',
    vary: (recording, random) => split(recording, mapLines(recording), random),
  },
  {
    class: 'identity',
    name: 'map entries joined',
    reason: 'the kernel sorts its map and joins entries of one kind that touch',
    vary: (recording, random) => merge(recording, mapLines(recording), random),
  },
  {
    class: 'identity',
    name: 'map entries in another order',
    reason: 'the kernel sorts its map',
    vary: (recording, random) => reorder(recording, mapLines(recording), random),
  },
  {
    class: 'identity',
    name: 'an SRAT entry cut in two',
    reason: 'blocks of one node that touch are joined before memory gets its nodes',
    vary: (recording, random) => split(recording, sratLines(recording), random),
  },
  {
    class: 'identity',
    name: 'SRAT entries joined',
    reason: 'blocks of one node that touch are joined before memory gets its nodes',
    vary: (recording, random) => merge(recording, sratLines(recording), random),
  },
  {
    class: 'identity',
    name: 'SRAT entries in another order',
    reason: 'an address has the node of its block, and blocks do not overlap',
    vary: (recording, random) => reorder(recording, sratLines(recording), random),
  },
  {
    class: 'identity',
    name: 'lines of others in between',
    reason: 'what drivers and programs print says nothing about memory at boot',
    vary: foreign,
  },
  {
    class: 'identity',
    name: 'another text behind the release',
    reason: "the text behind a release's numbers is its builder's",
    vary: release,
  },
  {
    class: 'identity',
    name: 'memory above an equal mem=',
    reason: 'mem= takes away what lies above it, whether the kernel printed so or not',
    vary: (recording, random) => memoryAbove(recording, random, false),
  },
  {
    class: 'identity',
    name: 'memory above an equal mem=, with its map',
    reason: 'the user map is what mem= left of the firmware map',
    vary: (recording, random) => memoryAbove(recording, random, true),
  },
  {
    class: 'identity',
    name: 'more memory above mem=',
    reason: 'mem= takes away what lies above it, however much that is',
    vary: moreAbove,
  },
];
