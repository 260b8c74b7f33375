/** Numbers of the page: sizes, counts, times, ticks. Pure. */

/** Bytes of a page. */
export const PAGE = 4096;

/** Counts with groups of three. */
export const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${+value.toFixed(value >= 100 || Number.isInteger(value) ? 0 : 2)} ${units[unit]}`;
}
export const hex = (value) => `0x${value.toString(16)}`;
export const milliseconds = (value) => `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ms`;

/** Largest of some values; undefined when there are none. */
export function max(list, value) {
  return list.reduce((most, one) => Math.max(most ?? -Infinity, value(one)), undefined);
}

/** Numbers from `start` below `end`. */
export function range(start, end, step = 1) {
  return Array.from(
    { length: Math.max(0, Math.ceil((end - start) / step)) },
    (_, i) => start + i * step,
  );
}

export function tickValues(start, end) {
  // Binary steps: ticks that fall on powers of two read well as sizes.
  let step = 2 ** Math.ceil(Math.log2((end - start) / 10));
  if (!(step >= 1)) step = 1;
  return range(Math.ceil(start / step) * step, end + 1, step);
}
