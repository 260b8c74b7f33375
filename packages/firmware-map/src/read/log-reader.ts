/**
 * Reads the lines of a log one by one into a draft.
 *
 * One search (for all hints at once) decides whether a line can be a record at all; nearly all lines of a long log
 * end there. A line that begins a record without ending it is held back: mail programs and terminals wrap long
 * lines, so the next line may be its tail.
 *
 *   BIOS-e820: [mem                           held
 *   0x0000000000000000-0x000000000009fbff]    joined, still no kind: held
 *   usable                                    joined: a record, on the line it began
 */
import { MAX_WRAPPED_LINES } from '../base/constants.js';
import { Draft } from '../records/draft.js';
import { hasPrefix, timeAtStart } from '../text/clean-line.js';
import type { Joint, NumberedLine } from '../text/wrap-joiner.js';
import { BANK_RECOGNISERS } from '../records/bank-lines.js';
import { DEVICE_TREE_RECOGNISERS } from '../records/device-tree-lines.js';
import { IDENTITY_RECOGNISERS } from '../records/identity-lines.js';
import { MAP_RECOGNISERS } from '../records/map-lines.js';
import { FAILURE_RECOGNISERS } from '../records/failure-lines.js';
import { MEMBLOCK_RECOGNISERS } from '../records/memblock-lines.js';
import { NODE_RECOGNISERS } from '../records/node-lines.js';
import type { Outcome, Recogniser } from '../records/recogniser.js';
import { TOTAL_RECOGNISERS } from '../records/total-lines.js';
import { USE_RECOGNISERS } from '../records/use-lines.js';
import { readBlockLine, ZONE_RECOGNISERS } from '../records/zone-lines.js';
import { HintIndex } from './hint-index.js';

/** Seconds of kernel time after which a return to 0 is no jitter. */
const CLEARLY_LATER = 0.25;

const RECOGNISERS: readonly Recogniser[] = [
  ...IDENTITY_RECOGNISERS,
  ...MAP_RECOGNISERS,
  ...NODE_RECOGNISERS,
  ...ZONE_RECOGNISERS,
  ...TOTAL_RECOGNISERS,
  ...USE_RECOGNISERS,
  ...MEMBLOCK_RECOGNISERS,
  ...FAILURE_RECOGNISERS,
  ...DEVICE_TREE_RECOGNISERS,
  ...BANK_RECOGNISERS,
];
const HINTS = new HintIndex(RECOGNISERS.map(({ hint }) => hint));

function mayBeRecord(text: string): boolean {
  return HINTS.matching(text).length > 0;
}

/** A record that has begun and not ended. */
interface Held {
  text: string;
  readonly line: number;
  joined: number;
}

/** Reads log lines. */
export class LogReader {
  #held: Held | undefined;
  #wrapReported = false;

  /** True when the line may begin a record; cheap. */
  static mayBeRecord(text: string): boolean {
    return mayBeRecord(text);
  }

  /** True for what is printed before memory is handed over, and never later in a boot. */
  static isOfBeginning(text: string): boolean {
    return EARLY_ONLY.test(text);
  }

  /**
   * Takes one line.
   * @param text   the cleaned line
   * @param draft  the boot that it belongs to
   * @param line   its number
   * @returns true when it was a record, or part of one
   */
  take(text: string, draft: Draft, line: number): boolean {
    const isRecord = mayBeRecord(text);
    if (isRecord && beginsAnew(text, draft, line)) this.flush(draft);
    if (draft.isOver) return isRecord;
    if (this.#held !== undefined && this.#tryJoin(text, isRecord, draft, line)) return true;
    if (!isRecord) return readBlockLine(text, draft, line) === 'taken';
    return this.#readOrHold(text, draft, line);
  }

  /** Gives up on a held record: its tail never came. */
  flush(draft: Draft): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    if (read(held.text, draft, held.line, true) === 'taken') return;
    const message = `a record without its end: "${held.text.trim().slice(-80)}"`;
    draft.problems.warn('MALFORMED_LINE', held.line, message);
  }

  #readOrHold(text: string, draft: Draft, line: number): boolean {
    let outcome = read(text, draft, line, false);
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
    let outcome = read(joined, draft, held.line, false);
    if (outcome === undefined) {
      joined = held.text + tail;
      outcome = read(joined, draft, held.line, false);
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
    const { text, width = text.length } = parts[index - 1]!;
    const next = parts[index]!.text;
    const isBlank = joint === ' ' || text.length < width || next.startsWith(' ');
    whole += (isBlank ? ' ' : '') + next.trim();
  }
  return whole;
}

// What is printed before memory is handed over, and never later in a boot.
const EARLY_ONLY =
  /BIOS-e820|memblock_\w+:|MEMBLOCK config|SRAT: Node|Zone ranges|Early memory node|NODE_DATA|ommand line:/;
const KERNEL_TIME = /\[ *(\d{1,7}\.\d{6})\]/;

// Kernel time starts at 0.000000 once a boot. When it does so again without a banner, the log is repeated (saved
// twice in one file) or another boot follows whose beginning is lost; either must not be mixed into this one.
function beginsAnew(text: string, draft: Draft, line: number): boolean {
  if (draft.isOver) return false;
  const time = timeAtStart(text) ?? Number(KERNEL_TIME.exec(text)?.[1] ?? NaN);
  if (Number.isNaN(time)) return false;
  // Processors with clocks of their own print at 0 late in a boot, but no early records.
  if (time > 0 || draft.latestTime < CLEARLY_LATER || !EARLY_ONLY.test(text)) {
    draft.latestTime = Math.max(draft.latestTime, time);
    return false;
  }
  draft.isOver = true;
  const message =
    'kernel time starts at 0 again without a banner: log lines from here on are left out';
  draft.problems.warn('REPEATED_LOG', line, message);
  return true;
}

// Reads a line into a draft that is thrown away.
function tryOut(text: string): { isRecord: boolean; problems: number } {
  const scratch = new Draft(0);
  const isRecord = read(text, scratch, 0, false) === 'taken';
  return { isRecord, problems: scratch.problems.list().length };
}

function read(text: string, draft: Draft, line: number, final: boolean): Outcome {
  let partial: Outcome;
  for (const index of HINTS.matching(text)) {
    const outcome = RECOGNISERS[index]!.read(text, draft, line, final);
    if (outcome === 'taken') return outcome;
    partial ??= outcome;
  }
  return partial;
}
