/**
 * Reads a run's results from their stream, each once, in the stream's order, whatever happens to the server.
 *
 *     consumer from `from` ─▶ message ─▶ from = its number + 1
 *         ▲ gone, silent or the server restarted ─┘ a new consumer from there
 *
 * A plain consumer without acknowledgement and one filter: the client's own "ordered" consumer asks for what
 * servers before 2.10 do not know.
 */
import type { Consumer, ConsumerMessages } from '@nats-io/jetstream';
import type { Engine, StreamMarks } from '../server/streams.js';

const NANOS = 1e6;
/** The server forgets the consumer of a reader that is gone after so long, in milliseconds. */
const INACTIVE_MS = 60_000;
/** Messages that the client asks for at a time. */
const AHEAD = 256;
/** Time between heartbeats of a silent stream, in milliseconds. */
const HEARTBEAT_MS = 1000;
const RETRY_MS = 200;
/** A reader that cannot begin tries again for so long, in milliseconds. */
const START_MS = 10_000;

/** Called with each message's data and its number in the stream. */
type OnResult = (data: Uint8Array, streamSequence: number) => void;

/** The results of one run. */
export class ResultReader {
  readonly #engine: Engine;
  readonly #run: string;
  readonly #onResult: OnResult;
  #from = 1;
  /** When the stream was made in which `from` counts. */
  #mark: string;
  #messages: ConsumerMessages | undefined;
  #closed = false;
  #loop: Promise<void> | undefined;

  constructor(engine: Engine, run: string, onResult: OnResult) {
    this.#engine = engine;
    this.#run = run;
    this.#onResult = onResult;
    this.#mark = engine.marks().results;
  }

  /** Starts reading; resolves with the number of messages that were there before. */
  async start(): Promise<number> {
    const until = performance.now() + START_MS;
    for (;;) {
      try {
        const consumer = await this.#consumer();
        const { num_pending: pending } = await consumer.info(true);
        this.#loop = this.#read(consumer);
        return pending;
      } catch (error) {
        // The server may be starting anew, or slow.
        if (this.#closed || this.#engine.nc.isClosed() || performance.now() > until) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Stops reading. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#messages?.stop();
    await this.#loop;
  }

  /**
   * Was everything up to a message of the stream taken in? Where the stream is another than the one that is read, the
   * answer is no, and reading begins anew.
   */
  hasRead(sequence: number, { results }: StreamMarks): boolean {
    if (results === this.#mark) return this.#from > sequence;
    this.#messages?.stop();
    return false;
  }

  /** Where to go on: in a stream that was made again, numbers begin again. What is read twice is dropped later. */
  async #renewed(): Promise<Consumer> {
    const { results } = await this.#engine.restore();
    if (results !== this.#mark) this.#from = 1;
    this.#mark = results;
    return await this.#consumer();
  }

  async #consumer(): Promise<Consumer> {
    const { jsm, js, names } = this.#engine;
    const { name } = await jsm.consumers.add(names.resultsStream, {
      filter_subject: names.results(this.#run),
      ack_policy: 'none',
      deliver_policy: 'by_start_sequence',
      opt_start_seq: this.#from,
      inactive_threshold: INACTIVE_MS * NANOS,
      mem_storage: true,
    });
    return await js.consumers.get(names.resultsStream, name);
  }

  async #read(first: Consumer): Promise<void> {
    let next = Promise.resolve(first);
    while (!this.#closed) {
      try {
        await this.#consume(await next);
      } catch {
        // The server is away or has forgotten the consumer: a new one goes on where this one was.
      }
      if ((this.#closed as boolean) || this.#engine.nc.isClosed()) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      next = this.#renewed();
    }
  }

  async #consume(consumer: Consumer): Promise<void> {
    const messages = await consumer.consume({
      max_messages: AHEAD,
      idle_heartbeat: HEARTBEAT_MS,
      expires: 30_000,
    });
    this.#messages = messages;
    if (this.#closed) messages.stop();
    void this.#watch(messages);
    for await (const message of messages) {
      this.#from = message.seq + 1;
      this.#onResult(message.data, message.seq);
    }
  }

  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      const isGone =
        type === 'consumer_not_found' ||
        type === 'consumer_deleted' ||
        type === 'stream_not_found' ||
        type === 'heartbeats_missed';
      if (isGone) messages.stop();
    }
  }
}
