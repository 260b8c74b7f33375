/**
 * Evidence: the lines that amounts rest on. A description holds numbers of lines; their texts come from whoever read
 * the log, and where nobody kept them the record itself is worded.
 */
import type { Evidence } from '../../explain-result.js';

/** Characters of a quoted line. */
const MAX_QUOTE = 160;

/** Quotes lines of the log. */
export class Quotes {
  readonly #lines: ReadonlyMap<number, string>;

  /** @param lines  texts of lines by number, as far as they were kept */
  constructor(lines: ReadonlyMap<number, string> = new Map()) {
    this.#lines = lines;
  }

  /**
   * The line of a record.
   * @param line   its number; 0 for a record that was not read from text
   * @param words  what the line says, where its text is not at hand
   */
  at(line: number, words: string): Evidence {
    if (line === 0) return { text: words };
    const text = this.#lines.get(line)?.trim() ?? words;
    return { line, text: text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text };
  }

  /** A record of a file beside the log. */
  beside(file: string, line: number, words: string): Evidence {
    return line === 0 ? { file, text: words } : { file, line, text: words };
  }

  /** A rule and its inputs. */
  formula(text: string): Evidence {
    return { text };
  }
}
