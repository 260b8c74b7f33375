/**
 * What the server is told of deliveries: how far they are, for whoever resumes the run, and which results can go.
 *
 *     delivered ─▶ position stored (one publication at a time, the last one wins) ─▶ results below it are trimmed
 *
 * The position may lag, never lead: a run that keeps one trims only what is below the stored one. Where the run's name is another
 * submitter's, so are position and results: nothing is touched.
 */
import type { Publisher } from '../server/publisher.js';
import type { Engine } from '../server/streams.js';

/** Results taken in before those that are delivered are taken off the server. */
const TRIM_EVERY = 512;

const encoder = new TextEncoder();

/** The deliveries of one run. */
export class Delivered {
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  readonly #run: string;
  readonly #keepsPosition: boolean;
  readonly #isOurs: () => boolean;
  /** Messages of results by number, and the last job in each; oldest first. */
  #arrived: { readonly stream: number; readonly last: number }[] = [];
  #next = 0;
  #saved = -1;
  #saving = false;
  #over = false;

  constructor(
    engine: Engine,
    publisher: Publisher,
    {
      run,
      keepsPosition,
      isOurs,
    }: {
      readonly run: string;
      readonly keepsPosition: boolean;
      /** The name is this submitter's. */
      readonly isOurs: () => boolean;
    },
  ) {
    this.#engine = engine;
    this.#publisher = publisher;
    this.#run = run;
    this.#keepsPosition = keepsPosition;
    this.#isOurs = isOurs;
  }

  /** The stored position of a resumed run. */
  startAt(position: number): void {
    this.#next = position;
    this.#saved = position;
  }

  /** All jobs below `next` are delivered. */
  upTo(next: number): void {
    this.#next = next;
    if (this.#keepsPosition) void this.#save();
  }

  /** A message of results came; trims when there is enough to trim. */
  arrived(stream: number, last: number): void {
    this.#arrived.push({ stream, last });
  }

  /** Numbers of messages begin again: those that are known name others now. */
  anew(): void {
    this.#arrived = [];
  }

  /** Takes results off the server that are delivered, and whose position is stored. */
  trim(): void {
    const safe = this.#keepsPosition ? this.#saved : this.#next;
    let count = 0;
    while (count < this.#arrived.length && this.#arrived[count]!.last < safe) count += 1;
    if (count < TRIM_EVERY || !this.#isOurs()) return;
    const upTo = this.#arrived[count - 1]!.stream;
    this.#arrived = this.#arrived.slice(count);
    const { jsm, names } = this.#engine;
    jsm.streams
      .purge(names.resultsStream, { filter: names.results(this.#run), seq: upTo + 1 })
      .catch(() => undefined);
  }

  stop(): void {
    this.#over = true;
  }

  async #save(): Promise<void> {
    if (this.#saving) return;
    this.#saving = true;
    try {
      while (this.#saved !== this.#next && !this.#over && this.#isOurs()) {
        const position = this.#next;
        const subject = this.#engine.names.position(this.#run);
        await this.#publisher.publish(subject, encoder.encode(String(position)));
        this.#saved = position;
      }
    } catch {
      // The position lags: a resumed run delivers more of what was delivered before.
    } finally {
      this.#saving = false;
    }
  }
}
