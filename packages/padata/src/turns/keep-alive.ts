/** The process stays alive while jobs are under way, and a moment longer, as more usually come. */
import { setTimeout } from '../base/host-time.js';
import type { Crew } from '../crew/crew.js';

/** How long the process is kept alive after the last delivery, in milliseconds. */
const UNREF_MS = 5;

/** Keeps the threads of one pool ref'd. */
export class KeepAlive {
  /** They are. */
  isOn = false;
  readonly #crew: Crew;
  readonly #isBusy: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param isBusy are jobs submitted and not delivered? */
  constructor(crew: Crew, isBusy: () => boolean) {
    this.#crew = crew;
    this.#isBusy = isBusy;
  }

  /** A job was submitted. */
  begin(): void {
    this.isOn = true;
    this.#crew.ref();
  }

  /** Something was delivered. */
  check(): void {
    if (!this.isOn || this.#timer !== undefined || this.#isBusy()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isBusy()) return;
      this.isOn = false;
      this.#crew.unref();
    }, UNREF_MS);
  }
}
