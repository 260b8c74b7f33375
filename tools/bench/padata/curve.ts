/** Values of each kind by size, and a schedule that gives each of them its share of a given time. */
import { EIGHT_FIELDS, THREE_NUMBERS } from './plain-values.js';

/** Bytes of one row of plain data, about. */
const ROW = 32;

/** Makes a value of about so many bytes. */
export const KINDS: Readonly<Record<string, (bytes: number) => unknown>> = {
  'text, one byte a unit': (bytes) => 'y'.repeat(bytes),
  'text, two bytes a unit': (bytes) => '\u4e2d'.repeat(bytes >> 1),
  Uint8Array: (bytes) => new Uint8Array(bytes),
  Float64Array: (bytes) => new Float64Array(bytes >> 3),
  'plain data': (bytes) =>
    Array.from({ length: Math.ceil(bytes / ROW) }, (_, id) => ({ id, name: `row ${id}`, at: 0.5 })),
  Map: (bytes) => new Map(Array.from({ length: bytes >> 4 }, (_, i) => [i, i])),
  bigint: (bytes) => (bytes === 0 ? 0n : (1n << BigInt(8 * bytes)) - 1n),
};
/** Values that have one size. */
const SMALL: Readonly<Record<string, unknown>> = {
  'object of three numbers': THREE_NUMBERS,
  'object of eight fields': EIGHT_FIELDS,
  Date: new Date(0),
};

/** One point of the curve. */
export interface Point {
  readonly name: string;
  /** What the row is part of. */
  readonly kind: string;
  readonly bytes: number;
  make(): unknown;
}

/** Small sizes first, so that what a large one costs comes when the small ones are done. */
export function points(sizes: readonly number[]): Point[] {
  const single = Object.entries(SMALL).map(([kind, value]) => ({
    name: kind,
    kind,
    bytes: 64,
    make: () => value,
  }));
  const curves = sizes.flatMap((bytes) =>
    Object.entries(KINDS).map(([kind, make]) => ({
      name: `${kind}, ${bytes} bytes`,
      kind,
      bytes,
      make: () => make(bytes),
    })),
  );
  return [...single, ...curves];
}

/** 0 and the powers of 2 ** `step` up to `most`. */
export function sizesUpTo(most: number, step: number): number[] {
  const sizes = [0];
  for (let size = 1; size <= most; size *= 2 ** step) sizes.push(size);
  return sizes;
}

/**
 * How long a point may take: what is left, by the points that are left. A point that took longer shortens those behind it,
 * one that took less lengthens them; the whole ends in its time, as far as each point's least work allows.
 */
export function share(leftMs: number, pointsLeft: number): number {
  return Math.max(0, leftMs) / Math.max(1, pointsLeft);
}

const BARS = '▁▂▃▄▅▆▇█';

/** A line of bars, on a scale of powers of two from `low` to `high`; what is not a number is a blank. */
export function bars(values: readonly number[], low: number, high: number): string {
  const steps = Math.log2(high / low);
  return values
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      const place = Math.log2(value / low) / steps;
      const at = Math.floor(place * BARS.length);
      return BARS[Math.min(BARS.length - 1, Math.max(0, at))]!;
    })
    .join('');
}
