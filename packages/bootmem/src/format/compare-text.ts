/** Two boots side by side, for people: plain text for a terminal, Markdown for a bug report. */
import type { ComparedRow, ExplainComparison } from '../explain-result.js';
import { inLine } from './safe/escape.js';
import { inMarkdown } from './safe/in-markdown.js';
import { formatBytes } from './numbers.js';
import type { Paper } from './paper.js';
import { formatTable } from './table.js';

/** Titles of levels. */
const TITLES = {
  firmware: 'Kept by the firmware',
  trimmed: 'Not taken by the kernel',
  reserved: 'Reserved by the kernel',
  total: 'MemTotal',
  'in-use': 'In use',
} as const;

/**
 * The comparison as text.
 * @param comparison  two boots
 * @param paper       headings are bold when it has colours; width
 * @returns text with a final newline
 */
export function compareText(comparison: ExplainComparison, { colors, width }: Paper): string {
  const [first, second] = comparison.sources;
  const lines = [colors.bold(inLine(`${first} → ${second}`))];
  for (const [level, rows] of levels(comparison)) {
    const table = formatTable(
      [
        { title: '' },
        { title: 'first', align: 'right', drop: 1 },
        { title: 'second', align: 'right' },
        { title: 'difference', align: 'right' },
      ],
      rows.map(({ id, label, before, after }) => [
        `${id === 'whole' ? '' : id === 'left' ? '= ' : '  '}${label}`,
        formatBytes(before),
        formatBytes(after),
        difference(after - before),
      ]),
      width,
    );
    lines.push('', colors.bold(TITLES[level]), ...table);
  }
  return `${lines.join('\n')}\n`;
}

/** The comparison as Markdown. */
export function compareMarkdown(comparison: ExplainComparison): string {
  const [first, second] = comparison.sources.map(inMarkdown);
  const kernels = comparison.kernels.map(inMarkdown).join(' → ');
  const lines = [`### Memory of ${first}, and of ${second}`, '', `Kernel ${kernels}.`, ''];
  for (const [level, rows] of levels(comparison)) {
    lines.push(
      `**${TITLES[level]}**`,
      '',
      '| | first | second | difference |',
      '|---|---:|---:|---:|',
    );
    for (const { id, label, before, after } of rows) {
      const name = `${id === 'whole' ? '' : id === 'left' ? '= ' : '– '}${inMarkdown(label)}`;
      const sizes = `${formatBytes(before)} | ${formatBytes(after)} | ${difference(after - before)}`;
      lines.push(`| ${name} | ${sizes} |`);
    }
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

type Level = ComparedRow['level'];

/** Rows of each level, in the order in which levels come. */
function levels({ rows }: ExplainComparison): [Level, readonly ComparedRow[]][] {
  return [...new Set(rows.map((row) => row.level))].map((level) => [
    level,
    rows.filter((row) => row.level === level),
  ]);
}

function difference(bytes: number): string {
  if (bytes === 0) return '';
  return `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`;
}
