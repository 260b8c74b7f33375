/** Tells when a series has stood still: jobs are under way and none was delivered for `watchdogMs`. */
import type { SeriesOptions, StallReport } from '@bootmem/padata';
import { checkInteger } from '@bootmem/padata/backend';

/** What is watched. */
interface Watched {
  /** Sequence number of the next job to be delivered. */
  readonly next: () => number;
  /** Jobs sent and not delivered. */
  readonly held: () => number;
}

/** A watch over a series; silent without `watchdogMs` and `onStall`. */
export class StallWatch {
  #movedAt = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  /** @throws ERR_PADATA_ARGUMENT when `watchdogMs` is no whole number of milliseconds */
  constructor({ watchdogMs, onStall }: SeriesOptions, { next, held }: Watched) {
    if (watchdogMs === undefined || onStall === undefined) return;
    checkInteger('watchdogMs', watchdogMs, 1, 0x7fffffff);
    const look = (): void => {
      const now = performance.now();
      const outstanding = held();
      if (outstanding === 0) this.#movedAt = now;
      const ms = now - this.#movedAt;
      if (ms < watchdogMs) return;
      this.#movedAt = now;
      const report: StallReport = {
        seq: next(),
        state: 'sent',
        worker: 0,
        ms,
        behind: outstanding - 1,
      };
      onStall(report);
    };
    this.#timer = setInterval(look, Math.max(1, watchdogMs / 4));
    this.#timer.unref();
  }

  /** A job was delivered at that time. */
  moved(now: number): void {
    this.#movedAt = now;
  }

  /** Ends the watch. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
