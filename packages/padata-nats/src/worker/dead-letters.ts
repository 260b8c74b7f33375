/**
 * Messages that cannot be used: noise, another version's, sealed by somebody else, of a run whose description is none.
 *
 *     delivered ─▶ usable ─▶ …
 *                   └ no ─▶ back, for other workers or a better description ─▶ the third time: P.dead.RUN, given up
 *
 * Under P.dead.RUN it lies as it came, with the reason, the subject and the worker's host as headers.
 */
import { headers } from '@nats-io/transport-node';
import type { JsMsg } from '@nats-io/jetstream';
import { hostname } from 'node:os';
import type { Publisher } from '../server/publisher.js';
import type { Engine } from '../server/streams.js';
import { PadataNatsError, textOf } from '../wire/errors.js';
import { isName } from '../wire/names.js';
import { inHeader } from '../wire/shown.js';

/** Deliveries of a message that could not be used. */
const MOST_DELIVERIES = 3;
/** Time before the next one, in milliseconds. */
const AGAIN_MS = 500;
/** Characters of a reason. */
const LONGEST_REASON = 200;
/** Characters of a subject: longer ones are no run's. */
const LONGEST_SUBJECT = 300;

/** Where messages lie whose subject names no run. */
const NO_RUN = '_';

/** Whether a message cannot be used, however often it is tried: what comes from the server passes. */
export function isUnusable(error: unknown): boolean {
  if (!(error instanceof PadataNatsError)) return false;
  return error.code === 'ERR_PADATA_NATS_WIRE' || error.details['isGone'] === true;
}

/** Puts such messages aside. */
export class DeadLetters {
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  #count = 0;

  constructor(engine: Engine, publisher: Publisher) {
    this.#engine = engine;
    this.#publisher = publisher;
  }

  /** Messages that were put aside. */
  get count(): number {
    return this.#count;
  }

  /**
   * Gives a message back, or puts it aside when it was given back often enough.
   * @throws ERR_PADATA_NATS_SERVER when it cannot be stored; it comes again then
   */
  async take(message: JsMsg, run: string, error: unknown): Promise<void> {
    if (message.info.deliveryCount < MOST_DELIVERIES) {
      message.nak(AGAIN_MS);
      return;
    }
    const { names, maxPayload } = this.#engine;
    const said = headers();
    // Headers are lines, and a subject may hold anything but spaces.
    said.set('Padata-Reason', inHeader(textOf(error), LONGEST_REASON));
    said.set('Padata-Subject', inHeader(message.subject, LONGEST_SUBJECT));
    said.set('Padata-Host', hostname());
    await this.#engine.keepDead();
    const data = message.data.subarray(0, maxPayload);
    const id = `dead:${message.seq}:${message.timestampNanos}`;
    await this.#publisher.publish(names.dead(isName(run) ? run : NO_RUN), data, id, said);
    this.#count += 1;
    message.term();
  }
}
