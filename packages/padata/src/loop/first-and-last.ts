/**
 * What a thread does before its first job and after its last: it sets itself up, and waits for what it has begun, for its
 * imports and for what it has printed before it ends.
 */
import { toErrorRecord } from '../base/error-record.js';
import { performance } from '../base/host-time.js';
import { later } from '../threads/timers.js';
import type { FromWorker } from '../protocol/messages.js';
import type { ThreadSetup } from '../threads/thread-setup.js';
import type { UnderWay } from './under-way.js';
import type { ThreadOutput } from './worker-host.js';

/**
 * A thread that is to end waits for its imports so long, in milliseconds, and for so many turns of its event loop: a
 * top-level await may never end, and on a busy machine a second may be a few turns.
 */
const LOAD_MS = 1000;
const LOAD_TURNS = 250;

interface EndingLoop {
  readonly output: ThreadOutput | undefined;
  readonly underWay: UnderWay;
  /** The pool closes. */
  isStopped(): boolean;
  /** One turn of its loop, which its owner counts. */
  turn(): void;
  /** Lets the event loop, and the thread's own, go round once. */
  goRound(): Promise<void>;
  post(message: FromWorker): void;
}

/** Of one thread. */
export class FirstAndLast {
  /** Ends when the thread is set up: no function is there before. Undefined = it is. */
  settingUp: Promise<void> | undefined;
  readonly #loop: EndingLoop;
  /** It is set up, or could not be. */
  #isSetUpOver = false;

  constructor(loop: EndingLoop) {
    this.#loop = loop;
  }

  /**
   * Functions wait for it. It takes as long as its owner lets it, also when the thread is to leave meanwhile.
   * @param failed it could not be set up
   */
  setUp(setup: ThreadSetup, failed: () => void): void {
    const { underWay } = this.#loop;
    underWay.beginSetup();
    this.settingUp = new Promise((resolve) => {
      // What it leaves behind for right after is its own, so the thread has to live through that.
      const done = setup.run().then(() => this.#loop.goRound());
      done.then(
        () => {
          this.#loop.post({ t: 'setUp' });
          this.#isSetUpOver = true;
          this.settingUp = undefined;
          underWay.endSetup();
          resolve();
        },
        (error: unknown) => {
          this.#loop.post({ t: 'setUp', error: toErrorRecord(error) });
          this.#isSetUpOver = true;
          failed();
          underWay.endSetup();
        },
      );
    });
  }

  /** Nothing of the program's runs any more, or it was asked to end and does not. */
  async tearDown(setup: ThreadSetup): Promise<void> {
    while (!this.#isSetUpOver) await this.#breathe();
    if (!setup.isDone) return;
    await this.#moments(() => this.#loop.underWay.hasMore());
    this.#loop.post({ t: 'tearDown' });
    let isOver = false;
    setup.tearDown().then(
      () => {
        this.#loop.post({ t: 'tornDown' });
        isOver = true;
      },
      (error: unknown) => {
        this.#loop.post({ t: 'tearDown', error: toErrorRecord(error) });
        isOver = true;
      },
    );
    const isOverNow = (): boolean => isOver;
    while (!isOverNow()) await this.#breathe();
    await this.settle();
  }

  /** A thread that ends in the middle of an import leaves the file open. */
  async untilImported(): Promise<void> {
    await this.#moments(() => this.#loop.underWay.imports > 0);
  }

  /** It ends soon. */
  async settle(): Promise<void> {
    if (this.#loop.isStopped()) await this.untilImported();
    // The owner ends a thread that takes too long, unless it goes on turning and what it printed goes on leaving.
    while (this.#loop.output?.isPending === true) await this.#breathe();
  }

  /** Waits, for as long as a thread that is to end does. */
  async #moments(isUnderWay: () => boolean): Promise<void> {
    const until = performance.now() + LOAD_MS;
    for (let turns = 0; isUnderWay(); turns += 1) {
      if (turns >= LOAD_TURNS && performance.now() >= until) return;
      await this.#breathe();
    }
  }

  /** A moment of its event loop. */
  async #breathe(): Promise<void> {
    this.#loop.turn();
    await later(1);
  }
}
