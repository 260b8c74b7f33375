/**
 * Publishing that outlives a restart of the server: a message is published until the server says that it is
 * stored, always under the same id, so that it is stored once.
 *
 *     publish ─▶ stored ─▶ done
 *        ▲  ├─ no answer, no server ─▶ wait, twice as long each time ─┐
 *        │  └─ nobody stores its subject ─▶ streams that are gone are made again
 *        └────────────────────────────────────────────────────────────┘
 *     refused (too large, storage full, no permission), or not stored by a server that is there, for too long ─▶ error
 */
import type { MsgHdrs } from '@nats-io/transport-node';
import type { JetStreamPublishOptions, PubAck } from '@nats-io/jetstream';
import { textOf } from '../wire/errors.js';
import { Pause, fullTextOf, isPassing } from './passing.js';
import { MOST_REFUSED_MS, Patience } from './pulse.js';
import { serverError } from './streams.js';
import type { Engine } from './streams.js';

/** Time for one answer, in milliseconds. */
const ANSWER_MS = 3000;

/** No stream takes the subject, or there are no streams at all. */
const NOBODY = /no responders/i;

/** Publishes into streams. Many publications may be under way at once. */
export class Publisher {
  readonly #engine: Engine;
  readonly #mostRefusedMs: number;
  #restoring: Promise<unknown> | undefined;
  #stopped = false;

  /** @param mostRefusedMs time that a server which is there may not store a message; Infinity = without end */
  constructor(engine: Engine, mostRefusedMs: number = MOST_REFUSED_MS) {
    this.#engine = engine;
    this.#mostRefusedMs = mostRefusedMs;
  }

  /**
   * Resolves when the message is stored.
   * @param id      message id; the same message keeps it whoever publishes it
   * @param headers what else is said of it
   * @throws ERR_PADATA_NATS_SERVER when the server refuses, is there and does not store it for a minute, or the connection was closed
   *   for good
   */
  publish(subject: string, data: Uint8Array, id?: string, headers?: MsgHdrs): Promise<PubAck> {
    return this.#untilStored(subject, data, {
      ...(id === undefined ? {} : { msgID: id }),
      ...(headers === undefined ? {} : { headers }),
    });
  }

  /**
   * Publishes if nothing is stored under the subject. After a passing error the answer may be false although
   * the message is this one: whoever asks must take false as "somebody, perhaps I".
   * @returns whether this is the subject's first message
   * @throws as `publish`
   */
  async publishFirst(subject: string, data: Uint8Array): Promise<boolean> {
    return (await this.publishAfter(subject, data, 0)) !== undefined;
  }

  /**
   * Publishes if the subject's last message is still this one. Undefined means "somebody, perhaps I", as above.
   * @param last    number of the subject's last message; 0 = none is stored
   * @param headers what else is said of it
   * @returns the message's number
   * @throws as `publish`
   */
  async publishAfter(
    subject: string,
    data: Uint8Array,
    last: number,
    headers?: MsgHdrs,
  ): Promise<number | undefined> {
    try {
      const stored = await this.#untilStored(subject, data, {
        expect: { lastSubjectSequence: last },
        ...(headers === undefined ? {} : { headers }),
      });
      return stored.seq;
    } catch (error) {
      if (/wrong last sequence/i.test(textOf(error))) return undefined;
      throw error;
    }
  }

  /** No more tries: what is under way fails with its next error. */
  stop(): void {
    this.#stopped = true;
  }

  async #untilStored(
    subject: string,
    data: Uint8Array,
    options: Partial<JetStreamPublishOptions>,
  ): Promise<PubAck> {
    const { nc, js, pulse } = this.#engine;
    const patience = new Patience(pulse, this.#mostRefusedMs);
    const pause = new Pause();
    for (;;) {
      try {
        return await js.publish(subject, data, {
          timeout: ANSWER_MS,
          ...options,
        });
      } catch (error) {
        const isFinal = this.#stopped || nc.isClosed() || !isPassing(error);
        if (isFinal || (await patience.isOver())) {
          throw serverError(`a message for ${subject} was not stored`, error);
        }
        if (NOBODY.test(fullTextOf(error))) await this.#restore();
      }
      await pause.next();
    }
  }

  /** Makes streams that are gone again, once for all that wait for them. */
  async #restore(): Promise<void> {
    this.#restoring ??= this.#engine.restore().finally(() => {
      this.#restoring = undefined;
    });
    try {
      await this.#restoring;
    } catch {
      // The server refuses, or this user may not: the next try says so.
    }
  }
}
