/**
 * Which kernel on which machine: release, command line, model, and words that only one architecture prints.
 */
import type { Architecture } from '../types/all.js';
import { onMatch, type Recogniser } from './recogniser.js';

/** The line that begins a boot. */
export const BANNER = /Linux version (\d{1,5}\.\d{1,5}(?!\d)[^\s(]{0,100})/;

// In the release the kernel's own word, behind it the compiler's name, which begins with what it builds for.
const ARCHITECTURE_WORDS: readonly (readonly [RegExp, Architecture])[] = [
  [/x86[_-]64|amd64/i, 'x86_64'],
  [/aarch64|arm64/i, 'arm64'],
  [/ppc64|powerpc64/i, 'ppc64'],
  [/powerpc|\bppc/i, 'ppc32'],
  [/riscv64/i, 'riscv64'],
  [/loong(?:arch)?64/i, 'loongarch64'],
  [/i[3-6]86|\.i386/i, 'i386'],
  [/s390x/i, 's390x'],
  [/\bmips/i, 'mips'],
  [/\bsh[2-4][a-z]*-/i, 'sh'],
  [/sparc64/i, 'sparc64'],
  [/sparc/i, 'sparc'],
  [/parisc|hppa/i, 'parisc'],
  [/m68k/i, 'm68k'],
  [/\bia64|itanium|mckinley/i, 'ia64'],
  [/\balpha-(?:linux|unknown|generic|smp|legacy)/i, 'alpha'],
  [/microblaze/i, 'microblaze'],
  [/xtensa/i, 'xtensa'],
  [/or1k-|openrisc/i, 'openrisc'],
  [/riscv32/i, 'riscv32'],
  [/\barc(?:eb|64)?-/i, 'arc'],
  [/armv[5-7]|armmp|armhf|\barm(?:eb)?-/i, 'arm'],
];

const banner = onMatch('Linux version', BANNER, (match, draft, line) => {
  const release = match[1]!;
  const numbers = /^\d+(?:\.\d{1,5}(?!\d))*/.exec(release)![0].split('.').map(Number);
  draft.kernel ??= { release, numbers: numbers.slice(0, 4), line };
  draft.records++;
  const [compiler, host] = withoutHost(match.input.slice(match.index));
  // The first that fits: "powerpc64le" is no "powerpc".
  const named = ARCHITECTURE_WORDS.find(([words]) => words.test(release));
  const isOf = (text: string) => ARCHITECTURE_WORDS.find(([words]) => words.test(text));
  const built = isOf(compiler) ?? isOf(host);
  if (named !== undefined) draft.vote(named[1], 8);
  else if (built !== undefined) draft.vote(built[1], 1);
});

// "(user@host)" may name the machine that compiled, which need not be the one that was compiled for.
function withoutHost(banner: string): [string, string] {
  const host = /\([^()@]{0,100}@[^()]{0,100}\)/.exec(banner)?.[0] ?? '';
  return [banner.replace(host, ''), host];
}

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
  /(?:DMI|Machine model|Hardware name): (?!Memory slots|SMBIOS [\d.]+ present|not present)(.{1,200})$/,
  (match, draft) => {
    draft.machine ??= match[1]!;
    if (/pSeries|PowerNV/i.test(match[1]!)) draft.vote('ppc64', 4);
  },
);

// What one architecture prints, and how much it counts: 16 for a line of its own, 1 for a habit.
const SIGNS: readonly (readonly [string, Architecture, number])[] = [
  ['HIGHMEM available', 'i386', 16],
  ['LOWMEM available', 'i386', 16],
  ['low ram: 0 - ', 'i386', 16],
  ['Using APIC driver ', 'i386', 8],
  ['ACPI: LAPIC', 'x86_64', 1],
  ['Booting Linux on physical CPU 0x0000', 'arm64', 8],
  ['Booting Linux on physical CPU', 'arm', 2],
  ['I-cache on CPU0', 'arm64', 8],
  ['CPU features: detected: ', 'arm64', 8],
  ['GICv', 'arm64', 1],
  ['psci: ', 'arm64', 1],
  ['CPU: ARMv', 'arm', 16],
  ['Memory policy: ', 'arm', 4],
  ['SBI specification', 'riscv64', 16],
  ['riscv: ', 'riscv64', 4],
  ['ppc64_', 'ppc64', 8],
  ['hash-mmu', 'ppc64', 8],
  ['OPAL nvram setup', 'ppc64', 16],
  ['barrier-nospec: using ', 'ppc64', 4],
  ['rfi-flush: ', 'ppc64', 8],
  ['radix-mmu', 'ppc64', 8],
  ['for hash table', 'ppc32', 4],
  ['setup: Linux is running', 's390x', 16],
  ['Linux is running as a z/VM', 's390x', 16],
  ['Linux is running natively in', 's390x', 16],
  ['CPU0 revision is: ', 'mips', 4],
  ['CPU revision is: ', 'mips', 4],
  ['Determined physical RAM map', 'mips', 8],
  ['User-defined physical RAM map', 'mips', 8],
  ['Loongson-64bit', 'loongarch64', 16],
  ['64-bit Loongson Processor', 'loongarch64', 16],
  ['Booting machvec: ', 'sh', 16],
  ['Booting Linux on hartid', 'riscv64', 8],
  ['MIPS: machine is ', 'mips', 16],
  ['MIPS secondary cache', 'mips', 8],
  ['Primary instruction cache', 'mips', 4],
  ['CPU CAPS: ', 'sparc64', 16],
  ['ARCH: SUN4U', 'sparc64', 16],
  ['ARCH: SUN4V', 'sparc64', 16],
  ['ARCH: SUN4M', 'sparc', 16],
  ['ARCH: LEON', 'sparc', 16],
  ['Determining PDC firmware type', 'parisc', 16],
  ['SALsystab=', 'ia64', 16],
  ['SAL Platform features', 'ia64', 16],
  ['Booting GENERIC on ', 'alpha', 8],
  ['setup_memory: max_low_pfn', 'microblaze', 16],
  ['CPU: OpenRISC', 'openrisc', 16],
  ['account for exec-shield gap', 'um', 16],
  ['Checking PROT_EXEC mmap in', 'um', 16],
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
