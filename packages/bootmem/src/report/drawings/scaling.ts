/** Thread scaling: measured here beside the published curves, and what the machine of the page would take. */
import { formatCount, formatMs } from '../../format/numbers.js';
import type { BenchReport, ModelReport } from '../../bench-result.js';
import { keyHtml, laneHtml, numberColumns, tableHtml } from '../html.js';
import { PUBLISHED_CURVES } from '../published-curves.js';
import { curves } from './curves.js';
import type { Curve } from './curves.js';
import { CURVE_COLORS } from './look.js';
import { axis } from './svg.js';

const OURS = 'this machine';
const OUR_COLOR = 'var(--bad)';

/** Published times relative to the kernel without the series. */
function publishedCurves(): (Curve & { readonly machine: string })[] {
  return PUBLISHED_CURVES.map(({ machine, points }, index) => {
    const base = points.find(([threads]) => threads === 0)?.[1] ?? 1;
    return {
      machine,
      color: CURVE_COLORS[index % CURVE_COLORS.length]!,
      width: 1.5,
      hasMarks: true,
      points: points
        .filter(([threads]) => threads > 0)
        .map(([threads, ms]) => ({
          x: Math.log2(threads),
          y: ms / base,
          title: `${machine}, ${threads} threads: ${formatMs(ms)}`,
        })),
    };
  });
}

/** Ours relative to one thread. */
function ourCurve({ rows }: BenchReport): Curve {
  const base = rows[0]?.definitMs.median;
  return {
    color: OUR_COLOR,
    width: 3,
    hasMarks: true,
    points: rows
      .filter(({ threads }) => threads > 0)
      .map(({ threads, definitMs }) => ({
        x: Math.log2(threads),
        y: definitMs.median / (base === undefined || base === 0 ? 1 : base),
        title: `${OURS}, ${threads} threads: ${formatMs(definitMs.median)}`,
      })),
  };
}

/** The drawing with its key. */
export function scalingHtml(bench: BenchReport): string {
  const published = publishedCurves();
  const all = [...published, ourCurve(bench)];
  const points = all.flatMap((curve) => curve.points);
  const most = points.reduce((high, { x }) => Math.max(high, x), 1);
  const highest = points.reduce((high, { y }) => Math.max(high, y), 1);
  const x = { from: 0, to: most * 1.02 };
  const threads = Array.from({ length: Math.floor(most) + 1 }, (_, power) => power);
  return [
    laneHtml(
      `This machine: ${bench.source}, ${formatCount(bench.pages)} pages, ${bench.rounds} rounds.`,
    ),
    laneHtml('time of deferred initialisation, of one thread’s or of that without the series'),
    curves(all, {
      name: 'Time of deferred initialisation by thread count, published curves and this machine',
      x,
      y: { from: 0, to: highest },
      height: 320,
      yTicks: [0, 0.2, 0.4, 0.6, 0.8, 1].filter((value) => value <= highest),
      format: (value) => `${Math.round(value * 100)} %`,
    }),
    axis(threads, x, (power) => `${2 ** power}`),
    laneHtml('threads'),
    keyHtml([
      ...published.map(({ machine, color }) => [machine, color] as const),
      [OURS, OUR_COLOR],
    ]),
  ].join('');
}

/** What was measured, as numbers. */
export function scalingTable({ rows, baseThreads }: BenchReport): string {
  const columns = numberColumns([
    'threads',
    'boot ms',
    'stdev',
    'boot speed-up',
    'deferred init ms',
    'stdev',
    'speed-up',
    'of boot',
  ]);
  const percent = (value: number | undefined): string =>
    value === undefined ? '–' : `${value.toFixed(1)} %`;
  return tableHtml(
    'Time by threads',
    columns,
    rows.map((row) => [
      row.threads === 0 ? `one a node (${baseThreads})` : `${row.threads} (${row.percent}%)`,
      row.bootMs.median.toFixed(1),
      row.bootMs.stdev.toFixed(1),
      percent(row.bootSpeedup),
      row.definitMs.median.toFixed(1),
      row.definitMs.stdev.toFixed(1),
      percent(row.definitSpeedup),
      percent(row.bootFraction * 100),
    ]),
  );
}

/** What the model says of the page's machine, with its error. */
export function predictionHtml(model: ModelReport | undefined): string {
  if (model === undefined) return '';
  const { leftOut, nodes, pagesPerNode, cpusPerNode, rows } = model;
  const mean = (value: (one: (typeof leftOut)[number]) => number): string => {
    const sum = leftOut.reduce((total, one) => total + value(one), 0);
    return String(Math.round(sum / leftOut.length)).padStart(2, '0');
  };
  const ms = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(1));
  const text =
    `The machine of this report, predicted: ${formatCount(pagesPerNode)} deferred pages and ${cpusPerNode} processors in the largest of ${nodes} nodes. ` +
    `Published machines are predicted from the others by a factor of 1.${mean((one) => one.errorPercent)} on average, ` +
    `1.${mean((one) => one.knownBaseErrorPercent)} when the time of one thread is known.`;
  const columns = ['threads a node', 'published ms', 'kernel, predicted ms', 'here, predicted ms'];
  const cells = rows.map((row) => [
    `${row.threads} (${row.percent}%)`,
    ms(row.publishedMs),
    ms(row.kernelMs),
    ms(row.hereMs),
  ]);
  return `${laneHtml(text)}<div id="scaling-predicted">${tableHtml('Time by threads, predicted', numberColumns(columns), cells)}</div>`;
}
