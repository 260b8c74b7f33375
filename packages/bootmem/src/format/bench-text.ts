/**
 * A measurement for people and for spreadsheets: the table of the padata series, and the same as comma
 * separated values.
 */
import type { BenchReport } from '../result.js';
import type { Colors } from './colors.js';
import { formatTable } from './table.js';

/**
 * The table in the layout of the padata series.
 * @param report  a measurement
 * @param colors  bold heading
 * @returns text with a final newline
 */
export function benchTable(report: BenchReport, colors: Colors): string {
  const rows = report.rows.map((row) => [
    `${row.percent}% (${row.threads})`,
    row.bootSpeedup === undefined ? '--' : `${row.bootSpeedup.toFixed(1)}%`,
    row.bootMs.median.toFixed(1),
    row.bootMs.stdev.toFixed(1),
    row.definitSpeedup === undefined ? '--' : `${row.definitSpeedup.toFixed(1)}%`,
    row.definitMs.median.toFixed(1),
    row.definitMs.stdev.toFixed(1),
    `${(row.bootFraction * 100).toFixed(1)}%`,
    row.firstAllocationMs.median.toFixed(1),
  ]);
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  const table = formatTable(
    [
      right('node% (thr)'),
      right('boot speedup'),
      right('time_ms'),
      right('stdev'),
      right('definit speedup'),
      right('time_ms'),
      right('stdev'),
      right('of boot'),
      right('first alloc_ms'),
    ],
    rows,
  );
  const head = `${report.source}: ${report.pages} pages, ${report.rounds} rounds, medians, Node ${report.node}`;
  return [colors.bold(head), ...table, ''].join('\n');
}

/**
 * The same as comma separated values, with the column names of the series' published data.
 * @param report  a measurement
 */
export function benchCsv(report: BenchReport): string {
  const number = (value: number | undefined): string => value?.toFixed(3) ?? '';
  const lines = report.rows.map((row) =>
    [
      row.percent,
      row.threads,
      number(row.bootSpeedup),
      number(row.bootMs.median),
      number(row.bootMs.stdev),
      number(row.definitSpeedup),
      number(row.definitMs.median),
      number(row.definitMs.stdev),
      number(row.bootFraction),
      number(row.firstAllocationMs.median),
    ].join(','),
  );
  return `node_pct,threads,boot_speedup_pct,boot_ms,boot_stdev,definit_speedup_pct,definit_ms,definit_stdev,boot_fraction,first_allocation_ms\n${lines.join('\n')}\n`;
}
