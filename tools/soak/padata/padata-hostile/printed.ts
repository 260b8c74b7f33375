/** What jobs print, as it arrives: the lines of one job are in order, and of a job that ended well none is missing. */

/** Lines of jobs by number. */
export class Printed {
  readonly #next = new Map<number, { line: number; of: number }>();
  /** Jobs before this one are of rounds that are over; their threads may have died with something to say. */
  #first = 0;
  readonly #report: (text: string) => void;

  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  /** A line of job `id`. */
  line(id: number, line: number, of: number): void {
    if (id < this.#first) return;
    const expected = this.#next.get(id)?.line ?? 0;
    // A job that is run again begins again.
    if (line !== expected && line !== 0) {
      this.#report(`job ${id} prints line ${line} of ${of} where line ${expected} is next`);
    }
    this.#next.set(id, { line: line + 1, of });
  }

  /** A round is over, these jobs of it have ended well; `calm`: no thread has died. */
  endRound(jobs: readonly number[], calm: boolean): void {
    for (const id of calm ? jobs : []) {
      const { line, of } = this.#next.get(id) ?? { line: 0, of: 1 };
      if (line < of) this.#report(`of what job ${id} prints ${line} of ${of} lines have come`);
    }
    for (const id of this.#next.keys()) this.#first = Math.max(this.#first, id + 1);
    this.#next.clear();
  }
}
