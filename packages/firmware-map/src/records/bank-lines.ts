/**
 * Memory as firmware tells it where there is neither an e820 nor an EFI map, and where the kernel's own mapping of it ends.
 *
 *   Determined physical RAM map:                            MIPS: size @ first address, both hexadecimal
 *    memory: 08000000 @ 00000000 (usable)
 *   User-defined physical RAM map:                          the same, made of mem=: it replaces the other
 *   Memory @ 80000000 [1024M]                               ARC; "Not used" behind it: the build reaches no high memory
 *    0) Start 0x0000000000000000 End 0x000000003fffffff Size   1024 MB       PA-RISC, below "Memory Ranges:"
 *     low ram: 0 - 377fe000                                 i386: where lowmem ends
 *   setup_memory: max_low_pfn: 0xb0000                      MicroBlaze: likewise
 */
import { parseHex } from '../base/numbers.js';
import type { ByteRange, RangeKind } from '../types/all.js';
import type { Draft } from './draft.js';
import { onMatch, type Recogniser } from './recogniser.js';

function keepBank(
  draft: Draft,
  range: ByteRange | undefined,
  words: { readonly provider: string; readonly text: string; readonly kind: RangeKind },
  line: number,
): void {
  if (range !== undefined) draft.keep(draft.banks, { ...range, ...words, line }, line);
}

/** A range of a first address and a size; `undefined` after a complaint where the two do not fit. */
function sized(draft: Draft, first: string, size: number, line: number): ByteRange | undefined {
  const start = parseHex(first);
  if (size === 0) return undefined;
  if (start === undefined || !Number.isSafeInteger(start + size)) {
    draft.problems.error('BAD_RANGE', line, `${size} bytes from 0x${first} are no range`);
    return undefined;
  }
  return { start, end: start + size };
}

const userBanks: Recogniser = {
  hint: 'User-defined physical RAM map',
  read(_text, draft) {
    // What mem= made replaces what firmware said.
    draft.banks.length = 0;
    draft.vote('mips', 8);
    draft.records++;
    return 'taken';
  },
};

const mipsBank = onMatch(
  'memory: [0-9a-f]{8,16} @',
  /\bmemory: ([0-9a-f]{8,16}) @ ([0-9a-f]{8,16}) (?:\d{1,3}:)?\(([^)]{1,40})\)/,
  (match, draft, line) => {
    const text = match[3]!;
    // "usable after init" is memory as well: it only holds what the boot needs.
    const kind = text.startsWith('usable') ? 'usable' : 'reserved';
    const provider = match[2]!.length === 8 ? 'MIPS' : 'MIPS64';
    const range = sized(draft, match[2]!, parseHex(match[1]!) ?? 0, line);
    keepBank(draft, range, { provider, text, kind }, line);
  },
  /\bmemory: [0-9a-f]{8,16} @(?: [0-9a-f]{8,16})?$/,
);

const arcBank = onMatch(
  String.raw`Memory @ [0-9a-f]+ \[`,
  /\bMemory @ ([0-9a-f]{1,16}) \[(\d{1,7})M\]( Not used)?/,
  (match, draft, line) => {
    draft.vote('arc', 8);
    const range = sized(draft, match[1]!, Number(match[2]) * 2 ** 20, line);
    const [text, kind] =
      match[3] === undefined ? (['memory', 'usable'] as const) : (['Not used', 'other'] as const);
    keepBank(draft, range, { provider: 'ARC', text, kind }, line);
  },
);

const pariscBank = onMatch(
  String.raw`\d\) Start 0x`,
  /\b\d{1,2}\) Start 0x([0-9a-f]{8,16}) End 0x([0-9a-f]{8,16}) Size +\d+ MB/,
  (match, draft, line) => {
    draft.vote('parisc', 4);
    const range = draft.range(match[1]!, match[2]!, line);
    keepBank(draft, range, { provider: 'PDC', text: 'memory', kind: 'usable' }, line);
  },
);

const lowmem = onMatch(
  'low ram: 0 - |max_low_pfn: 0x',
  /(?:\blow ram: 0 - ([0-9a-f]{1,16})$|setup_memory: max_low_pfn: 0x([0-9a-f]{1,13})\b)/,
  (match, draft, line) => {
    // "mapped low ram" may end lower.
    if (match.input.includes('mapped low ram')) return;
    const end = parseHex(match[1] ?? `${match[2]!}000`);
    draft.records++;
    if (end !== undefined && Number.isSafeInteger(end)) draft.lowmem = { end, line };
  },
);

/** Recognisers of banks and of the end of lowmem. */
export const BANK_RECOGNISERS: readonly Recogniser[] = [
  userBanks,
  mipsBank,
  arcBank,
  pariscBank,
  lowmem,
];
