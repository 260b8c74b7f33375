/** What a text is written on: how wide, with which colours, for whom. */
import type { Colors } from './colors.js';
import { inLine } from './safe/escape.js';
import { wrap } from './table.js';

/** Where a text goes. */
export interface Paper {
  readonly colors: Colors;
  /** Columns; `Infinity` where lines may be as long as they need. */
  readonly width: number;
  /** True for programs that read: digits without separators. */
  readonly plain: boolean;
}

/**
 * Breaks the long lines of a text; those lose their colours.
 * @param text   lines
 * @param paper  how wide
 */
export function fitted(text: string, paper: Pick<Paper, 'width'>): string {
  if (paper.width === Infinity) return text;
  return text
    .split('\n')
    .flatMap((line) => wrap(line, paper.width, `${/^ */.exec(line)![0]}    `))
    .join('\n');
}

/**
 * A note that goes with a result.
 * @param note  one sentence
 * @param paper how wide
 */
export function noteLines(note: string, paper: Pick<Paper, 'width'>): string[] {
  return fitted(`note: ${inLine(note)}`, paper).split('\n');
}
