/**
 * Is the server there: connected, and answering? A server that is away is waited for, for ever if need be; one that is there and
 * does not do what it is asked for refuses, and that has a bound.
 *
 *     refused ─▶ there? ─ yes ─▶ its time counts ─▶ more than the bound: over
 *                        └ no ─▶ what went before counts no more
 */
import type { NatsConnection } from '@nats-io/transport-node';

/** Time that a server which is there may refuse, in milliseconds. */
export const MOST_REFUSED_MS = 60_000;
/** Time for an answer, in milliseconds. */
const ANSWER_MS = 3000;
/** Time between two refusals that counts at most, in milliseconds: a machine may have slept meanwhile. */
const LONGEST_STEP_MS = MOST_REFUSED_MS / 2;

/** What can be asked whether the server is there. */
type Asked = Pick<NatsConnection, 'rtt'>;

/** Asks the server for a sign of life, once for all who want to know at the same time. */
export class Pulse {
  readonly #nc: Asked;
  #asked: Promise<boolean> | undefined;

  constructor(nc: Asked) {
    this.#nc = nc;
  }

  /** Whether it answers within three seconds. Never rejects. */
  isThere(): Promise<boolean> {
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  async #ask(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => {
        resolve(false);
      }, ANSWER_MS);
    });
    const answered = this.#nc.rtt().then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([answered, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** For how long one thing was refused. */
export class Patience {
  readonly #pulse: Pulse;
  readonly #mostMs: number;
  #refusedMs = 0;
  /** When it was refused last, undefined before the first time. */
  #since: number | undefined;

  /** @param mostMs Infinity = without end */
  constructor(pulse: Pulse, mostMs: number = MOST_REFUSED_MS) {
    this.#pulse = pulse;
    this.#mostMs = mostMs;
  }

  /** To be called at each refusal: whether the server was there and refused for longer than the bound. */
  async isOver(): Promise<boolean> {
    if (this.#mostMs === Infinity) return false;
    const isThere = await this.#pulse.isThere();
    const now = performance.now();
    if (isThere) this.#refusedMs += Math.min(now - (this.#since ?? now), LONGEST_STEP_MS);
    else this.#refusedMs = 0;
    this.#since = now;
    return this.#refusedMs > this.#mostMs;
  }

  /** It was done. */
  renew(): void {
    this.#refusedMs = 0;
    this.#since = undefined;
  }
}
