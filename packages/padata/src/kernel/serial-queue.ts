/**
 * A serial worker of an instance: runs serial callbacks one at a time, first come first served, across all
 * shells of the instance. A callback may return a promise; the next one waits for it.
 *
 * Callbacks run on the owner's thread. So "serial worker" is an order, not a place: two queues overlap only
 * where their callbacks wait.
 * @kernel padata_serial_worker
 */
import { isThenable, whenSettled } from '../base/thenable.js';

/** One callback with its arguments bound. */
type SerialTask = () => unknown;

/** A queue of callbacks that never overlap. */
export class SerialQueue {
  readonly #tasks: SerialTask[] = [];
  readonly #report: (error: unknown) => void;
  #at = 0;
  #busy = false;

  /** @param report takes the error of a callback that throws or rejects */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Appends a callback; runs it now if the queue is idle. */
  push(task: SerialTask): void {
    this.#tasks.push(task);
    if (!this.#busy) this.#run();
  }

  #run(): void {
    this.#busy = true;
    while (this.#at < this.#tasks.length) {
      const task = this.#tasks[this.#at]!;
      this.#at += 1;
      if (this.#at === this.#tasks.length) {
        this.#tasks.length = 0;
        this.#at = 0;
      }
      try {
        const result = task();
        if (isThenable(result)) {
          const next = (): void => {
            this.#run();
          };
          whenSettled(result, next, (error) => {
            this.#report(error);
            next();
          });
          return;
        }
      } catch (error) {
        this.#report(error);
      }
    }
    this.#busy = false;
  }
}
