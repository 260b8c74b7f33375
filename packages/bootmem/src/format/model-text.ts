/**
 * The model for people: how far it was off for machines it had not seen, and the curve of the one asked for.
 */
import type { ModelReport } from '../bench-result.js';
import { formatCount } from './numbers.js';
import { fitted } from './paper.js';
import type { Paper } from './paper.js';
import { formatTable } from './table.js';

const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });

/** Numbers of threads that were measured. */
function counts({ measured }: ModelReport): string {
  return [...new Set(measured.rows.map((row) => Math.max(1, row.threads)))].join(', ');
}

/**
 * Everything `bench --model` prints.
 * @param report  a prediction
 * @param paper   bold headings, width
 * @returns text with a final newline
 */
export function modelText(report: ModelReport, paper: Paper): string {
  const { bold } = paper.colors;
  const { kernel, here, leftOut } = report;
  const ns = (ms: number): string => (ms * 1e6).toFixed(2);
  const mean = (values: readonly number[]): string =>
    (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(0);
  const ends = leftOut.map(({ machine, rows, errorPercent, knownBaseErrorPercent }) => {
    const first = rows[0]!;
    const last = rows.at(-1)!;
    return [
      machine,
      `${first.ms} / ${first.predictedMs.toFixed(0)}`,
      `${last.ms} / ${last.predictedMs.toFixed(0)} (${last.threads})`,
      `${errorPercent.toFixed(0)}%`,
      `${knownBaseErrorPercent.toFixed(0)}%`,
    ];
  });
  const curve = report.rows.map((row) => [
    `${row.percent}% (${row.threads})`,
    row.publishedMs === undefined ? '--' : row.publishedMs.toFixed(1),
    row.kernelMs.toFixed(1),
    row.hereMs.toFixed(1),
  ]);
  const lines = [
    bold(
      'Published machines, each predicted from the five others: deferred ms, published / predicted',
    ),
    ...formatTable(
      [
        { title: 'machine' },
        right('1 thread'),
        right('all threads'),
        right('error'),
        { ...right('1 thread known'), drop: 1 },
      ],
      ends,
      paper.width,
    ),
    `error: typical factor over all rows; mean ${mean(leftOut.map((one) => one.errorPercent))}%, with the row of one thread known ${mean(leftOut.map((one) => one.knownBaseErrorPercent))}%`,
    '',
    bold(
      `${report.nodes} node${report.nodes === 1 ? '' : 's'}, ${formatCount(report.pagesPerNode, paper.plain)} deferred pages and ${report.cpusPerNode} cpus in the largest: deferred ms by threads a node`,
    ),
    ...formatTable(
      [
        right('node% (thr)'),
        right('published'),
        right('kernel, predicted'),
        right('here, predicted'),
      ],
      curve,
      paper.width,
    ),
    `kernel: ${ns(kernel.perPage)} ns a page and thread, ${ns(kernel.bandwidth)} ns a page of memory by the root of the node's cpus, ${kernel.startMs.toFixed(2)} ms until helpers are at it; from the six machines`,
    `here: ${ns(here.perPage)} ns a page and thread, ${ns(here.bandwidth)} ns a page of memory, ${here.startMs.toFixed(2)} ms until helpers are at it, ${(here.chunkMs * 1000).toFixed(0)} us a chunk; measured with ${counts(report)} threads on this host, more than that are beyond what was measured`,
    '',
  ];
  return fitted(lines.join('\n'), paper);
}
