/**
 * Colours of text: functions that paint, and the rule that says when to.
 */
import { sgr } from './safe/escape.js';

/** Paints a text. */
export type Paint = (text: string) => string;

/** Colour functions; each returns its argument unchanged when colours are off. */
export interface Colors {
  readonly isColorSupported: boolean;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const NORMAL_WEIGHT = 22;
const NORMAL_COLOUR = 39;

/**
 * @param enabled  false: text stays as it is
 */
export function createColors(enabled: boolean): Colors {
  const paint =
    (code: number, end: number): Paint =>
    (text) =>
      enabled ? `${sgr(code)}${text}${sgr(end)}` : text;
  return {
    isColorSupported: enabled,
    bold: paint(1, NORMAL_WEIGHT),
    dim: paint(2, NORMAL_WEIGHT),
    red: paint(31, NORMAL_COLOUR),
    green: paint(32, NORMAL_COLOUR),
    yellow: paint(33, NORMAL_COLOUR),
    cyan: paint(36, NORMAL_COLOUR),
  };
}

/**
 * Whether colours go to a stream: only a terminal, never with `NO_COLOR` (any non-empty value, as
 * no-color.org asks), `TERM=dumb`, or always with `FORCE_COLOR`.
 * @param isTerminal  whether the stream is a terminal
 * @param env         environment variables
 */
export function wantsColor(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '' && forced !== '0') return true;
  return isTerminal && env['TERM'] !== 'dumb';
}
