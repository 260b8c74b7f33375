/**
 * Reads a run's results from their stream, each once, in the stream's order, whatever happens to the server.
 *
 *     consumer after `last` ─▶ message ─▶ last = it
 *         ▲ gone, silent or the server restarted ─┘ a new consumer: after `last` where that is still there, else from the first
 *
 * A number proves nothing: a stream that was made again, or lost its last messages, gives the same numbers again. A message that is
 * still there by number and time proves that all before it were read. What is read twice is dropped later.
 *
 * A plain consumer without acknowledgement and one filter: the client's own "ordered" consumer asks for what
 * servers before 2.10 do not know.
 */
import type { Consumer, ConsumerMessages } from '@nats-io/jetstream';
import { isNotFound } from '../server/streams.js';
import type { Engine } from '../server/streams.js';

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

/** Times of a message, in milliseconds, that are the same: one is told in text, the other as a number too large to be exact. */
const SAME_MS = 1;

/** By what a message of the stream is known again. */
interface Known {
  readonly seq: number;
  readonly time: Date;
}

/** Who is told. */
interface Listener {
  /** A message's data and its number in the stream. */
  readonly onResult: (data: Uint8Array, streamSequence: number) => void;
  /** Numbers that were told before mean nothing any more: reading begins with the first message there is. */
  readonly onAnew: () => void;
}

/** The results of one run. */
export class ResultReader {
  readonly #engine: Engine;
  readonly #run: string;
  readonly #listener: Listener;
  /** The message that was read last. */
  #last: Known | undefined;
  #messages: ConsumerMessages | undefined;
  #closed = false;
  #loop: Promise<void> | undefined;

  constructor(engine: Engine, run: string, listener: Listener) {
    this.#engine = engine;
    this.#run = run;
    this.#listener = listener;
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
   * Was everything in the stream taken in? If not, reading is begun anew: what is there should have come long ago.
   * @param last the run's last message there, undefined = there is none
   */
  hasRead(last: Known | undefined): boolean {
    if (last === undefined || isSame(last, this.#last)) return true;
    // Not this one, and not one after it: where the server has lost what was read last, the next consumer finds out.
    this.#messages?.stop();
    return false;
  }

  /** Where to go on. */
  async #renewed(): Promise<Consumer> {
    await this.#engine.restore();
    if (!(await this.#hasLast())) {
      this.#last = undefined;
      this.#listener.onAnew();
    }
    return await this.#consumer();
  }

  /** Is the message that was read last still there, the same? */
  async #hasLast(): Promise<boolean> {
    const last = this.#last;
    if (last === undefined) return true;
    const { jsm, names } = this.#engine;
    try {
      const found = await jsm.streams.getMessage(names.resultsStream, { seq: last.seq });
      return found !== null && isSame(found, last);
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #consumer(): Promise<Consumer> {
    const { jsm, js, names } = this.#engine;
    const { name } = await jsm.consumers.add(names.resultsStream, {
      filter_subject: names.results(this.#run),
      ack_policy: 'none',
      deliver_policy: 'by_start_sequence',
      opt_start_seq: (this.#last?.seq ?? 0) + 1,
      inactive_threshold: INACTIVE_MS * NANOS,
      mem_storage: true,
    });
    return await js.consumers.get(names.resultsStream, name);
  }

  async #read(first: Consumer): Promise<void> {
    let consumer: Consumer | undefined = first;
    while (!this.#closed) {
      try {
        await this.#consume(consumer ?? (await this.#renewed()));
      } catch {
        // The server is away or has forgotten the consumer: a new one goes on where this one was.
      }
      consumer = undefined;
      if ((this.#closed as boolean) || this.#engine.nc.isClosed()) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
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
      this.#last = { seq: message.seq, time: message.time };
      this.#listener.onResult(message.data, message.seq);
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

function isSame(one: Known, other: Known | undefined): boolean {
  if (one.seq !== other?.seq) return false;
  return Math.abs(one.time.getTime() - other.time.getTime()) <= SAME_MS;
}
