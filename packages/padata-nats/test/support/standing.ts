/** Says on the standard error where a test stands, whenever nothing has moved for a while. Decides nothing. */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const LOOK_MS = 15_000;

/** What a test tells of itself. */
interface Told {
  /** The server that it uses. */
  readonly url: () => string;
  /** What changes as long as something moves. */
  readonly moves: () => unknown;
  /** What else is worth to be known. */
  readonly more: () => unknown;
}

/** Where one test stands. */
export class Standing {
  readonly #told: Told;
  readonly #timer: ReturnType<typeof setInterval>;
  #step = 'begin';
  #before = '';

  constructor(told: Told) {
    this.#told = told;
    this.#timer = setInterval(() => {
      this.#look().catch(() => undefined);
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** The test goes on to its next step. */
  at(step: string): void {
    this.#step = step;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const now = JSON.stringify([this.#step, this.#told.moves()]);
    const moved = now !== this.#before;
    this.#before = now;
    if (moved) return;
    const found = await serverState(this.#told.url()).catch((error: unknown) => String(error));
    const lines = [`stands at '${this.#step}'`, now, JSON.stringify(this.#told.more()), found];
    process.stderr.write(`\n*** ${lines.join('\n    ')}\n`);
  }
}

/** Streams and consumers, a line each. */
async function serverState(url: string): Promise<string> {
  const nc = await connect({ servers: url, timeout: 3000, maxReconnectAttempts: 0 });
  try {
    const jsm = await jetstreamManager(nc);
    const lines: string[] = [];
    for await (const { config, state } of jsm.streams.list()) {
      const { messages, first_seq, last_seq } = state;
      lines.push(`${config.name} ${JSON.stringify({ messages, first_seq, last_seq })}`);
      for await (const one of jsm.consumers.list(config.name)) {
        const { delivered, ack_floor, num_ack_pending, num_pending, num_waiting } = one;
        const shown = { delivered, ack_floor, num_ack_pending, num_pending, num_waiting };
        lines.push(`  ${one.name} ${JSON.stringify(shown)}`);
      }
    }
    return lines.join('\n    ');
  } finally {
    await nc.close();
  }
}
