/**
 * The boots of an input, one after the other. At most two are kept: the one that is being read, and the best of those before it.
 *
 *   … banner ── boot 0 ── banner ── boot 1 ── banner ── boot 2 …
 *                 kept while it may be asked for          current
 */
import type { ProblemList } from '../base/problem-list.js';
import { Draft } from '../records/draft.js';
import { isBeforeBanner, saysAnything, saysWhereMemoryIs } from './finish.js';
import type { ReadOptions } from './read-options.js';
import { uselessness, type LineCounts } from './verdict.js';

/** A boot, and its place among those of the input. */
export interface Boot {
  readonly draft: Draft;
  readonly index: number;
}

export class Boots {
  readonly #wanted: number | 'last';
  #current = new Draft(1);
  #index = 0;
  #kept: Boot | undefined;

  constructor({ boot = 'last' }: ReadOptions) {
    this.#wanted = boot;
  }

  /** The boot that lines belong to now. */
  get current(): Draft {
    return this.#current;
  }

  /** Boots so far. */
  get count(): number {
    return this.#index + 1;
  }

  /**
   * A banner begins a boot. What came before it counts as one when it said where memory is; files of /proc that
   * stand before the log belong to it, and so do lines of memblock that come before the banner.
   */
  begin(line: number): void {
    const draft = this.#current;
    if (isBeforeBanner(draft)) return;
    if (saysWhereMemoryIs(draft)) {
      if (this.#wants(this.#index, draft)) this.#kept = { draft, index: this.#index };
      this.#index++;
      this.#current = new Draft(line);
    } else if (draft.kernel !== undefined || !saysAnything(draft)) this.#current = new Draft(line);
  }

  /** The boot that is asked for; where it is none or of no use, the problems get the reason. */
  choose(problems: ProblemList, counts: LineCounts): Boot | undefined {
    const wanted = this.#wanted;
    const current = { draft: this.#current, index: this.#index };
    if (wanted !== 'last') {
      const chosen = wanted === current.index ? current : this.#kept;
      if (chosen === undefined) {
        const message = `boot ${wanted} was asked for; the input holds ${this.count} (0 … ${this.#index})`;
        problems.error('NO_SUCH_BOOT', counts.lines, message);
        return undefined;
      }
      return isOfUse(chosen.draft, problems, counts) ? chosen : undefined;
    }
    if (this.#kept !== undefined && !saysWhereMemoryIs(current.draft)) return this.#kept;
    if (!isOfUse(current.draft, problems, counts)) return undefined;
    if (current.index > 0) {
      const message = `the input holds ${this.count} boots; this is the last (choose one with "boot")`;
      problems.warn('MULTIPLE_BOOTS', current.draft.firstLine, message);
    }
    return current;
  }

  #wants(index: number, draft: Draft): boolean {
    return this.#wanted === 'last' ? saysWhereMemoryIs(draft) : this.#wanted === index;
  }
}

// Reports why a boot is of no use.
function isOfUse(draft: Draft, problems: ProblemList, counts: LineCounts): boolean {
  if (saysAnything(draft)) return true;
  problems.addAll(draft.problems.list());
  if (draft.addressesHidden) return false;
  const [code, message] = uselessness(draft, counts);
  problems.error(code, Math.max(1, counts.lines), message);
  return false;
}
