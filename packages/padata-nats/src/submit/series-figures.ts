/** Figures of a series: how its jobs ended, and how long they took. */
import type { SeriesStats } from '@bootmem/padata';
import { Histogram } from '@bootmem/padata/backend';

/** Counts what is delivered. */
export class SeriesFigures {
  #failed = 0;
  readonly #latency = new Histogram();
  readonly #wait = new Histogram();
  readonly #run = new Histogram();

  /**
   * A job was delivered.
   * @param ms       since its submission, in milliseconds
   * @param runMs    of them in its function, as far as its worker tells
   * @param isFailed it has an error
   */
  delivered(ms: number, runMs: number, isFailed: boolean): void {
    this.#latency.add(ms);
    this.#run.add(runMs);
    this.#wait.add(ms - runMs);
    if (isFailed) this.#failed += 1;
  }

  /** As they are now. */
  summary(): Pick<SeriesStats, 'failed' | 'wait' | 'run' | 'latency'> {
    return {
      failed: this.#failed,
      wait: this.#wait.summary(),
      run: this.#run.summary(),
      latency: this.#latency.summary(),
    };
  }
}
