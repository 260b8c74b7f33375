/**
 * A comparison for people: one table a log, or one line a log when there are many.
 */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { Colors } from './colors.js';
import type { CheckReport, FactReport } from '../result.js';
import { formatPercent } from './numbers.js';
import { findingLines } from './findings-text.js';
import { inLine } from './safe/escape.js';
import { noteLines } from './paper.js';
import type { Paper } from './paper.js';
import { formatTable, tableSteps, visibleWidth } from './table.js';

const MARK = { equal: 'equal', differs: 'DIFFERS', 'not derivable': 'not derivable' } as const;

function paint(fact: FactReport, colors: Colors): string {
  const mark = MARK[fact.verdict];
  if (fact.verdict === 'equal') return colors.green(mark);
  return fact.verdict === 'differs' ? colors.red(mark) : colors.yellow(mark);
}

/** A fact a line: fact, what it speaks of, the kernel's value, ours, verdict. */
function factTable(facts: readonly FactReport[], colors: Colors): Steps<string[]> {
  return tableSteps(
    [
      { title: 'fact' },
      { title: 'of' },
      { title: 'kernel' },
      { title: 'ours' },
      { title: 'verdict' },
    ],
    facts.map((fact) => [
      fact.fact,
      fact.subject,
      fact.kernel,
      fact.ours,
      paint(fact, colors) + (fact.reason === undefined ? '' : ` (${fact.reason})`),
    ]),
  );
}

/** The same for a narrow page: a value that is equal stands once, ours and the reason below. */
function narrowFactTable(
  facts: readonly FactReport[],
  { colors, width }: Pick<Paper, 'colors' | 'width'>,
): Steps<string[]> {
  return tableSteps(
    [{ title: 'verdict' }, { title: 'fact' }, { title: 'value' }],
    facts.flatMap((fact) => [
      [
        paint(fact, colors).replace('not derivable', 'open'),
        `${fact.fact} ${fact.subject}`,
        fact.kernel,
      ],
      ...(fact.verdict === 'differs' ? [['', '  ours', fact.ours]] : []),
      ...(fact.reason === undefined ? [] : [['', '  reason', fact.reason]]),
    ]),
    width,
  );
}

/**
 * The table of one log: fact, what it speaks of, the kernel's value, ours, verdict.
 * @param report  a finished comparison
 * @param paper   colours of the verdicts, width
 * @returns text with a final newline
 */
export function* checkText(report: CheckReport, paper: Paper): Steps<string> {
  const { colors, width } = paper;
  const head = colors.bold(inLine(`${report.source} (${report.kernel})`));
  if (report.rejected !== undefined) return `${head}\nrejected: ${inLine(report.rejected)}\n`;
  const wide = yield* factTable(report.facts, colors);
  yield;
  const isWide = width === Infinity || wide.every((line) => visibleWidth(line) <= width);
  const table = isWide ? wide : yield* narrowFactTable(report.facts, paper);
  yield;
  const notes = report.notes.flatMap((note) => noteLines(note, paper));
  const findings = findingLines(report.findings, paper);
  return [head, ...table, ...findings, ...notes, totals(report), ''].join('\n');
}

/**
 * One line of counts.
 * @param report  a finished comparison
 */
export function totals(report: CheckReport): string {
  return `${report.equal} equal, ${report.differs} differ, ${report.notDerivable} not derivable`;
}

/**
 * The summary over many logs, one line each, then a total by kind of fact.
 * @param reports  finished comparisons
 * @param paper    colours of the marks, width
 * @returns text with a final newline
 */
export function checkSummary(reports: readonly CheckReport[], { colors, width }: Paper): string {
  const rows = reports.map((report) => [
    report.rejected !== undefined
      ? colors.yellow('rejected')
      : report.differs === 0
        ? colors.green('ok')
        : colors.red('DIFFERS'),
    report.source,
    report.kernel,
    String(report.equal),
    String(report.differs),
    String(report.notDerivable),
    report.rejected ?? differingFacts(report),
  ]);
  const table = formatTable(
    [
      { title: '' },
      { title: 'log' },
      { title: 'kernel', drop: 1 },
      { title: 'equal', align: 'right' },
      { title: 'differ', align: 'right' },
      { title: 'not derivable', align: 'right', drop: 2 },
      { title: '' },
    ],
    rows,
    width,
  );
  return [...table, '', ...factClassTable(reports), ''].join('\n');
}

/** Names of the kinds of fact that differ, with counts. */
function differingFacts(report: CheckReport): string {
  const counts = new Map<string, number>();
  for (const fact of report.facts) {
    if (fact.verdict === 'differs') counts.set(fact.fact, (counts.get(fact.fact) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${name} ×${count}`).join(', ');
}

/**
 * Counts over all logs by kind of fact.
 * @param reports  finished comparisons
 * @returns lines, the last one with the totals
 */
export function factClassTable(reports: readonly CheckReport[]): string[] {
  const classes = new Map<string, { equal: number; differs: number; open: number }>();
  for (const report of reports) {
    for (const fact of report.facts) {
      const entry = classes.get(fact.fact) ?? { equal: 0, differs: 0, open: 0 };
      if (fact.verdict === 'equal') entry.equal++;
      else if (fact.verdict === 'differs') entry.differs++;
      else entry.open++;
      classes.set(fact.fact, entry);
    }
  }
  const all = { equal: 0, differs: 0, open: 0 };
  const rows = [...classes].map(([name, entry]) => {
    all.equal += entry.equal;
    all.differs += entry.differs;
    all.open += entry.open;
    return [name, ...cells(entry)];
  });
  return formatTable(
    [
      { title: 'fact' },
      { title: 'equal', align: 'right' },
      { title: 'differ', align: 'right' },
      { title: 'not derivable', align: 'right' },
      { title: 'of the derivable', align: 'right' },
    ],
    [...rows, ['all', ...cells(all)]],
  );
}

function cells(entry: { equal: number; differs: number; open: number }): string[] {
  const derivable = entry.equal + entry.differs;
  return [
    String(entry.equal),
    String(entry.differs),
    String(entry.open),
    derivable === 0 ? '–' : formatPercent(entry.equal / derivable),
  ];
}
