/** Figures of `what-if` as cells of a table. */
import type { WhatIfRow } from '../../what-if-result.js';
import { formatBytes, formatMs } from '../numbers.js';

/** Bytes of a page, for differences in pages: only to say them as a size. */
const PAGE = 4096;

/** A figure as text. */
export function cell(row: WhatIfRow, value: number | string | undefined): string {
  if (value === undefined) return '–';
  if (typeof value === 'string') return value.replaceAll(/0x0+(?=[\da-f])/g, '0x');
  if (row.unit === 'ms') return formatMs(value);
  return row.unit === 'bytes' ? formatBytes(value) : String(value);
}

/** How much more or less it is; empty where there is nothing to say. */
export function difference({ before, after, unit, certainty }: WhatIfRow): string {
  if (certainty === 'unknown') return '';
  if (typeof before !== 'number' || typeof after !== 'number') return '';
  const by = after - before;
  if (by === 0) return '';
  const sign = by < 0 ? '−' : '+';
  const size = Math.abs(by);
  if (unit === 'ms') return `${sign}${formatMs(size)}`;
  if (unit === 'bytes') return `${sign}${formatBytes(size)}`;
  return unit === 'pages' ? `${sign}${formatBytes(size * PAGE)}` : `${sign}${size}`;
}

/** Where it may lie instead. */
export function placesLine({ label, places = [] }: WhatIfRow): string[] {
  if (places.length === 0) return [];
  const text = places.map(
    ({ start, end }) => `0x${start.toString(16)}-0x${(end - 1).toString(16)}`,
  );
  return [
    `  ${label}: anywhere in ${text.join(', ')}, as the kernel’s own place is random (nokaslr fixes it)`,
  ];
}
