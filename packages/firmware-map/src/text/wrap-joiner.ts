/**
 * Undoes the wrapping of logs whose own lines have a prefix: there, a line without one goes on where the line before
 * it ended, if its first word would not have fitted on that line.
 *
 *   [    0.000000] ACPI: SRAT: Node 1 PXM 1 [mem 0x100000000-0x13fffffff]
 *   hotplug                                                                  no prefix: a tail
 *   [    0.000000] NUMA: Initialized distance table, cnt=2
 *
 * A line is held until the one after it is seen. Tails that do not make a better record are handed on as lines of
 * their own: other programs write to consoles too.
 */
import { MAX_TAILS } from '../base/constants.js';
import { hasPrefix } from './clean-line.js';

/** A line and its number. */
export interface NumberedLine {
  readonly text: string;
  readonly line: number;
}

/** Characters that any log line may have before it is wrapped. */
const SHORTEST_WRAP = 66;

/** Holds one line back. */
export class WrapJoiner {
  #head: NumberedLine | undefined;
  #tails: NumberedLine[] = [];
  readonly #deliver: (head: NumberedLine, tails: readonly NumberedLine[]) => void;

  /** @param deliver  gets each line with what may be its tails */
  constructor(deliver: (head: NumberedLine, tails: readonly NumberedLine[]) => void) {
    this.#deliver = deliver;
  }

  /**
   * Takes a line.
   * @param isOwn  it is a record of some kind by itself, so it is no tail
   */
  push(text: string, line: number, isOwn: () => boolean): void {
    if (this.#isTail(text) && !isOwn()) {
      this.#tails.push({ text, line });
      return;
    }
    this.flush();
    this.#head = { text, line };
  }

  /** Delivers what is held. */
  flush(): void {
    const head = this.#head;
    const tails = this.#tails;
    this.#head = undefined;
    this.#tails = [];
    if (head !== undefined) this.#deliver(head, tails);
  }

  #isTail(text: string): boolean {
    if (this.#head === undefined || this.#tails.length >= MAX_TAILS) return false;
    const before = this.#tails.at(-1)?.text ?? this.#head.text;
    const word = text.trimStart().split(' ', 1)[0]!;
    const wouldHaveFitted = before.length + 1 + word.length < SHORTEST_WRAP;
    return !wouldHaveFitted && !hasPrefix(text);
  }
}
