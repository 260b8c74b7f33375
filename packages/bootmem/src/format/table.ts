/**
 * Plain text tables: columns padded to their widest cell, numbers to the right, two spaces between. Where the page is
 * narrower, columns that say least are left out, then the cells of the last column go on below.
 *
 * Cells are coloured before they are padded, so widths are measured without colours.
 */
import { atOnce } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { inLine, withoutColours } from './safe/escape.js';

/** How a column is laid out. */
export interface Column {
  /** Heading; may be empty. */
  readonly title: string;
  /** Numbers stand to the right; default left. */
  readonly align?: 'left' | 'right';
  /** Where room is short this column is left out; the smallest number goes first. */
  readonly drop?: number;
}

const GAP = 2;
/** Least columns of the last cell when it goes on below. */
const LEAST_LAST = 16;

/**
 * Printable width of a cell: code points without colour sequences.
 * @param text  one line
 */
export function visibleWidth(text: string): number {
  return Array.from(withoutColours(text)).length;
}

/**
 * Lays out rows under headings.
 * @param columns  one entry a column
 * @param rows     cells as text; shorter rows are filled with empty cells; line ends in cells are shown, not made
 * @param width    most columns of a line; default: as many as it takes
 * @returns lines without a final newline, no trailing spaces; heading first, unless all titles are empty
 * @remarks cost O(cells)
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  return atOnce(tableSteps(columns, rows, width));
}

/** Rows that are laid out between two yields. */
const STEP_ROWS = 1024;

/** The same, to be interrupted. */
export function* tableSteps(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): Steps<string[]> {
  const titles = columns.map(({ title }) => title);
  const widths = titles.map(visibleWidth);
  const cells: string[][] = [];
  for (const row of rows) {
    if (cells.length % STEP_ROWS === 0) yield;
    const own = columns.map((_, index) => inLine(row[index] ?? ''));
    for (const [index, cell] of own.entries()) {
      widths[index] = Math.max(widths[index]!, visibleWidth(cell));
    }
    cells.push(own);
  }
  let kept = columns.map((_, index) => index);
  const total = (): number =>
    kept.reduce((sum, index) => sum + widths[index]!, GAP * (kept.length - 1));
  const droppable = kept
    .filter((index) => columns[index]!.drop !== undefined)
    .sort((a, b) => columns[a]!.drop! - columns[b]!.drop!);
  for (const index of droppable) {
    if (total() <= width) break;
    kept = kept.filter((one) => one !== index);
  }
  const last = kept.at(-1) ?? 0;
  const room = width - (total() - widths[last]!);
  const isBroken = room < widths[last]! && room >= LEAST_LAST && columns[last]!.align !== 'right';
  const line = (row: readonly string[]): string =>
    kept
      .map((index) => {
        const cell = row[index]!;
        const gap = ' '.repeat(Math.max(0, widths[index]! - visibleWidth(cell)));
        return columns[index]!.align === 'right' ? gap + cell : cell + gap;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const lines = (row: readonly string[]): string[] => {
    const cell = row[last]!;
    if (!isBroken || visibleWidth(cell) <= room) return [line(row)];
    const [first, ...more] = wrap(withoutColours(cell), room);
    const indent = ' '.repeat(width - room);
    return [line(row.with(last, first!)), ...more.map((part) => indent + part)];
  };
  const body: string[] = [];
  for (const [index, row] of cells.entries()) {
    if (index % STEP_ROWS === 0) yield;
    body.push(...lines(row));
  }
  return titles.every((title) => title === '') ? body : [line(titles), ...body];
}

/** Shortest line that is still broken into words. */
const LEAST_WIDTH = 12;

/**
 * Breaks a line at spaces.
 * @param line    one line; it loses its colours when it is broken
 * @param width   most columns
 * @param indent  what goes before all lines but the first
 * @returns lines; a word that is longer than a line is cut
 */
export function wrap(line: string, width: number, indent = ''): string[] {
  if (visibleWidth(line) <= width || width < LEAST_WIDTH) return [line];
  const lines: string[] = [];
  let rest = withoutColours(line);
  let before = '';
  while (visibleWidth(rest) > width - before.length) {
    const room = width - before.length;
    const points = Array.from(rest);
    const head = points.slice(0, room + 1).join('');
    const lead = head.length - head.trimStart().length;
    const space = head.lastIndexOf(' ');
    const cut = space > lead ? space : points.slice(0, room).join('').length;
    lines.push(before + rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
    before = width - indent.length < LEAST_WIDTH ? '' : indent;
  }
  return [...lines, before + rest];
}
