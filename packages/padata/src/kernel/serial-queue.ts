/**
 * A serial worker of an instance: runs serial callbacks one at a time, first come first served, across all
 * shells of the instance. A callback may return a promise; the next one waits for it.
 *
 * Callbacks run on the owner's thread. So "serial worker" is an order, not a place: two queues overlap only
 * where their callbacks wait.
 * @kernel padata_serial_worker
 */
import { Fifo } from '../base/fifo.js';
import { isThenable, whenSettled } from '../base/thenable.js';

/** One callback with its arguments bound. */
type SerialTask = () => unknown;

/** A queue of callbacks that never overlap. */
export class SerialQueue {
  readonly #tasks = new Fifo<SerialTask>();
  readonly #report: (error: unknown) => void;
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
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) {
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
