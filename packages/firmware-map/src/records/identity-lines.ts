/**
 * Which kernel on which machine: release, command line, model, and words that only one architecture prints.
 */
import type { Architecture } from '../types/all.js';
import { onMatch, type Recogniser } from './recogniser.js';

/** The line that begins a boot. */
export const BANNER = /Linux version (\d{1,5}\.\d{1,5}(?!\d)[^\s(]{0,100})/;

const ARCHITECTURE_IN_RELEASE: readonly (readonly [RegExp, Architecture])[] = [
  [/x86[_-]64|amd64/i, 'x86_64'],
  [/aarch64|arm64/i, 'arm64'],
  [/ppc64|powerpc64/i, 'ppc64'],
  [/riscv64/i, 'riscv64'],
  [/i[3-6]86|\.i386/i, 'i386'],
  [/s390x/i, 's390x'],
  [/armv[5-7]|arm-linux/i, 'arm'],
];

const banner = onMatch('Linux version', BANNER, (match, draft, line) => {
  const release = match[1]!;
  const numbers = /^\d+(?:\.\d{1,5}(?!\d))*/.exec(release)![0].split('.').map(Number);
  draft.kernel ??= { release, numbers: numbers.slice(0, 4), line };
  draft.records++;
  const rest = match.input.slice(match.index);
  for (const [words, architecture] of ARCHITECTURE_IN_RELEASE) {
    if (words.test(release)) draft.vote(architecture, 8);
    else if (words.test(rest)) draft.vote(architecture, 1);
  }
});

const commandLine: Recogniser = {
  hint: 'ommand line: |ommand line:$',
  read(text, draft, line, final) {
    const match = /(?:Kernel command line|\bCommand line): *(.*)$/.exec(text);
    if (match === null) return undefined;
    // Wrapped right after the colon, or really empty.
    if (match[1] === '' && !final) return 'partial';
    draft.records++;
    // "Kernel command line:" repeats "Command line:"; the longer text is the whole one.
    if (draft.commandLine === undefined || draft.commandLine.text.length < match[1]!.length) {
      draft.commandLine = { text: match[1]!, line };
    }
    return 'taken';
  },
};

const model = onMatch(
  'DMI: |Machine model: |Hardware name: ',
  /(?:DMI|Machine model|Hardware name): (?!Memory slots)(.{1,200})$/,
  (match, draft) => {
    draft.machine ??= match[1]!;
    if (/pSeries|PowerNV/i.test(match[1]!)) draft.vote('ppc64', 4);
  },
);

// Words, and how much they count.
const SIGNS: readonly (readonly [string, Architecture, number])[] = [
  ['HIGHMEM available', 'i386', 16],
  ['LOWMEM available', 'i386', 16],
  ['ACPI: LAPIC', 'x86_64', 1],
  ['Booting Linux on physical CPU', 'arm64', 2],
  ['GICv', 'arm64', 4],
  ['psci: ', 'arm64', 4],
  ['SBI specification', 'riscv64', 16],
  ['riscv: ', 'riscv64', 4],
  ['ppc64_', 'ppc64', 8],
  ['hash-mmu', 'ppc64', 8],
  ['radix-mmu', 'ppc64', 8],
  ['setup: Linux is running', 's390x', 16],
];

const signs: Recogniser = {
  hint: SIGNS.map(([words]) => words).join('|'),
  read(text, draft) {
    for (const [words, architecture, weight] of SIGNS) {
      if (text.includes(words)) draft.vote(architecture, weight);
    }
    return undefined;
  },
};

/** Recognisers of identity lines. */
export const IDENTITY_RECOGNISERS: readonly Recogniser[] = [signs, banner, commandLine, model];
