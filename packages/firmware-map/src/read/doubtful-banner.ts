/**
 * A line that looks like the banner of another boot but lacks the prefix of the log's own lines: /proc/version repeats the banner.
 * It was a banner if lines of a boot follow it at once. A kernel may warn at length before it says anything of itself: where the
 * release is another one, the first record without a prefix that only a beginning has tells so as well.
 */
import { hasPrefix } from '../text/clean-line.js';
import type { NumberedLine } from '../text/wrap-joiner.js';
import { isOfBeginning } from './log-reader.js';
import { mayBeRecord } from './recognisers.js';

/** Lines in which any record tells that it was one. */
const AT_ONCE = 5;

export class DoubtfulBanner {
  readonly banner: NumberedLine;
  readonly #isOther: boolean;
  #linesLeft = AT_ONCE;

  /** @param isOther  it names a release that the log before it does not */
  constructor(banner: NumberedLine, isOther: boolean) {
    this.banner = banner;
    this.#isOther = isOther;
  }

  /** What the next line tells of it; `undefined` where it is still open. */
  after(text: string): 'banner' | 'none' | undefined {
    const isRecord = mayBeRecord(text);
    const isAtOnce = this.#linesLeft > 0;
    this.#linesLeft--;
    if (isRecord && (isAtOnce || (isOfBeginning(text) && !hasPrefix(text)))) return 'banner';
    const isOver = this.#linesLeft <= 0 && (!this.#isOther || (isRecord && hasPrefix(text)));
    return isOver ? 'none' : undefined;
  }
}
