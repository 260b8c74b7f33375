/**
 * Thread scaling: this machine beside the published curves.
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
  const first = bench.rows.find((row) => row.threads === 1) ?? bench.rows[0];
  return bench.rows
    .filter((row) => row.threads > 0)
    .map((row) => ({
      machine: 'this machine',
      threads: row.threads,
      ms: row.definitMs.median,
      relative: row.definitMs.median / (first.definitMs.median || 1),
    }));
}

/** Draws the curves and the table of this machine. */
export function scaling({ bench, published }) {
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
          row.threads === 0 ? 'none (eager)' : `${row.threads} (${row.percent}%)`,
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
  );
}
