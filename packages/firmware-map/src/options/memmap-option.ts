/**
 * `memmap=`: the user's own words about the firmware map.
 *
 *   exactmap          forget the firmware's map
 *   nn@ss  usable     nn#ss  ACPI data     nn$ss  reserved     nn!ss  persistent
 *   nn                usable memory ends at nn
 *   nn%ss-old+new     change type `old` to `new`; without new: remove; without old: any type
 */
import { leadingSize, parseNumber } from '../base/numbers.js';
import type { MemmapOption } from '../types/all.js';

const FORMS: Readonly<Record<string, MemmapOption['form']>> = {
  '@': 'usable',
  '#': 'acpi',
  $: 'reserved',
  '!': 'persistent',
};

/**
 * One value of `memmap=`.
 * @returns `undefined` when the kernel would refuse it
 */
export function parseMemmap(text: string): MemmapOption | undefined {
  if (text === 'exactmap') return { text, form: 'exactmap' };
  const size = leadingSize(text);
  if (size === undefined || size.value === 0) return undefined;
  const rest = text.slice(size.length);
  if (rest === '') return { text, form: 'limit', size: size.value };
  const start = leadingSize(rest.slice(1));
  if (start === undefined || !Number.isSafeInteger(size.value + start.value)) return undefined;
  const tail = rest.slice(1 + start.length);
  const form = FORMS[rest[0]!];
  if (form !== undefined) {
    return tail === '' ? { text, form, size: size.value, start: start.value } : undefined;
  }
  if (!rest.startsWith('%')) return undefined;
  const types = /^(?:-(0x[0-9a-f]+|\d+))?(?:\+(0x[0-9a-f]+|\d+))?$/i.exec(tail);
  if (types === null) return undefined;
  const oldType = types[1] === undefined ? undefined : parseNumber(types[1]);
  const newType = types[2] === undefined ? undefined : parseNumber(types[2]);
  if (!isType(oldType) || !isType(newType)) return undefined;
  return {
    text,
    form: 'change',
    size: size.value,
    start: start.value,
    ...(oldType === undefined ? {} : { oldType }),
    ...(newType === undefined ? {} : { newType }),
  };
}

// Types are 32-bit numbers.
function isType(type: number | undefined): boolean {
  return type === undefined || type < 2 ** 32;
}
