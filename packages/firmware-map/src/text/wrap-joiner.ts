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
 *
 * Mailers wrap between words; screens cut at their last column, in the middle of a number as well. Lines that all end
 * at the same column were cut, and their parts belong together without a blank.
 */
import { MAX_TAILS } from '../base/constants.js';
import { hasPrefix } from './clean-line.js';

/** A line and its number. */
export interface NumberedLine {
  readonly text: string;
  readonly line: number;
  /** Characters of the line before anything was taken off its ends. */
  readonly width: number;
  /** Characters of the kernel time that it begins with; 0 for none. */
  readonly prefix: number;
}

/** What stood between the parts of a line, the likely one first. */
export type Joint = '' | ' ';

const NO_JOINTS: readonly Joint[] = [];

/** Characters that any log line may have before it is wrapped. */
const SHORTEST_WRAP = 66;

/** Widths of screens; mailers wrap before them. */
const SCREENS: ReadonlySet<number | undefined> = new Set([80, 100, 120, 132]);

type Deliver = (
  head: NumberedLine,
  tails: readonly NumberedLine[],
  joints: readonly Joint[],
) => void;

/** Holds one line back. */
export class WrapJoiner {
  #head: NumberedLine | undefined;
  #tails: NumberedLine[] = [];
  #column: number | undefined;
  #endsVary = false;
  readonly #deliver: Deliver;
  readonly #isOwn: (text: string) => boolean;

  /**
   * @param deliver  gets each line with what may be its tails
   * @param isOwn    whether a line is a record of some kind by itself, so that it is no tail
   */
  constructor(deliver: Deliver, isOwn: (text: string) => boolean) {
    this.#deliver = deliver;
    this.#isOwn = isOwn;
  }

  /** Takes a line. */
  push(part: NumberedLine): void {
    if (this.#isTail(part) && !this.#isOwn(part.text)) {
      this.#tails.push(part);
      return;
    }
    this.flush();
    this.#head = part;
  }

  /** Delivers what is held. */
  flush(): void {
    const head = this.#head;
    const tails = this.#tails;
    this.#head = undefined;
    // Hardly any line has tails.
    if (tails.length > 0) this.#tails = [];
    if (head !== undefined) this.#deliver(head, tails, this.#jointsOf(head, tails));
  }

  // Every part but the last of a line that was cut ends at the same column, and so do those of all other lines.
  #jointsOf(head: NumberedLine, tails: readonly NumberedLine[]): readonly Joint[] {
    if (tails.length === 0) return NO_JOINTS;
    const isFirst = this.#column === undefined;
    this.#column ??= head.width;
    const widths = [head, ...tails.slice(0, -1)].map(({ width }) => width);
    this.#endsVary ||= widths.some((width) => width !== this.#column);
    const isCut = !this.#endsVary && (!isFirst || widths.length > 1 || SCREENS.has(this.#column));
    return isCut ? ['', ' '] : [' ', ''];
  }

  #isTail({ text, prefix }: NumberedLine): boolean {
    if (prefix > 0 || this.#head === undefined || this.#tails.length >= MAX_TAILS) return false;
    const before = this.#tails.at(-1)?.text ?? this.#head.text;
    const word = text.trimStart().split(' ', 1)[0]!;
    const wouldHaveFitted = before.length + 1 + word.length < SHORTEST_WRAP;
    return !wouldHaveFitted && !hasPrefix(text);
  }
}
