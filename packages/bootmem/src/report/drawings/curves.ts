/** Lines over an axis: time by threads, unaccepted memory over time. */
import { escapeHtml } from '../html.js';
import { percentOf, svg } from './svg.js';
import type { Domain } from './svg.js';

/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly title: string;
}

/** A curve. */
export interface Curve {
  readonly color: string;
  /** Pixels of the line; points are twice as wide. */
  readonly width: number;
  readonly points: readonly Point[];
  /** Points have marks. */
  readonly hasMarks: boolean;
}

/** What a drawing of curves is over. */
export interface Frame {
  readonly name: string;
  readonly x: Domain;
  readonly y: Domain;
  /** Pixels. */
  readonly height: number;
  readonly yTicks: readonly number[];
  readonly format: (value: number) => string;
}

/** Pixels above and below the curves, for marks at the ends. */
const EDGE = 12;

/** The drawing without its axis of x. */
export function curves(all: readonly Curve[], frame: Frame): string {
  const { height, x, y } = frame;
  const left = (value: number): string => `${percentOf(value, x)}%`;
  const down = (value: number): string =>
    (height - EDGE - (percentOf(value, y) / 100) * (height - 2 * EDGE)).toFixed(1);
  const grid = frame.yTicks.map(
    (value) =>
      `<line class="grid" x1="0" x2="100%" y1="${down(value)}" y2="${down(value)}"/><text class="grid" x="0" y="${(Number(down(value)) - 3).toFixed(1)}">${escapeHtml(frame.format(value))}</text>`,
  );
  const marks = all.map(({ color, width, points, hasMarks }) => {
    const lines = points.slice(1).map((to, index) => {
      const from = points[index]!;
      return `<line x1="${left(from.x)}" y1="${down(from.y)}" x2="${left(to.x)}" y2="${down(to.y)}" stroke="${color}" stroke-width="${width}" stroke-linecap="round"><title>${escapeHtml(to.title)}</title></line>`;
    });
    const dots = (hasMarks ? points : []).map(
      (point) =>
        `<circle cx="${left(point.x)}" cy="${down(point.y)}" r="${width + 1}" fill="${color}"><title>${escapeHtml(point.title)}</title></circle>`,
    );
    return [...lines, ...dots].join('');
  });
  return svg(frame.name, height, [...grid, ...marks]);
}
