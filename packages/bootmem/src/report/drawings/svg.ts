/**
 * Drawings that fit every width: what runs along the page is given in percent of it, what runs down in pixels, so text
 * keeps its size on a phone and in print. Each mark has a title, which browsers show at the pointer and readers read.
 *
 * ```
 * 0 %                                                    100 %
 * |▉▉▉▉▉ label ▉▉▉▉|        |▉▉▉|                            |   bars
 * |        |        |        |        |                      |   ticks
 * 0       1 GiB    2 GiB
 * ```
 */
import { escapeHtml } from '../html.js';

/** A stretch of an axis. */
export interface Bar {
  readonly start: number;
  readonly end: number;
  readonly color: string;
  readonly title: string;
  /** Written inside, where there is room. */
  readonly label?: string;
}

/** What an axis shows, in its own unit. */
export interface Domain {
  readonly from: number;
  readonly to: number;
}

/** Pixels of a lane of bars. */
const LANE = 26;
/** Pixels of an axis with its numbers. */
const AXIS = 24;
/** Percent of the width that a letter takes on a wide page: a label that is longer than its bar is left out. */
const LETTER = 0.75;

/** Where a value lies on the page, percent, with four decimals: a tenth of a pixel. */
export function percentOf(value: number, { from, to }: Domain): number {
  const share = to === from ? 0 : (value - from) / (to - from);
  return Math.round(share * 1e6) / 1e4;
}

/** A drawing with its name. */
export function svg(name: string, height: number, marks: readonly string[]): string {
  const title = escapeHtml(name);
  return `<svg width="100%" height="${height}" role="img" aria-label="${title}"><title>${title}</title>${marks.join('')}</svg>`;
}

/** Bars in one line; what is outside the domain is cut off. */
export function bars(all: readonly Bar[], domain: Domain, y = 0, height = LANE - 4): string[] {
  return all
    .filter(({ start, end }) => end > domain.from && start < domain.to)
    .map(({ start, end, color, title, label }) => {
      const x = percentOf(Math.max(start, domain.from), domain);
      const width = percentOf(Math.min(end, domain.to), domain) - x;
      const rect = `<rect x="${x}%" y="${y}" width="${width.toFixed(4)}%" height="${height}" fill="${color}"><title>${escapeHtml(title)}</title></rect>`;
      const fits = label !== undefined && label.length * LETTER < width;
      if (!fits) return rect;
      const middle = (x + width / 2).toFixed(3);
      return `${rect}<text class="in-bar" x="${middle}%" y="${y + height / 2 + 4}">${escapeHtml(label)}</text>`;
    });
}

/** A lane of bars as a drawing of its own. */
export function lane(name: string, all: readonly Bar[], domain: Domain): string {
  return svg(name, LANE, bars(all, domain, 2));
}

/** Numbers below a drawing. Every third stays on a narrow page. */
export function axis(
  ticks: readonly number[],
  domain: Domain,
  format: (value: number) => string,
): string {
  const marks = ticks.map((value, index) => {
    const x = percentOf(value, domain);
    const anchor = x < 4 ? 'start' : x > 96 ? 'end' : 'middle';
    const kind = index % 3 === 0 ? 'tick' : 'tick between';
    return `<g class="${kind}"><line x1="${x}%" x2="${x}%" y1="0" y2="5"/><text x="${x}%" y="18" text-anchor="${anchor}">${escapeHtml(format(value))}</text></g>`;
  });
  return `<svg class="axis" width="100%" height="${AXIS}" aria-hidden="true"><line class="base" x1="0" x2="100%" y1="0.5" y2="0.5"/>${marks.join('')}</svg>`;
}

/** About eight round numbers, `base` to the power of something apart or a half or a fifth of that. */
export function ticksOf({ from, to }: Domain, base: 2 | 10 = 10): number[] {
  const wanted = (to - from) / 8;
  if (!(wanted > 0)) return [from];
  const power = base ** Math.floor(Math.log(wanted) / Math.log(base));
  const steps = base === 2 ? [1, 2] : [1, 2, 5, 10];
  const step = steps.map((times) => times * power).find((one) => one >= wanted) ?? power * base;
  const first = Math.ceil(from / step);
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step);
}
