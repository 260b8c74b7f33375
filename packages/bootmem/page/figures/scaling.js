/**
 * Thread scaling: measured here beside the published curves, and what the machine of the report would take.
 */
import { dot, line, plot, ruleY } from '@observablehq/plot';
import { byId, element, swatches, table } from '../dom.js';
import { count } from '../numbers.js';
import { base } from '../look.js';

/** Published times by thread count, relative to the kernel without the series. */
function publishedRows(published) {
  return published.flatMap(({ machine, points }) => {
    const start = points.find(([threads]) => threads === 0)[1];
    return points
      .filter(([threads]) => threads > 0)
      .map(([threads, ms]) => ({ machine, threads, ms, relative: ms / start }));
  });
}

/** Our times by thread count, relative to one thread. */
function ourRows(bench) {
  const first = bench.rows[0];
  return bench.rows
    .filter((row) => row.threads > 0)
    .map((row) => ({
      machine: 'this machine',
      threads: row.threads,
      ms: row.definitMs.median,
      relative: row.definitMs.median / (first.definitMs.median || 1),
    }));
}

/** What the model says of a machine: columns and rows of a table. */
export function predictedRows({ rows }) {
  const ms = (value) => (value === undefined ? '–' : value.toFixed(1));
  return rows.map(({ threads, percent, publishedMs, kernelMs, hereMs }) => [
    `${threads} (${percent}%)`,
    ms(publishedMs),
    ms(kernelMs),
    ms(hereMs),
  ]);
}

/** Table of the prediction, with its error. */
function prediction(model) {
  const mean = (value) =>
    Math.round(model.leftOut.reduce((sum, one) => sum + value(one), 0) / model.leftOut.length);
  const titles = ['threads a node', 'published ms', 'kernel, predicted ms', 'here, predicted ms'];
  return [
    element(
      'p',
      { class: 'lane' },
      `The machine of this report, predicted: ${count(model.pagesPerNode)} deferred pages and ${model.cpusPerNode} processors in the largest of ${model.nodes} nodes. ` +
        `Published machines are predicted from the others by a factor of 1.${String(mean((one) => one.errorPercent)).padStart(2, '0')} on average, ` +
        `1.${String(mean((one) => one.knownBaseErrorPercent)).padStart(2, '0')} when the time of one thread is known.`,
    ),
    element(
      'div',
      { class: 'scroll', tabindex: '0', id: 'scaling-predicted' },
      table(
        titles.map((title) => ({ title, number: true })),
        predictedRows(model),
      ),
    ),
  ];
}

/** Draws the curves and the table of this machine. */
export function scaling({ bench, model, published }) {
  const curves = publishedRows(published);
  const ours = ourRows(bench);
  byId('scaling-figure').before(
    element(
      'p',
      { class: 'lane' },
      `This machine: ${bench.source}, ${count(bench.pages)} pages, ${bench.rounds} rounds.`,
    ),
  );
  const machines = [...published.map((curve) => curve.machine), 'this machine'];
  const colors = ['#8aa6c1', '#e3b27a', '#9cc491', '#c9a8bf', '#a8cfcc', '#c5aa93', 'var(--bad)'];
  byId('scaling-figure').append(
    plot(
      base({
        height: 380,
        marginLeft: 60,
        marginRight: 30,
        x: {
          type: 'log',
          base: 2,
          label: 'threads',
          tickFormat: 'd',
          ticks: [1, 2, 4, 8, 16, 32, 52],
        },
        y: {
          label: 'time of deferred initialisation, % of one thread / of no series',
          percent: true,
          grid: true,
          zero: true,
        },
        color: { domain: machines, range: colors },
        ariaLabel:
          'Time of deferred initialisation by thread count, published curves and this machine',
        marks: [
          ruleY([0]),
          line(curves, { x: 'threads', y: 'relative', stroke: 'machine', strokeWidth: 1.5 }),
          dot(curves, {
            x: 'threads',
            y: 'relative',
            fill: 'machine',
            r: 2.5,
            channels: { ms: 'ms' },
            tip: true,
          }),
          line(ours, { x: 'threads', y: 'relative', stroke: 'machine', strokeWidth: 3 }),
          dot(ours, {
            x: 'threads',
            y: 'relative',
            fill: 'machine',
            r: 5,
            channels: { ms: 'ms' },
            tip: true,
          }),
        ],
      }),
    ),
    swatches(machines.map((machine, index) => [machine, colors[index]])),
  );
  byId('scaling-figure').after(
    element(
      'div',
      { class: 'scroll', tabindex: '0' },
      table(
        [
          'threads',
          'boot ms',
          'stdev',
          'boot speed-up',
          'deferred init ms',
          'stdev',
          'speed-up',
          'of boot',
        ].map((title) => ({ title, number: true })),
        bench.rows.map((row) => [
          row.threads === 0
            ? `one a node (${bench.baseThreads})`
            : `${row.threads} (${row.percent}%)`,
          row.bootMs.median.toFixed(1),
          row.bootMs.stdev.toFixed(1),
          row.bootSpeedup === undefined ? '–' : `${row.bootSpeedup.toFixed(1)} %`,
          row.definitMs.median.toFixed(1),
          row.definitMs.stdev.toFixed(1),
          row.definitSpeedup === undefined ? '–' : `${row.definitSpeedup.toFixed(1)} %`,
          `${(row.bootFraction * 100).toFixed(1)} %`,
        ]),
      ),
    ),
    ...(model === undefined ? [] : prediction(model)),
  );
}
