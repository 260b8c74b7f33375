/** Numbers as the documents write them. */

/** Without decimals, thousands set apart from 10 000 on. */
export function whole(value: number): string {
  if (value < 10_000) return value.toFixed(0);
  return value.toFixed(0).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}

/** A time or a rate: two decimals below 10, one below 100, none above. */
export function plain(value: number): string {
  if (value >= 100) return whole(value);
  return value.toFixed(value < 10 ? 2 : 1);
}

/** Jobs a second in a sentence: `11.4 M/s`, `743 k/s`. */
export function rate(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} M/s` : `${(value / 1e3).toFixed(0)} k/s`;
}

/** Jobs a second in a table: one digit more. */
export function fineRate(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toPrecision(3)} M/s` : `${(value / 1e3).toFixed(1)} k/s`;
}

/** How many times: none, one or two decimals. */
export function times(ratio: number): string {
  if (ratio >= 10) return `${ratio.toFixed(0)}x`;
  return `${ratio.toFixed(ratio >= 2 ? 1 : 2)}x`;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
