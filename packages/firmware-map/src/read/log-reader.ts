/**
 * Reads the lines of a log one by one into a draft.
 *
 * Most records are lines of a usual shape, and read as such. Of the others one search (for all hints at once) decides
 * whether they can be records at all; nearly all lines of a long log end there. A line that begins a record without
 * ending it is held back: mail programs and terminals wrap long lines, so the next line may be its tail.
 *
 *   BIOS-e820: [mem                           held
 *   0x0000000000000000-0x000000000009fbff]    joined, still no kind: held
 *   usable                                    joined: a record, on the line it began
 */
import { MAX_WRAPPED_LINES } from '../base/constants.js';
import type { Draft } from '../records/draft.js';
import { hasPrefix, timeBefore } from '../text/clean-line.js';
import { LineCodes } from '../text/line-codes.js';
import type { Joint, NumberedLine } from '../text/wrap-joiner.js';
import { readBlockLine } from '../records/zone-lines.js';
import { candidates, recognise, tryOut } from './recognisers.js';
import { UsualLines } from './usual-lines.js';

/** Seconds of kernel time after which a return to 0 is no jitter. */
const CLEARLY_LATER = 0.25;

/** Whether a line is one that is printed before memory is handed over, and never later in a boot. */
export function isOfBeginning(text: string): boolean {
  return EARLY_ONLY.test(text);
}

/** A record that has begun and not ended. */
interface Held {
  text: string;
  readonly line: number;
  joined: number;
}

/** Reads log lines. */
export class LogReader {
  readonly #usual = new UsualLines();
  readonly #codes = new LineCodes();
  #held: Held | undefined;
  #wrapReported = false;

  /**
   * Takes one line.
   * @param draft  the boot that it belongs to
   * @returns true when it was a record, or part of one
   */
  take({ text, line, prefix }: NumberedLine, draft: Draft): boolean {
    const codes = this.#codes.set(text);
    if (this.#takeUsual(text, prefix, draft, line)) return true;
    const of = candidates(text, codes);
    const isRecord = of.length > 0;
    if (isRecord && beginsAnew(text, prefix, draft, line)) this.flush(draft);
    if (draft.isOver) return isRecord;
    if (this.#held !== undefined && this.#tryJoin(text, isRecord, draft, line)) return true;
    if (!isRecord) return readBlockLine(text, draft, line) === 'taken';
    return this.#readOrHold(text, draft, line, of);
  }

  // Nothing is held that the line may go on, and it is no sign of a log that begins anew.
  #takeUsual(text: string, prefix: number, draft: Draft, line: number): boolean {
    if (this.#held !== undefined || draft.isOver) return false;
    const shape = this.#usual.find(text, this.#codes, prefix);
    if (shape === undefined) return false;
    const time = prefix > 0 ? timeBefore(text, prefix) : -1;
    if (time === 0 && draft.latestTime >= CLEARLY_LATER) return false;
    if (!shape.take(this.#usual.fields, draft, line)) return false;
    if (time > draft.latestTime && shape.isOfBlock !== true) draft.latestTime = time;
    return true;
  }

  /** Gives up on a held record: its tail never came. */
  flush(draft: Draft): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    if (recognise(held.text, draft, held.line, { final: true }) === 'taken') return;
    const message = `a record without its end: "${held.text.trim().slice(-80)}"`;
    draft.problems.warn('MALFORMED_LINE', held.line, message);
  }

  #readOrHold(text: string, draft: Draft, line: number, of: readonly number[]): boolean {
    let outcome = recognise(text, draft, line, { of });
    outcome ??= readBlockLine(text, draft, line);
    if (outcome === 'partial') this.#held = { text, line, joined: 0 };
    return outcome !== undefined;
  }

  // Appends the line to the held record when it can be its tail.
  #tryJoin(text: string, isRecord: boolean, draft: Draft, line: number): boolean {
    const held = this.#held!;
    const tail = text.trim();
    if (isRecord || tail === '' || hasPrefix(text)) {
      this.flush(draft);
      return false;
    }
    let joined = `${held.text} ${tail}`;
    let outcome = recognise(joined, draft, held.line);
    if (outcome === undefined) {
      joined = held.text + tail;
      outcome = recognise(joined, draft, held.line);
    }
    if (outcome === 'taken') {
      this.#held = undefined;
      this.reportWrap(draft, line);
      return true;
    }
    if (outcome === 'partial' && held.joined + 1 < MAX_WRAPPED_LINES) {
      held.text = joined;
      held.joined++;
      return true;
    }
    this.flush(draft);
    return false;
  }

  /**
   * Joins a line with those of its tails that make a record of it, and no worse one than it is alone.
   * @param tails   lines that may go on where the head ends, in order
   * @param joints  what may have stood between them, the likely one first
   */
  join(
    head: NumberedLine,
    tails: readonly NumberedLine[],
    joints: readonly Joint[],
  ): { text: string; count: number } {
    if (tails.length === 0) return { text: head.text, count: 0 };
    const alone = tryOut(head.text);
    for (let count = tails.length; count > 0; count--) {
      for (const joint of joints) {
        const text = joinParts([head, ...tails.slice(0, count)], joint);
        const joined = tryOut(text);
        if (!joined.isRecord) continue;
        if (!alone.isRecord || joined.problems <= alone.problems) return { text, count };
      }
    }
    return { text: head.text, count: 0 };
  }

  /** Notes, once, that records are wrapped. */
  reportWrap(draft: Draft, line: number): void {
    if (this.#wrapReported) return;
    this.#wrapReported = true;
    const message = 'records are wrapped over several lines here; they are joined where they fit';
    draft.problems.warn('WRAPPED_LINE', line, message);
  }
}

// A blank at the column where a line was cut is lost with the other blanks at its ends, but for the length it had.
function joinParts(parts: readonly NumberedLine[], joint: Joint): string {
  let whole = parts[0]!.text;
  for (let index = 1; index < parts.length; index++) {
    const { text, width } = parts[index - 1]!;
    const next = parts[index]!.text;
    const isBlank = joint === ' ' || text.length < width || next.startsWith(' ');
    whole += (isBlank ? ' ' : '') + next.trim();
  }
  return whole;
}

const EARLY_ONLY =
  /BIOS-e820|memblock_\w+:|MEMBLOCK config|SRAT: Node|Zone ranges|Early memory node|NODE_DATA|ommand line:/;
const KERNEL_TIME = /\[ *(\d{1,7}\.\d{6})\]/;

// Kernel time starts at 0.000000 once a boot. When it does so again without a banner, the log is repeated (saved
// twice in one file) or another boot follows whose beginning is lost; either must not be mixed into this one.
function beginsAnew(text: string, prefix: number, draft: Draft, line: number): boolean {
  if (draft.isOver) return false;
  const time = prefix > 0 ? timeBefore(text, prefix) : Number(KERNEL_TIME.exec(text)?.[1] ?? NaN);
  if (Number.isNaN(time)) return false;
  // Processors with clocks of their own print at 0 late in a boot, but no early records.
  if (time > 0 || draft.latestTime < CLEARLY_LATER || !isOfBeginning(text)) {
    draft.latestTime = Math.max(draft.latestTime, time);
    return false;
  }
  draft.isOver = true;
  const message =
    'kernel time starts at 0 again without a banner: log lines from here on are left out';
  draft.problems.warn('REPEATED_LOG', line, message);
  return true;
}
