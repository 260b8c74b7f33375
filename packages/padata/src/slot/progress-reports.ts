/**
 * What one job reports of its progress. A report that comes soon after one that was sent waits, and the next takes its place: a
 * function may report in its innermost loop. What waits is sent by the first report that comes later, by a timer while the
 * function awaits something, or at its end.
 */
import { clearTimeout, performance, setTimeout } from '../base/host-time.js';

/** So long after a report the next one waits, in milliseconds. */
const PAUSE_MS = 10;

/** The reports of one job. */
export class ProgressReports {
  readonly #post: (value: unknown) => void;
  #sentAt = -Infinity;
  #waits = false;
  #value: unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: (value: unknown) => void) {
    this.#post = post;
  }

  /** @param every it is not to be left out */
  add(value: unknown, every: boolean): void {
    const now = every ? Infinity : performance.now();
    if (now - this.#sentAt < PAUSE_MS) {
      this.#waits = true;
      this.#value = value;
      return;
    }
    this.#sentAt = now;
    this.#waits = false;
    this.#post(value);
  }

  /** Sends what waits now. */
  send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#waits) return;
    const value = this.#value;
    this.#waits = false;
    this.#value = undefined;
    this.#sentAt = performance.now();
    this.#post(value);
  }

  /** Sends what waits soon; the thread's event loop runs. */
  sendLater(): void {
    if (!this.#waits) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      try {
        this.send();
      } catch {
        // It cannot be cloned, and its function is elsewhere by now: it is left out.
      }
    }, PAUSE_MS);
  }
}
