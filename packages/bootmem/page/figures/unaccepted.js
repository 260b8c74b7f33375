/**
 * Unaccepted memory over time.
 */
import { areaY, lineY, plot } from '@observablehq/plot';
import { byId, numbers } from '../dom.js';
import { bytes, count } from '../numbers.js';
import { base } from '../look.js';

/** Bytes still unaccepted over time. */
function leftOverTime(state) {
  return state.timeline.map((point) => ({
    ms: point.ms,
    left: (state.totalUnits - point.acceptedUnits) * state.unitBytes,
  }));
}

/** Draws what is left. */
export function unaccepted({ boot }) {
  const figure = byId('unaccepted-figure');
  const state = boot.unaccepted;
  if (state === undefined) {
    figure.append('This firmware map holds no unaccepted memory.');
    return;
  }
  const rows = leftOverTime(state);
  figure.append(
    plot(
      base({
        height: 240,
        marginLeft: 80,
        x: { label: 'ms since the start of the boot' },
        y: {
          label: 'still unaccepted',
          tickFormat: (value) => bytes(value),
          grid: true,
          zero: true,
        },
        ariaLabel: 'Unaccepted memory over time',
        marks: [
          areaY(rows, {
            x: 'ms',
            y: 'left',
            curve: 'step-after',
            fill: '#76b7b2',
            fillOpacity: 0.3,
          }),
          lineY(rows, {
            x: 'ms',
            y: 'left',
            curve: 'step-after',
            stroke: '#2f8f88',
            strokeWidth: 2,
            tip: true,
          }),
        ],
      }),
    ),
  );
  numbers(
    'unaccepted-figure',
    [
      { title: 'ms', number: true },
      { title: 'accepted units', number: true },
    ],
    state.timeline.map((point) => [point.ms.toFixed(2), count(point.acceptedUnits)]),
  );
}
