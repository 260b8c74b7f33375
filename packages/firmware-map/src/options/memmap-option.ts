/**
 * `memmap=`: the user's own words about the firmware map.
 *
 *   exactmap          forget the firmware's map
 *   nn@ss  usable     nn#ss  ACPI data     nn$ss  reserved     nn!ss  persistent
 *   nn                usable memory ends at nn
 *   nn%ss-old+new     change type `old` to `new`; without new: remove; without old: add as `new`
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
 * One value of `memmap=`, as the kernel reads it: number by number, and what it has read by then counts whatever follows.
 * A size before anything but one of the four signs is a limit (`64G$4G` behind a shell that ate `$4` is `64GG`); a start
 * that is no number is 0.
 * @returns `undefined` when it has no effect
 * @kernel parse_memmap_one
 */
export function parseMemmap(text: string): MemmapOption | undefined {
  if (text.startsWith('exactmap')) return { text, form: 'exactmap' };
  const size = leadingSize(text);
  if (size === undefined) return undefined;
  const rest = text.slice(size.length);
  const form = FORMS[rest[0] ?? ''];
  if (form === undefined && !rest.startsWith('%')) return { text, form: 'limit', size: size.value };
  const start = leadingSize(rest.slice(1)) ?? { value: 0, length: 0 };
  if (size.value === 0 || !Number.isSafeInteger(size.value + start.value)) return undefined;
  if (form !== undefined) return { text, form, size: size.value, start: start.value };
  const tail = rest.slice(1 + start.length);
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
