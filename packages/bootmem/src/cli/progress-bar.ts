/**
 * A progress bar on a terminal, nothing elsewhere. Draws to standard error so that standard output stays
 * clean for pipes; the bar is removed when it stops.
 */
import cliProgress from 'cli-progress';
import type { CommandIo } from './io.js';
import { formatCount } from '../format/numbers.js';

/** A bar that counts pages. */
export interface ProgressBar {
  /** Sets how far it is; `total` may still grow. */
  update(done: number, total: number): void;
  /** Removes the bar; may be called twice. */
  stop(): void;
}

/**
 * @param io      where to draw
 * @param label   what is going on, a few words
 * @param enabled false with `--quiet` and `--json`
 * @returns a bar; one that does nothing when standard error is not a terminal
 */
export function createProgressBar(io: CommandIo, label: string, enabled: boolean): ProgressBar {
  if (!enabled || !io.errIsTerminal) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar(
    {
      stream: io.errStream,
      format: `${label} [{bar}] {percentage}% {doneText} of {totalText} pages`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      linewrap: null,
      fps: 20,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      const payload = { doneText: formatCount(done), totalText: formatCount(total) };
      if (!started) {
        started = true;
        bar.start(Math.max(total, 1), done, payload);
        return;
      }
      bar.setTotal(Math.max(total, 1));
      bar.update(done, payload);
    },
    stop() {
      if (!started) return;
      started = false;
      bar.stop();
    },
  };
}
