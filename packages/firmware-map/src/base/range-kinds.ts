/** Kinds of ranges as firmware numbers them and logs word them. */
import type { RangeKind } from '../types/all.js';

const KINDS: ReadonlyMap<string, RangeKind> = new Map<string, RangeKind>([
  ['usable', 'usable'],
  ['system ram', 'usable'],
  ['reserved', 'reserved'],
  ['device reserved', 'reserved'],
  ['kernel reserved', 'reserved'],
  ['acpi data', 'acpi-data'],
  ['acpi nvs', 'acpi-nvs'],
  ['unusable', 'unusable'],
  ['soft reserved', 'soft-reserved'],
  ['ram buffer', 'reserved'],
  ['unaccepted', 'unaccepted'],
]);
const TYPE_NUMBERS: Readonly<Record<number, RangeKind>> = {
  1: 'usable',
  2: 'reserved',
  3: 'acpi-data',
  4: 'acpi-nvs',
  5: 'unusable',
  7: 'persistent',
  12: 'persistent',
};

/** The kind of an e820 type number. */
export function kindOfType(type: number): RangeKind {
  return TYPE_NUMBERS[type] ?? 'other';
}

/** A kind as worded in a log; `undefined` for words that are no kind. */
export function readKind(text: string): { kind: RangeKind; typeNumber?: number } | undefined {
  const words = text.trim().toLowerCase().replace(/\s+/g, ' ');
  const known = KINDS.get(words);
  if (known !== undefined) return { kind: known };
  const persistent = /^persistent(?: memory)?(?: (?:ram )?\(type (\d{1,10})\))?$/.exec(words);
  if (persistent !== null) {
    const type = persistent[1];
    return type === undefined ? { kind: 'persistent' } : { kind: 'persistent', typeNumber: +type };
  }
  const typed = /^(?:unknown )?\(?type (\d{1,10})\)?$/.exec(words);
  if (typed !== null) return { kind: kindOfType(+typed[1]!), typeNumber: +typed[1]! };
  return undefined;
}
