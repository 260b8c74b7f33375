/**
 * A measurement for people and for spreadsheets: the table of the padata series, and the same as comma
 * separated values.
 */
import type { BenchReport, PublishedLog, PublishedMachine } from '../bench-result.js';
import { inLine } from './safe/escape.js';
import { fitted } from './paper.js';
import type { Paper } from './paper.js';
import { formatTable } from './table.js';

/**
 * The table in the layout of the padata series.
 * @param report  a measurement
 * @param paper   bold heading, width
 * @returns text with a final newline
 */
export function benchTable(report: BenchReport, paper: Paper): string {
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
      { ...right('stdev'), drop: 1 },
      right('definit speedup'),
      right('time_ms'),
      { ...right('stdev'), drop: 1 },
      { ...right('of boot'), drop: 2 },
      { ...right('first alloc_ms'), drop: 3 },
    ],
    rows,
    paper.width,
  );
  const head = `${report.source}: ${report.pages} pages, ${report.rounds} rounds, medians, Node ${report.node}`;
  const base = `base: deferred, one thread a node (${report.baseThreads} in all); below it threads that all nodes share`;
  return [paper.colors.bold(inLine(head)), fitted(base, paper), ...table, ''].join('\n');
}

/**
 * What the series published, in the same layout: kernel boot and deferred initialisation of six machines, and the
 * second reporter's lines.
 * @param machines  the published tables
 * @param log       the second reporter's lines
 * @param paper     bold headings, width
 */
export function publishedTables(
  machines: readonly PublishedMachine[],
  log: PublishedLog,
  paper: Paper,
): string {
  const { bold } = paper.colors;
  const gain = (base: number, ms: number): string => `${(((base - ms) / base) * 100).toFixed(1)}%`;
  const out: string[] = [];
  for (const { machine, rows } of machines) {
    const base = rows[0]!;
    const cells = rows.map((row) => [
      `${row.percent}% (${row.threads})`,
      row === base ? '--' : gain(base.bootMs, row.bootMs),
      row.bootMs.toFixed(1),
      row.bootStdev.toFixed(1),
      row === base ? '--' : gain(base.definitMs, row.definitMs),
      row.definitMs.toFixed(1),
      row.definitStdev.toFixed(1),
    ]);
    const titles = ['boot speedup', 'time_ms', 'stdev', 'definit speedup', 'time_ms', 'stdev'];
    const columns = ['node% (thr)', ...titles].map((title) => ({ title, align: 'right' as const }));
    out.push('', bold(`published: ${machine}`), ...formatTable(columns, cells, paper.width));
  }
  const { boot, nodes } = log;
  out.push('', bold(`published: ${log.machine} (second reporter)`));
  out.push(
    `first program after ${boot.beforeMs.toFixed(1)}ms before, ${boot.withMs.toFixed(1)}ms with (${gain(boot.beforeMs, boot.withMs)})`,
  );
  for (const { nid, pages, beforeMs, withMs, againMs } of nodes) {
    out.push(
      `node ${nid} initialised, ${pages} pages in ${beforeMs}ms before, ${withMs}ms with, ${againMs}ms with its second version`,
    );
  }
  return fitted([...out, ''].join('\n'), paper);
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
