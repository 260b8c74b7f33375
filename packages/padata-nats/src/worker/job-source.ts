/**
 * Takes messages for one module from the server, never more than this worker can hold.
 *
 *     free places ─▶ one request for so many ─▶ messages ─▶ handle ─▶ place free again
 *
 * A request ends after a second at the latest, so that a worker that leaves does not abandon messages that the
 * server has already given it.
 */
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { ensureConsumer, mendConsumer } from '../server/job-consumer.js';
import type { Engine } from '../server/streams.js';

const REQUEST_MS = 1000;
const RETRY_MS = 250;
/** The consumer is looked at again when nothing has come for so long, in milliseconds. */
const IDLE_MS = 10_000;

/** Places for messages, shared by the sources of a worker. */
export class Places {
  readonly limit: number;
  #taken = 0;
  #waiters: (() => void)[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get free(): number {
    return this.limit - this.#taken;
  }

  take(): void {
    this.#taken += 1;
  }

  give(): void {
    this.#taken -= 1;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Resolves at the next `give`, or when `wake` is called. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** The messages of one module. */
export class JobSource {
  readonly #engine: Engine;
  readonly #token: string;
  readonly #ackWaitMs: number;
  readonly #onAckWait: (ms: number) => void;
  readonly #places: Places;
  readonly #handle: (message: JsMsg) => Promise<void>;
  #stopping = false;
  /** When a message came, or the consumer was looked at. */
  #knownAt = 0;
  #isInDoubt = false;

  constructor(options: {
    engine: Engine;
    token: string;
    ackWaitMs: number;
    /** Told how long the server waits for a sign of life: the consumer may be older than this worker. */
    onAckWait: (ms: number) => void;
    places: Places;
    handle: (message: JsMsg) => Promise<void>;
  }) {
    this.#engine = options.engine;
    this.#token = options.token;
    this.#ackWaitMs = options.ackWaitMs;
    this.#onAckWait = options.onAckWait;
    this.#places = options.places;
    this.#handle = options.handle;
  }

  /** Takes messages until `stop`; resolves when no more will come. */
  async run(): Promise<void> {
    let consumer: Consumer | undefined;
    while (!this.#stopping) {
      if (this.#places.free <= 0) {
        await this.#places.changed();
        continue;
      }
      try {
        const isIdle = performance.now() - this.#knownAt >= IDLE_MS;
        if (isIdle || this.#isInDoubt) consumer = undefined;
        consumer ??= await this.#consumer();
        await this.#fetch(consumer);
      } catch {
        // The server is away or the consumer is gone: look again.
        consumer = undefined;
        if (this.#engine.nc.isClosed()) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** The server may be another than before: looks at the consumer before the next request. */
  doubt(): void {
    this.#isInDoubt = true;
  }

  /** No more requests; the one under way ends by itself. */
  stop(): void {
    this.#stopping = true;
    this.#places.wake();
  }

  async #consumer(): Promise<Consumer> {
    const { js, names } = this.#engine;
    this.#knownAt = performance.now();
    this.#isInDoubt = false;
    this.#onAckWait(await ensureConsumer(this.#engine, this.#token, this.#ackWaitMs));
    // One that cannot be mended is better than none: what it passes over is sent again.
    await mendConsumer(this.#engine, this.#token).catch(() => undefined);
    return await js.consumers.get(names.jobsStream, names.consumer(this.#token));
  }

  async #fetch(consumer: Consumer): Promise<void> {
    const messages = await consumer.fetch({
      max_messages: this.#places.free,
      expires: REQUEST_MS,
    });
    for await (const message of messages) {
      this.#places.take();
      this.#knownAt = performance.now();
      void this.#handle(message).finally(() => {
        this.#places.give();
      });
    }
  }
}
