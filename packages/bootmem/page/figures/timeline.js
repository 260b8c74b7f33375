/**
 * Threads and chunks: who initialised what, and when.
 */
import { barX, plot, ruleX, text } from '@observablehq/plot';
import { byId, numbers, swatches } from '../dom.js';
import { count, hex, milliseconds, PAGE } from '../numbers.js';
import { base, nodeColor } from '../look.js';

/** Draws the chunks. */
export function timeline({ boot }) {
  const figure = byId('timeline-figure');
  if (boot.chunks.length === 0) {
    figure.append(
      'No page was left for the threads: this machine is small enough to be initialised early, or the mode defers nothing.',
    );
    return;
  }
  const nids = [...new Set(boot.chunks.map((chunk) => chunk.nid))].sort((a, b) => a - b);
  figure.append(
    plot(
      base({
        height: new Set(boot.chunks.map((chunk) => chunk.thread)).size * 40 + 50,
        marginLeft: 70,
        x: { label: 'ms since the start of the boot', grid: true },
        y: { label: null, tickFormat: (thread) => `thread ${thread}` },
        ariaLabel: 'Chunks of deferred initialisation by thread over time',
        marks: [
          barX(boot.chunks, {
            x1: 'startMs',
            x2: 'endMs',
            y: 'thread',
            fill: (d) => nodeColor(d.nid),
            stroke: 'var(--card)',
            strokeWidth: 0.6,
            channels: {
              node: 'nid',
              pages: (d) => count(d.endPfn - d.startPfn),
              took: (d) => milliseconds(d.endMs - d.startMs),
              from: (d) => hex(d.startPfn * PAGE),
            },
            tip: { format: { fill: false, x1: true, x2: true } },
          }),
          ruleX([boot.timing.firstAllocationMs], {
            stroke: 'var(--bad)',
            strokeDasharray: '4 3',
          }),
          text([{}], {
            x: () => boot.timing.firstAllocationMs,
            frameAnchor: 'top',
            dy: -8,
            text: () => 'first allocation',
            fill: 'var(--bad)',
          }),
        ],
      }),
    ),
    swatches(nids.map((nid) => [`node ${nid}`, nodeColor(nid)])),
  );
  numbers(
    'timeline-figure',
    ['thread', 'node', 'pages', 'start ms', 'took ms'].map((title) => ({ title, number: true })),
    boot.chunks.map((chunk) => [
      chunk.thread,
      chunk.nid,
      count(chunk.endPfn - chunk.startPfn),
      chunk.startMs.toFixed(2),
      (chunk.endMs - chunk.startMs).toFixed(2),
    ]),
  );
}
