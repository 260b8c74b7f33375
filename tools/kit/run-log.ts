/** What long runs (soaks and fuzzers) print: faults as they come, a line a minute, a last line with the sums. */

const MOST_PRINTED = 20;
const MINUTE = 60_000;

/** What a run counts, in words. */
export interface Nouns {
  readonly done: string;
  readonly faults: string;
}

/** The books of one run. */
export class RunLog {
  readonly #name: string;
  readonly #nouns: Nouns;
  readonly #start = performance.now();
  #lastLine = this.#start;
  /** How much was done. */
  done = 0;
  /** How often something did not hold. */
  faults = 0;

  constructor(name: string, nouns: Nouns = { done: 'operations', faults: 'violations' }) {
    this.#name = name;
    this.#nouns = nouns;
  }

  /** Something did not hold; the first twenty are printed. */
  fault(text: string): void {
    this.faults += 1;
    if (this.faults <= MOST_PRINTED) console.log(`${this.#name}: ${text}`);
  }

  /** True when so many minutes have passed. */
  over(minutes: number): boolean {
    return performance.now() - this.#start >= minutes * MINUTE;
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Prints a line if a minute has passed since the last one. */
  tick(status = ''): void {
    if (performance.now() - this.#lastLine < MINUTE) return;
    this.#lastLine = performance.now();
    console.log(`${this.#sums()}${status && `, ${status}`}`);
  }

  /** Prints the last line and sets the exit code. */
  finish(): void {
    console.log(this.#sums());
    if (this.faults > 0) process.exitCode = 1;
  }

  #sums(): string {
    return `${this.#name}: ${this.done} ${this.#nouns.done}, ${this.faults} ${this.#nouns.faults}`;
  }
}
