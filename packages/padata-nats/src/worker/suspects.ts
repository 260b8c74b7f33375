/**
 * Jobs that may have been begun elsewhere.
 *
 * Not idempotent: whoever begins a batch says so first, in a message that can be stored once. Who finds it there
 * leaves the jobs alone. The server's count of deliveries would not do: it takes one back when it finds the
 * worker's connection closed, though the worker may have begun.
 *
 *     batch ─▶ first to say "begun"? ─▶ run
 *                   ├ no, of this very message ─▶ its jobs fail: they may have been run
 *                   └ no, of another message of the same jobs: somebody published them once more ─▶ let go of
 *
 * Idempotent and delivered before without an answer: under suspicion. The worker may have died of it, or beside it.
 *
 *     suspect ─▶ its turn: one suspect at a time ─▶ tries < most? ─▶ tries + 1, stored ─▶ run
 *                                                       └ no ─▶ poison
 *
 * Here too the server's count says little: a job that waits in a worker while its neighbour kills
 * it is delivered again too. What counts is how often a job was begun alone. The count is stored before each try,
 * so whoever survives it knows.
 */
import { randomUUID } from 'node:crypto';
import type { Publisher } from '../server/publisher.js';
import { lastMessage } from '../server/run-info.js';
import type { Engine } from '../server/streams.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What one worker knows of such jobs. */
export class Suspects {
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, publisher: Publisher) {
    this.#engine = engine;
    this.#publisher = publisher;
  }

  /**
   * Says that a batch is begun.
   * @param message its number in the stream of jobs, and the epoch that it was sent in
   * @returns 'first': nobody had; 'again': somebody may have begun it before; 'copy': another message of these jobs was begun
   */
  async begin(
    run: string,
    sequence: number,
    message: { readonly seq: number; readonly epoch: number },
  ): Promise<'first' | 'again' | 'copy'> {
    const subject = this.#engine.names.tries(run, sequence);
    const mine = `begun ${message.epoch} ${message.seq} ${randomUUID()}`;
    if (await this.#publisher.publishFirst(subject, encoder.encode(mine))) return 'first';
    const stored = await lastMessage(this.#engine, subject);
    const found = stored === undefined ? '' : decoder.decode(stored);
    // It was stored, and the answer was lost.
    if (found === mine) return 'first';
    const [, epoch, seq] = found.split(' ');
    const isCopy = Number(epoch) === message.epoch && Number(seq) !== message.seq;
    return isCopy ? 'copy' : 'again';
  }

  /**
   * Runs a job alone among suspects.
   * @param most times that it may be run like this
   * @returns false when it was tried as often already; it is not run then
   */
  tryAlone(
    run: string,
    sequence: number,
    most: number,
    work: () => Promise<void>,
  ): Promise<boolean> {
    const mine = this.#turn.then(() => this.#try(run, sequence, most, work));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #try(
    run: string,
    sequence: number,
    most: number,
    work: () => Promise<void>,
  ): Promise<boolean> {
    const subject = this.#engine.names.tries(run, sequence);
    const stored = await lastMessage(this.#engine, subject);
    const tries = stored === undefined ? 0 : Number(decoder.decode(stored));
    if (tries >= most) return false;
    await this.#publisher.publish(subject, encoder.encode(String(tries + 1)));
    await work();
    return true;
  }
}
