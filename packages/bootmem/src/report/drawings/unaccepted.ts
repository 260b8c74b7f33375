/** Unaccepted memory over time: a step at each acceptance. */
import { formatBytes, formatCount, formatMs } from '../../format/numbers.js';
import type { BootReport } from '../../result.js';
import { laneHtml, numberColumns, numbersHtml } from '../html.js';
import { curves } from './curves.js';
import type { Point } from './curves.js';
import { axis, ticksOf } from './svg.js';

/** The drawing and its numbers; a sentence where there is none. */
export function unacceptedHtml({ unaccepted, timing }: BootReport): string {
  if (unaccepted === undefined) return laneHtml('This firmware map holds no unaccepted memory.');
  const { totalUnits, unitBytes, timeline } = unaccepted;
  const steps: Point[] = [];
  for (const { ms, acceptedUnits } of timeline) {
    const left = (totalUnits - acceptedUnits) * unitBytes;
    const title = `${formatMs(ms)}: ${formatBytes(left)} left`;
    const before = steps.at(-1);
    if (before !== undefined) steps.push({ x: ms, y: before.y, title });
    steps.push({ x: ms, y: left, title });
  }
  const last = steps.at(-1);
  const x = { from: 0, to: Math.max(timing.totalMs, last?.x ?? 0, 0.001) };
  if (last !== undefined) steps.push({ ...last, x: x.to });
  const y = { from: 0, to: Math.max(1, totalUnits * unitBytes) };
  return [
    laneHtml('still unaccepted'),
    curves([{ color: '#2f8f88', width: 2, points: steps, hasMarks: false }], {
      name: 'Unaccepted memory over time',
      x,
      y,
      height: 200,
      yTicks: ticksOf(y, 2).filter((_, index) => index % 2 === 0),
      format: formatBytes,
    }),
    axis(ticksOf(x), x, (ms) => `${Number(ms.toPrecision(6))} ms`),
    numbersHtml(
      'Unaccepted memory',
      numberColumns(['ms', 'accepted units']),
      timeline.map(({ ms, acceptedUnits }) => [ms.toFixed(2), formatCount(acceptedUnits)]),
    ),
  ].join('');
}
