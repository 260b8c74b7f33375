/** The one way to print a table. */

/** Prints rows below a title and a head; the first column is aligned left, the others right. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const table = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...table.map((cells) => (cells[column] ?? '').length)),
  );
  console.log(`\n${title}`);
  for (const cells of table) {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    console.log(`  ${padded.join('  ')}`.trimEnd());
  }
}

/** A number in few characters: three or four significant digits, k and M for large ones. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  if (Number.isInteger(value) || size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}
