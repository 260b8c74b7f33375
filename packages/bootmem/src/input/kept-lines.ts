/** Texts of a log's lines, kept so that they can be quoted: a bounded number of them, each cut. */

/** Lines that are kept at most. */
const MAX_LINES = 131_072;
/** Characters of a line that are kept. */
const MAX_LENGTH = 200;

/** Lines of a log by number. */
export class KeptLines {
  readonly #texts = new Map<number, string>();

  /** Keeps a line, unless there are too many. */
  keep(line: number, text: string): void {
    // Joining and cutting copies: a piece of a line would keep its whole chunk of input alive.
    if (this.#texts.size < MAX_LINES) this.#texts.set(line, ` ${text}`.slice(1, MAX_LENGTH));
  }

  /** What was kept. */
  get texts(): ReadonlyMap<number, string> {
    return this.#texts;
  }
}
