/** Two boots side by side, for people. */
import type { ExplainComparison } from '../explain-result.js';
import { inLine } from './safe/escape.js';
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
  for (const level of new Set(comparison.rows.map((row) => row.level))) {
    const rows = comparison.rows.filter((row) => row.level === level);
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

function difference(bytes: number): string {
  if (bytes === 0) return '';
  return `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`;
}
