/**
 * What a worker publishes for a batch: its results, or the batch taken apart. Sealed with the run's key, large values beside.
 */
import { LargeValues } from '../server/large-values.js';
import type { Publisher } from '../server/publisher.js';
import type { Engine } from '../server/streams.js';
import { BatchType, splitBySize } from '../wire/batch.js';
import type { Batch } from '../wire/batch.js';
import { sealBatch, taggedRun } from '../wire/seal.js';
import { encodeError } from '../wire/values.js';
import type { Item } from '../wire/values.js';

/** What came of a batch. */
export interface Answer {
  readonly results: readonly Item[];
  /** Time of all its jobs together, in microseconds; 0 = not known. */
  readonly micros: number;
  /** They may have been run before. */
  readonly again: boolean;
}

/** The batch of a run that is answered. */
export interface Asked {
  readonly run: string;
  readonly key: Uint8Array;
  readonly batch: Batch;
}

/** Publishes answers. */
export class Answers {
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  readonly #large: LargeValues;

  constructor(engine: Engine, publisher: Publisher) {
    this.#engine = engine;
    this.#publisher = publisher;
    this.#large = new LargeValues(engine);
  }

  /** Stores results, in as many messages as their size asks for. */
  async publish({ run, key, batch }: Asked, answer: Answer): Promise<void> {
    const { results, micros, again } = answer;
    const { first, epoch = 0 } = batch;
    const { names, maxPayload } = this.#engine;
    const items = await Promise.all(
      results.map(async (item, i) => {
        try {
          return await this.#large.outgoing(item, `${run}.${first + i}.out`, key);
        } catch (error) {
          return encodeError(error);
        }
      }),
    );
    let from = first;
    for (const part of splitBySize(items, maxPayload)) {
      const sent = { type: BatchType.RESULTS, first: from, micros, epoch, again, items: part };
      await this.#publisher.publish(
        names.results(run),
        sealBatch(sent, key),
        names.resultsId(taggedRun(run, key), epoch, from, part.length),
      );
      from += part.length;
    }
  }

  /** A batch that came to nothing goes back as single jobs, so that one bad job cannot take others with it. */
  async takeApart(subject: string, { run, key, batch }: Asked): Promise<void> {
    const { first, epoch = 0, items } = batch;
    const { names } = this.#engine;
    await Promise.all(
      items.map((item, i) => {
        const one = {
          type: BatchType.JOBS,
          first: first + i,
          micros: 0,
          epoch,
          again: true,
          items: [item],
        };
        const id = names.jobsId(taggedRun(run, key), epoch, first + i, 1);
        return this.#publisher.publish(subject, sealBatch(one, key), id);
      }),
    );
  }
}
