/** The series of a pool, from the first to the last: they end with it. */
import type { PadataError } from '../../base/errors.js';
import type { SeriesOptions } from '../../series/series-types.js';
import { Series } from '../../series/series.js';
import type { SeriesHost } from '../../series/series.js';

/** Those that are not closed. */
export class PoolSeries {
  readonly #open = new Set<Series>();
  readonly #host: SeriesHost;
  #nextRing = 1;

  constructor(host: Omit<SeriesHost, 'workers' | 'nextRing' | 'onClosed'>) {
    this.#host = {
      ...host,
      workers: () => Array.from({ length: host.capacity }, (_, i) => i + 1),
      nextRing: () => this.#nextRing++,
      onClosed: (series) => {
        this.#open.delete(series);
      },
    };
  }

  /** See `WorkPool.series`. @param firstSequence its first sequence number, modulo 2^32 */
  make<F>(options: SeriesOptions<F>, firstSequence: number): Series<F> {
    const series = new Series<F>(options, this.#host, firstSequence);
    this.#open.add(series);
    return series;
  }

  /** Nothing more is accepted; resolves when what was has ended. */
  async drain(): Promise<void> {
    await Promise.all([...this.#open].map((series) => series.close()));
  }

  abort(error: PadataError): void {
    for (const series of this.#open) series.abort(error);
  }
}
