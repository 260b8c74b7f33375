/**
 * Plain text tables: columns padded to their widest cell, numbers to the right, two spaces between.
 *
 * Colour is applied to cells by the caller after padding would be wrong, so widths are measured without
 * escape sequences.
 */

/** How a column is laid out. */
export interface Column {
  /** Heading; may be empty. */
  readonly title: string;
  /** Numbers stand to the right; default left. */
  readonly align?: 'left' | 'right';
}

// eslint-disable-next-line no-control-regex -- SGR sequences begin with ESC
const SGR = /\u001b\[[0-9;]*m/g;

/**
 * Printable width of a cell: code points without colour sequences.
 * @param text  one line
 */
export function visibleWidth(text: string): number {
  return Array.from(text.replace(SGR, '')).length;
}

/**
 * Lays out rows under headings.
 * @param columns  one entry a column
 * @param rows     cells as text; shorter rows are filled with empty cells
 * @returns lines without a final newline, no trailing spaces; heading first, unless all titles are empty
 * @remarks cost O(cells)
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map((column, index) =>
    rows.reduce(
      (width, row) => Math.max(width, visibleWidth(row[index] ?? '')),
      visibleWidth(column.title),
    ),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const gap = ' '.repeat(Math.max(0, (widths[index] ?? 0) - visibleWidth(cell)));
        return column.align === 'right' ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  const titles = columns.map((column) => column.title);
  const body = rows.map(line);
  return titles.every((title) => title === '') ? body : [line(titles), ...body];
}
