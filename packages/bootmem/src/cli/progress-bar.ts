/**
 * A progress bar on the last line of a terminal, nothing elsewhere. It goes to standard error, so that standard
 * output stays clean for pipes; lines are printed above it, and it is removed when it stops.
 */
import { clearLine, cursorTo } from 'node:readline';
import type { CommandIo } from './io.js';
import { formatCount } from '../format/numbers.js';

/** A bar that counts something. */
export interface ProgressBar {
  /** Sets how far it is; `total` may still grow. */
  update(done: number, total: number): void;
  /** Writes text that ends with a newline to standard output, above the bar. */
  print(text: string): void;
  /** Removes the bar; may be called twice. */
  stop(): void;
}

/** What a bar looks like. */
export interface ProgressBarOptions {
  /** What is going on, a few words. */
  readonly label: string;
  /** What is counted. */
  readonly unit: string;
  /** False with `--quiet` and `--json`: nothing is drawn. */
  readonly enabled: boolean;
}

/** Most characters of the bar itself. */
const BAR_WIDTH = 30;
/** A bar that would be shorter is left out. */
const LEAST_BAR_WIDTH = 5;
/** Columns of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;
/** Shortest time between two drawings of a bar that nothing was printed above, milliseconds. */
const DRAW_INTERVAL_MS = 50;

/**
 * The bar as text: `initialising [████░░░░] 50% 500 of 1 000 pages`.
 * @param options  label and unit
 * @param done     how far it is
 * @param total    where it ends
 * @param width    most characters
 */
export function barText(
  { label, unit }: Pick<ProgressBarOptions, 'label' | 'unit'>,
  done: number,
  total: number,
  width: number,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const figures = `${Math.floor(share * 100)}% ${formatCount(done)} of ${formatCount(total)} ${unit}`;
  const room = Math.min(BAR_WIDTH, width - label.length - figures.length - ' [] '.length);
  if (room < LEAST_BAR_WIDTH) return `${label} ${figures}`.slice(0, Math.max(0, width));
  const filled = Math.round(share * room);
  return `${label} [${'█'.repeat(filled)}${'░'.repeat(room - filled)}] ${figures}`;
}

/**
 * @param io       where to draw and to print
 * @param options  what it looks like
 * @returns a bar; one that only prints when standard error is not a terminal
 */
export function createProgressBar(io: CommandIo, options: ProgressBarOptions): ProgressBar {
  const nothing = (): void => undefined;
  const print = (text: string): void => {
    io.out(text);
  };
  if (!options.enabled || !io.errIsTerminal) return { update: nothing, print, stop: nothing };
  const stream = io.errStream;
  let state: { done: number; total: number } | undefined;
  let drawnAt = -Infinity;

  const erase = (): void => {
    cursorTo(stream, 0);
    clearLine(stream, 0);
  };
  const draw = (): void => {
    if (state === undefined) return;
    drawnAt = performance.now();
    const columns = 'columns' in stream ? Number(stream.columns) : DEFAULT_COLUMNS;
    // The last column stays free: a terminal may go to the next line when it is written.
    const text = barText(options, state.done, state.total, columns - 1);
    erase();
    stream.write(text);
  };
  return {
    update(done, total) {
      const first = state === undefined;
      state = { done, total };
      const due = performance.now() - drawnAt >= DRAW_INTERVAL_MS;
      if (first || due || done === total) draw();
    },
    print(text) {
      if (state !== undefined && io.outIsTerminal) erase();
      print(text);
      if (io.outIsTerminal) draw();
    },
    stop() {
      if (state !== undefined) erase();
      state = undefined;
    },
  };
}
