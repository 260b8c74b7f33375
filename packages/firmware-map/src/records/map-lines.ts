/**
 * Firmware maps: e820 in all its spellings, what the kernel changed in it, and the EFI memory map.
 *
 *   BIOS-e820: [mem 0x…-0x…] usable                 since 3.5, last byte printed
 *    BIOS-e820: 0000000000000000 - 000000000009c400 (usable)     before, end printed
 *   BIOS-e820: [mem 0x…-0x…]  System RAM            7.x wording; gaps have lines of their own
 *   Xen: / user: / modified: / reserve setup_data:  the same after another word
 */
import { readKind } from '../base/range-kinds.js';
import type { ByteRange, EfiEntry, MapEntry, RangeKind } from '../types/all.js';
import type { Draft } from './draft.js';
import { MEM, onMatch, type Recogniser } from './recogniser.js';

const PROVIDER = String.raw`(BIOS-\w{2,5}|\bXen|\buser|\bmodified|reserve setup_data|\bextended)`;
const ENTRY = new RegExp(
  String.raw`${PROVIDER}: *\[(mem|gap) 0x([0-9a-f]+)-0x([0-9a-f]+)\](.*)$`,
  'i',
);
const OLD_ENTRY = new RegExp(
  String.raw`${PROVIDER}: +([0-9a-f]{8,16}) - ([0-9a-f]{8,16}) (.*)$`,
  'i',
);
const BEGUN_ENTRY = new RegExp(
  String.raw`(?:BIOS-\w{2,5}:|${PROVIDER}: +\[(?:mem|gap)?) *(?:0x[0-9a-fx-]*|\[(?:mem|gap)? *(?:0x[0-9a-fx-]*)?)?$|${PROVIDER}: +[0-9a-f]{8,16}(?: -(?: [0-9a-f]*)?)?$`,
  'i',
);

/** Which map an entry belongs to, by who printed it. */
export function listOf(provider: string, draft: Draft): MapEntry[] {
  if (provider === 'user') return draft.user;
  if (provider === 'modified') return draft.modified;
  if (provider === 'reserve setup_data' || provider === 'extended') return draft.setupData;
  return draft.map;
}

const mapEntries: Recogniser = {
  hint: String.raw`BIOS-|Xen: |user: |modified: |setup_data: |extended: `,
  read(text, draft, line) {
    const match = ENTRY.exec(text);
    const old = match === null ? OLD_ENTRY.exec(text) : null;
    if (match === null && old === null) return BEGUN_ENTRY.test(text) ? 'partial' : undefined;
    const provider = (match ?? old)![1]!;
    const words = match === null ? old![3 + 1]! : match[5]!;
    const isGap = match?.[2] === 'gap';
    const bare = match === null ? words.replace(/^\(|\)$/g, '') : words;
    const kind = isGap && bare.trim() === '' ? { kind: 'gap' as const } : readKind(bare);
    if (kind === undefined && isUnfinishedKind(bare)) return 'partial';
    const range =
      match === null
        ? draft.range(old![2]!, old![3]!, line, true)
        : draft.range(match[3]!, match[4]!, line);
    if (kind === undefined) {
      const message = `"${bare.trim().slice(0, 40)}" is no kind of memory that is known; kept as "other"`;
      draft.problems.warn('UNKNOWN_KIND', line, message);
    }
    if (range !== undefined) {
      const entry = { ...range, ...(kind ?? { kind: 'other' as const }), text: bare.trim() };
      const late = draft.mapHandedOver ? { late: true } : {};
      draft.keep(listOf(provider, draft), { ...entry, ...late, provider, line }, line);
    }
    return 'taken';
  },
};

// The beginning of a kind of two words, or nothing at all: the line was wrapped.
function isUnfinishedKind(text: string): boolean {
  return /^(?:acpi|device|system|soft|kernel|persistent \(type|type|persistent \(|\(|)$/i.test(
    text.trim(),
  );
}

const EDIT_NEW = new RegExp(String.raw`e820: (update|remove) ${MEM} *(.*)$`, 'i');
const EDIT_OLD = /e820 (update|remove) range: ([0-9a-f]{8,16}) - ([0-9a-f]{8,16}) *(.*)$/i;

function withoutBrackets(words: string): string {
  return words.replace(/[()]/g, '').trim();
}

/** Old kernels put a kind in brackets; one with a number has some of its own. */
function kindOfEdit(words: string): RangeKind | undefined {
  const inner = words.replace(/^\((.*)\)$/, '$1');
  return (readKind(inner) ?? readKind(withoutBrackets(inner)))?.kind;
}

const mapEdits: Recogniser = {
  hint: 'e820:? (?:update|remove)',
  read(text, draft, line) {
    const match = EDIT_NEW.exec(text) ?? EDIT_OLD.exec(text);
    if (match === null)
      return /e820: (?:update|remove) \[mem[^\]]*$/.test(text) ? 'partial' : undefined;
    const old = text.includes(' range: ');
    const range = draft.range(match[2]!, match[3]!, line, old);
    const [from = '', to = ''] = match[4]!.split('==>').map((part) => part.trim());
    const action = match[1] as 'update' | 'remove';
    if (action === 'update' && withoutBrackets(to) === '') return 'partial';
    if (range === undefined) return 'taken';
    const fromKind = kindOfEdit(from);
    const toKind = kindOfEdit(to);
    draft.keep(
      draft.edits,
      {
        ...range,
        action,
        ...(fromKind === undefined ? {} : { from: fromKind }),
        ...(toKind === undefined ? {} : { to: toKind }),
        by: 'e820',
        ...(draft.mapHandedOver ? { late: true } : {}),
        line,
      },
      line,
    );
    return 'taken';
  },
};

const efiRemovals = onMatch(
  'efi: Remove mem',
  /efi: Remove mem\d+: MMIO range=\[0x([0-9a-f]+)-0x([0-9a-f]+)\]/i,
  (match, draft, line) => {
    const range = draft.range(match[1]!, match[2]!, line);
    if (range === undefined) return;
    draft.keep(
      draft.edits,
      { ...range, action: 'remove', from: 'reserved', by: 'efi', line },
      line,
    );
  },
  /efi: Remove mem\d+:(?: MMIO(?: range=\[?[0-9a-fx-]*)?)?$/i,
);

const EFI_NAMES = [
  'Reserved',
  'Loader Code',
  'Loader Data',
  'Boot Code',
  'Boot Data',
  'Runtime Code',
  'Runtime Data',
  'Conventional Memory',
  'Unusable Memory',
  'ACPI Reclaim Memory',
  'ACPI Memory NVS',
  'Memory Mapped I/O',
  'MMIO Port Space',
  'PAL Code',
  'Persistent Memory',
  'Unaccepted',
] as const;
const EFI_SHORT: ReadonlyMap<string, number> = new Map<string, number>([
  ['reserved', 0],
  ['conventional', 7],
  ['conventional memory', 7],
  ['unusable', 8],
  ['acpi reclaim', 9],
  ['acpi mem nvs', 10],
  ['acpi memory nvs', 10],
  ['mmio', 11],
  ['mem mapped i/o', 11],
  ['mmio port', 12],
  ['persistent', 14],
  ['unaccepted memory', 15],
]);
// Attribute bit numbers of the UEFI memory descriptor, by the letters that the kernel prints.
const EFI_ATTRIBUTES: readonly (readonly [number, string])[] = [
  [63, 'RUN'],
  [20, 'CC'],
  [19, 'CPU'],
  [18, 'SP'],
  [16, 'MR'],
  [15, 'NV'],
  [14, 'XP'],
  [13, 'RP'],
  [12, 'WP'],
  [17, 'RO'],
  [4, 'UCE'],
  [3, 'WB'],
  [2, 'WT'],
  [1, 'WC'],
  [0, 'UC'],
];

function efiType(name: string): number | undefined {
  const words = name.trim().toLowerCase();
  const index = EFI_NAMES.findIndex((known) => known.toLowerCase() === words);
  return index >= 0 ? index : EFI_SHORT.get(words);
}

function attributeNames(hex: string): string[] {
  const bits = BigInt(`0x${hex}`);
  return EFI_ATTRIBUTES.filter(([bit]) => ((bits >> BigInt(bit)) & 1n) === 1n).map(
    ([, name]) => name,
  );
}

/** What a descriptor is, without where it lies. */
export type EfiKind = Omit<EfiEntry, 'line' | 'start' | 'end'>;

/** The kind in "Boot Code|   |  |WB|WT|WC|UC". */
export function efiKind(printedName: string, attributes: string): EfiKind {
  const name = printedName.trim();
  const type = efiType(name);
  const parts = attributes.split('|').map((part) => part.trim());
  const entry = { name, attributes: parts.filter((part) => part !== '') };
  return type === undefined ? entry : { type, ...entry };
}

/** The type of memory that is not accepted. */
export const UNACCEPTED = 15;

function keepEfi(entry: EfiKind, range: ByteRange | undefined, draft: Draft, line: number): void {
  if (range === undefined) return;
  draft.keep(draft.efi, { ...range, ...entry, line }, line);
  if (entry.type === UNACCEPTED) draft.keep(draft.unaccepted, { ...range, line }, line);
}

const efiNumbered = onMatch(
  'mem\\d+: type=',
  /mem\d+: type=(\d{1,10}), attr=0x([0-9a-f]{1,16}), range=\[0x([0-9a-f]+)-0x([0-9a-f]+)([)\]])/i,
  (match, draft, line) => {
    const type = Number(match[1]);
    const name = EFI_NAMES[type];
    const entry = name === undefined ? { name: `type ${type}` } : { type, name };
    // Unused descriptors are printed as 0-0.
    if (/^0+$/.test(match[4]!)) return;
    const range = draft.range(match[3]!, match[4]!, line, match[5] === ')');
    keepEfi({ ...entry, attributes: attributeNames(match[2]!) }, range, draft, line);
  },
);

const efiNamed = onMatch(
  String.raw`efi: +(?:mem\d+: *\[|0x)`,
  /efi: +(?:mem\d+: *\[([^|\]]+)\|([^\]]*)\] *range=\[0x([0-9a-f]+)-0x([0-9a-f]+)([)\]])|0x([0-9a-f]+)-0x([0-9a-f]+) \[([^|\]]+)\|([^\]]*)\])/i,
  (match, draft, line) => {
    // Only the architectures that share their EFI code print it this way.
    if (match[1] === undefined) draft.vote('arm64');
    const kind = efiKind(match[1] ?? match[8]!, match[2] ?? match[9]!);
    const range =
      match[3] === undefined
        ? draft.range(match[6]!, match[7]!, line)
        : draft.range(match[3], match[4]!, line, match[5] === ')');
    keepEfi(kind, range, draft, line);
  },
);

// What the kernel prints soon after memblock has taken over the map.
const handedOver: Recogniser = {
  hint: 'esrt: Reserving|GB pages for direct|RAMDISK: |NODE_DATA|BRK \\[0x|MEMBLOCK config|ACPI: RSDP',
  read(_text, draft) {
    draft.mapHandedOver = true;
    return undefined;
  },
};

/** Recognisers of firmware map lines. */
export const MAP_RECOGNISERS: readonly Recogniser[] = [
  handedOver,
  mapEntries,
  mapEdits,
  efiRemovals,
  efiNumbered,
  efiNamed,
];
