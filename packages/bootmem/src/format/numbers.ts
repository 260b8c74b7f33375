/**
 * Numbers as the command prints them: sizes with binary units, counts with thin grouping, times in
 * milliseconds, addresses and ranges in the kernel's way (`[mem 0x…-0x…]`, last byte inclusive).
 *
 * Pure functions; nothing here depends on the locale of the machine, so that output is comparable.
 */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes in a page; this package speaks of 4 KiB pages only. */
export const PAGE_SIZE = 4096;

/**
 * A size with a binary unit, three significant digits at most: `3.33 GiB`.
 * @param bytes  0 or more, bytes
 */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  // What rounds to more digits is a whole number of three: 99.96 is 100, not 100.0.
  const digits = Number.isInteger(value) || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'B'}`;
}

/**
 * A count with groups of three, separated by a space: `1 115 391`.
 * @param count  any safe integer
 * @param plain  digits alone, for programs
 */
export function formatCount(count: number, plain = false): string {
  const digits = String(Math.round(count));
  return plain ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ' ');
}

/**
 * Milliseconds with digits that fit the magnitude: `0.42 ms`, `12.3 ms`, `1530 ms`.
 * @param ms  0 or more, milliseconds
 */
export function formatMs(ms: number): string {
  const digits = ms >= 100 ? 0 : ms >= 10 ? 1 : 2;
  return `${ms.toFixed(digits)} ms`;
}

/**
 * A rate with an SI prefix: `48.2 M pages/s`.
 * @param perSecond  0 or more, units a second
 * @param noun       what is counted
 */
export function formatRate(perSecond: number, noun: string): string {
  if (perSecond >= 1e9) return `${(perSecond / 1e9).toFixed(2)} G ${noun}/s`;
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M ${noun}/s`;
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(1)} k ${noun}/s`;
  return `${perSecond.toFixed(0)} ${noun}/s`;
}

/**
 * An address with sixteen hexadecimal digits, as in the kernel's `%#018Lx`.
 * @param address  0 … PHYS_ADDR_MAX, bytes
 */
export function formatAddress(address: number): string {
  return `0x${address.toString(16).padStart(16, '0')}`;
}

/**
 * A half-open byte range in the kernel's inclusive form, `[mem 0x…-0x…]`.
 * @param start  first byte
 * @param end    byte after the last; above `start`
 */
export function formatMemRange(start: number, end: number): string {
  return `[mem ${formatAddress(start)}-${formatAddress(end - 1)}]`;
}

/**
 * A percentage with one digit: `49.8 %`.
 * @param share  0 … 1
 */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
