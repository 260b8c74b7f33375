/**
 * Colours of text: functions that paint, and the rule that says when to.
 */
import pc from 'picocolors';

/** Colour functions; each returns its argument unchanged when colours are off. */
export type Colors = ReturnType<typeof pc.createColors>;

/**
 * @param enabled  false: text stays as it is
 */
export function createColors(enabled: boolean): Colors {
  return pc.createColors(enabled);
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
