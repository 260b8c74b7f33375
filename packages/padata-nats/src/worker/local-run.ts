/**
 * A run in one worker: a series of the worker's own pool, made at the run's first job.
 */
import { PadataError } from '@bootmem/padata';
import type { Series, WorkPool } from '@bootmem/padata';
import type { RunInfo } from '../server/run-info.js';
import { failureItem, resultItem } from '../wire/job-answer.js';
import type { Item } from '../wire/values.js';
import type { SharedChunk } from './chunk-function.js';

/** Jobs of one run in one worker at most; batches that are held are fewer. */
const WINDOW = 4096;

/** One run's jobs here. */
export class LocalRun {
  readonly info: RunInfo;
  /** When the last job came, by `performance.now()`. */
  usedAt = performance.now();
  readonly #series: Series;
  readonly #host: string;

  /** @param href what the worker's threads import for the run's module */
  constructor(pool: WorkPool, info: RunInfo, href: string, host: string) {
    this.info = info;
    this.#host = host;
    const { kind, name, shared, idempotent, slotBytes, inputBytes, graceMs } = info;
    const isAsked = info.isAsked ?? true;
    const chunk: SharedChunk = { href, name, arg: shared, isAsked };
    this.#series = pool.series({
      fn:
        kind === 'range'
          ? { module: new URL('./chunk-function.js', import.meta.url), name: 'runChunk' }
          : { module: href, name },
      shared: kind === 'range' ? chunk : shared,
      window: WINDOW,
      idempotent,
      ...(slotBytes === undefined ? {} : { slotBytes }),
      ...(inputBytes === undefined ? {} : { inputBytes }),
      ...(graceMs === undefined ? {} : { graceMs }),
    });
  }

  /**
   * Runs a job; resolves with its result or its error for the wire, and never rejects.
   * @param more further jobs of the same batch follow: one answer for all
   */
  run(sequence: number, input: unknown, more = false): Promise<Item> {
    this.usedAt = performance.now();
    const place = { sequence, host: this.#host };
    return new Promise((resolve) => {
      try {
        this.#series.submit(
          input,
          (error, value) => {
            resolve(error === undefined ? resultItem(place, value) : failureItem(place, error));
          },
          undefined,
          more,
        );
      } catch (error) {
        resolve(failureItem(place, error));
      }
    });
  }

  /** Asks running jobs to stop. */
  abort(): void {
    this.#series.abort(new PadataError('ERR_PADATA_CLOSED', 'the run was aborted'));
  }

  /** Lets go of the series when its jobs are done. */
  async close(): Promise<void> {
    await this.#series.close();
  }
}
