/**
 * The table of `explain` for people: plain text for a terminal, Markdown for a bug report.
 */
import type { Evidence, ExplainLevel, ExplainReport, ExplainRow } from '../explain-result.js';
import { formatBytes, formatPercent } from './numbers.js';
import { findingLines } from './findings-text.js';
import { fitted, noteLines } from './paper.js';
import type { Paper } from './paper.js';
import { inLine } from './safe/escape.js';
import { inMarkdown } from './safe/in-markdown.js';
import { formatTable } from './table.js';
import type { Column } from './table.js';

/** How much is told. */
export interface ExplainTextOptions {
  /** Print the evidence below each row. */
  readonly evidence: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'size', align: 'right' },
  { title: 'share', align: 'right' },
  { title: 'line', align: 'right', drop: 1 },
  { title: 'who can change it' },
];

/** A row as cells. */
function cells(row: ExplainRow): string[] {
  const line = row.evidence.find((one) => one.line !== undefined);
  return [
    `  ${row.label}`,
    formatBytes(row.bytes),
    formatPercent(row.share),
    line?.line === undefined ? (row.how === 'computed' ? 'rule' : '') : String(line.line),
    row.changer === 'nobody'
      ? ''
      : row.change === undefined
        ? row.changer
        : `${row.changer}: ${row.change}`,
  ];
}

function levelRows(level: ExplainLevel): string[][] {
  const rows = level.rows.map(cells);
  const share = (bytes: number): string =>
    formatPercent(level.whole.bytes === 0 ? 0 : bytes / level.whole.bytes);
  if (level.rest.bytes > 0) {
    rows.push([
      level.left === undefined && level.id === 'reserved'
        ? '  free, or in use without a name (no "Memory:" line)'
        : '  not named',
      formatBytes(level.rest.bytes),
      formatPercent(level.rest.share),
      '',
      '',
    ]);
  }
  if (level.left !== undefined) {
    const { label, bytes } = level.left;
    rows.push([`= ${label}`, formatBytes(bytes), share(bytes), '', '']);
  }
  return rows;
}

/**
 * The whole table.
 * @param report   what was explained
 * @param paper    headings are bold when it has colours; width
 * @param options  how much is told
 * @returns text with a final newline
 */
export function explainText(
  report: ExplainReport,
  paper: Paper,
  options: ExplainTextOptions = { evidence: false },
): string {
  const { bold, yellow } = paper.colors;
  const lines = [bold(inLine(`${report.source} (${report.kernel}, ${report.architecture})`))];
  for (const level of report.levels) {
    const whole = [level.whole.label, formatBytes(level.whole.bytes), '', '', ''];
    const table = formatTable(COLUMNS, [whole, ...levelRows(level)], paper.width);
    lines.push('', bold(level.title), ...table);
    if (options.evidence) lines.push(...evidenceLines(level).map((line) => fitted(line, paper)));
  }
  if (report.findings.length > 0) {
    lines.push('', bold('Findings'), ...findingLines(report.findings, paper));
  }
  lines.push('', ...report.notes.flatMap((note) => noteLines(note, paper).map(yellow)));
  return `${lines.join('\n').trimEnd()}\n`;
}

function evidenceLines(level: ExplainLevel): string[] {
  const of = (label: string, evidence: readonly Evidence[]): string[] =>
    evidence.map((one) => `    ${label}: ${quote(one)}`);
  return [
    ...of(level.whole.label, level.whole.evidence),
    ...level.rows.flatMap((row) => [
      ...of(row.label, row.evidence),
      ...(row.cut === undefined
        ? []
        : [`    ${row.label}: the rule gives ${formatBytes(row.cut)} more than there is`]),
    ]),
    ...(level.left === undefined ? [] : of(level.left.label, level.left.evidence)),
  ];
}

function quote({ line, file, text }: Evidence): string {
  const where = [file, line === undefined ? undefined : String(line)].filter(
    (part) => part !== undefined,
  );
  return where.length === 0 ? `[${text}]` : `${where.join(':')}: ${text}`;
}

/**
 * The same as Markdown, with the evidence.
 * @param report  what was explained
 * @returns text with a final newline
 */
export function explainMarkdown(report: ExplainReport): string {
  const lines = [`### Memory of ${inMarkdown(report.source)}`, ''];
  lines.push(`Kernel ${inMarkdown(report.kernel)}, ${inMarkdown(report.architecture)}.`, '');
  for (const level of report.levels) {
    lines.push(
      `**${inMarkdown(level.title)}**`,
      '',
      '| | size | share | evidence |',
      '|---|---:|---:|---|',
    );
    const row = (label: string, bytes: number, evidence: readonly Evidence[]): void => {
      const share = formatPercent(level.whole.bytes === 0 ? 0 : bytes / level.whole.bytes);
      const first = evidence[0];
      const text =
        first === undefined
          ? ''
          : `\`${inLine(quote(first)).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
      lines.push(`| ${inMarkdown(label)} | ${formatBytes(bytes)} | ${share} | ${text} |`);
    };
    row(level.whole.label, level.whole.bytes, level.whole.evidence);
    for (const one of level.rows) row(`– ${one.label}`, one.bytes, one.evidence);
    if (level.rest.bytes > 0) row('– not named', level.rest.bytes, []);
    if (level.left !== undefined)
      row(`= ${level.left.label}`, level.left.bytes, level.left.evidence);
    lines.push('');
  }
  for (const { severity, line, message, remedy } of report.findings) {
    const where = line === undefined ? '' : ` (line ${line})`;
    lines.push(`- **${severity}**${where}: ${inMarkdown(message)}; ${inMarkdown(remedy)}`);
  }
  for (const note of report.notes) lines.push(`- ${inMarkdown(note)}`);
  return `${lines.join('\n').trimEnd()}\n`;
}
