/**
 * The oldest input that waits behind a job of another thread, as a thread that looks for work sees it: at the last look, and
 * when it last asked for it.
 */
export class KeptInput {
  #sequence = 0;
  /** 0 = none was seen. */
  #worker = 0;
  #askedSequence = 0;
  #askedWorker = 0;

  /** A look begins. */
  forget(): void {
    this.#worker = 0;
  }

  /** It waits for this thread, 1 …. */
  see(sequence: number, worker: number): void {
    this.#sequence = sequence;
    this.#worker = worker;
  }

  /** The last look has seen one. */
  get isSeen(): boolean {
    return this.#worker !== 0;
  }

  /** Is it the one that it was when this was asked before? undefined = there is none. */
  ask(): boolean | undefined {
    const isStill = this.#askedSequence === this.#sequence && this.#askedWorker === this.#worker;
    this.#askedSequence = this.#sequence;
    this.#askedWorker = this.#worker;
    return this.isSeen ? isStill : undefined;
  }
}
