/**
 * Publishing that outlives a restart of the server: a message is published until the server says that it is
 * stored, always under the same id, so that it is stored once.
 *
 *     publish ─▶ stored ─▶ done
 *        ▲  └─ no answer, no server ─▶ wait, twice as long each time ─┐
 *        └──────────────────────────────────────────────────────────┘
 *     refused (too large, storage full, no permission) ─▶ error
 */
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { JetStreamClient, JetStreamPublishOptions, PubAck } from '@nats-io/jetstream';
import { textOf } from '../wire/errors.js';
import { serverError } from './streams.js';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
/** Time for one answer, in milliseconds. */
const ANSWER_MS = 3000;

/** Errors that another try may not meet. */
const PASSING = /timeout|no responders|disconnect|temporarily|unavailable|reset|connection/i;

/** Publishes into streams. Many publications may be under way at once. */
export class Publisher {
  readonly #nc: NatsConnection;
  readonly #js: JetStreamClient;
  #stopped = false;

  constructor(nc: NatsConnection, js: JetStreamClient) {
    this.#nc = nc;
    this.#js = js;
  }

  /**
   * Resolves when the message is stored.
   * @param id      message id; the same message keeps it whoever publishes it
   * @param headers what else is said of it
   * @throws ERR_PADATA_NATS_SERVER when the server refuses, or the connection was closed for good
   */
  publish(subject: string, data: Uint8Array, id?: string, headers?: MsgHdrs): Promise<PubAck> {
    return this.#untilStored(subject, data, {
      ...(id === undefined ? {} : { msgID: id }),
      ...(headers === undefined ? {} : { headers }),
    });
  }

  /**
   * Publishes if nothing was ever published to the subject. After a passing error the answer may be false although
   * the message is this one: whoever asks must take false as "somebody, perhaps I".
   * @returns whether this is the subject's first message
   * @throws as `publish`
   */
  async publishFirst(subject: string, data: Uint8Array): Promise<boolean> {
    try {
      await this.#untilStored(subject, data, { expect: { lastSubjectSequence: 0 } });
      return true;
    } catch (error) {
      if (/wrong last sequence/i.test(textOf(error))) return false;
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
    let waitMs = FIRST_WAIT_MS;
    for (;;) {
      try {
        return await this.#js.publish(subject, data, {
          timeout: ANSWER_MS,
          ...options,
        });
      } catch (error) {
        const text = `${textOf(error)} ${textOf((error as Error).cause)}`;
        if (this.#stopped || this.#nc.isClosed() || !PASSING.test(text)) {
          throw serverError(`a message for ${subject} was not stored`, error);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  }
}
