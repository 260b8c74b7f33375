/**
 * The way of an input:
 *
 *   chunks ─▶ LineSplitter ─▶ LineForms ─▶ cleanLine ─▶ WrapJoiner ─▶ LogReader / readProcLine ─▶ Boots ─▶ finishDraft
 *               │ long lines wait            │ a banner: next boot
 *               └ JSON: kept to its end
 */
import { MAX_LINE_LENGTH } from '../base/constants.js';
import { FirmwareMapError } from '../base/errors.js';
import { parseJson } from '../base/parse-json.js';
import { ProblemList } from '../base/problem-list.js';
import type { ReadResult } from '../base/read-result.js';
import { atOnce, type Steps } from '../base/steps.js';
import { fromJsonSteps } from '../json/json.js';
import { BANNER } from '../records/identity-lines.js';
import { mayBeProcLine, readProcLine } from '../records/proc-lines.js';
import { cleanLine, hasMarks, hasPrefix, holdsBinary, isOdd, timeEnd } from '../text/clean-line.js';
import { linesInJson } from '../text/json-lines.js';
import { LineForms } from '../text/line-forms.js';
import { LineSplitter } from '../text/line-splitter.js';
import { WrapJoiner, type Joint, type NumberedLine } from '../text/wrap-joiner.js';
import { Boots } from './boots.js';
import { DoubtfulBanner } from './doubtful-banner.js';
import { finishDraft } from './finish.js';
import { isDescription, isLoggersJson, isNamed, JsonText } from './json-text.js';
import { LogReader } from './log-reader.js';
import type { ReadOptions } from './read-options.js';
import { mayBeRecord } from './recognisers.js';

/** Lines of a log that one line of a file may hold and still count as one: a message of several lines. */
const FEW_INNER_LINES = 16;

/** A physical line that is still to be taken. */
interface Waiting {
  readonly raw: string;
  readonly number: number;
  readonly cut: boolean;
}

/** Reads one input; `createReader` says what each call does. */
export class StreamReader {
  readonly #options: ReadOptions;
  readonly #splitter: LineSplitter;
  readonly #forms = new LineForms();
  readonly #log = new LogReader();
  readonly #joiner: WrapJoiner;
  readonly #problems = new ProblemList();
  readonly #boots: Boots;
  #doubtful: DoubtfulBanner | undefined;
  #json: JsonText | undefined;
  #binaryLines = 0;
  #textLines = 0;
  /** Lines that stood in others, beyond one in each. */
  #innerLines = 0;
  /** A long line, which may hold a whole log in JSON, and the lines that came behind it: they are taken in steps. */
  #waiting: Waiting[] = [];
  #finished = false;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#boots = new Boots(options);
    this.#splitter = new LineSplitter((raw, number, cut) => {
      const isLong = raw.length > MAX_LINE_LENGTH;
      if (isLong || this.#waiting.length > 0) this.#waiting.push({ raw, number, cut });
      else this.#line(raw, number, cut);
    });
    this.#joiner = new WrapJoiner(
      (head, tails, joints) => {
        this.#unwrap(head, tails, joints);
      },
      (text) => mayBeRecord(text) || mayBeProcLine(text),
    );
  }

  push(chunk: string | Uint8Array): void {
    atOnce(this.takeSteps(chunk));
  }

  finish(): ReadResult {
    return atOnce(this.finishSteps());
  }

  /** `push`, to be interrupted. */
  *takeSteps(chunk: string | Uint8Array): Steps<void> {
    this.#checkOpen();
    this.#splitter.push(chunk);
    yield* this.#takeWaiting();
  }

  /** `finish`, to be interrupted. */
  *finishSteps(): Steps<ReadResult> {
    this.#checkOpen();
    this.#splitter.finish();
    this.#finished = true;
    yield* this.#takeWaiting();
    if (this.#json !== undefined) return yield* this.#finishJson(this.#json);
    this.#forms.finish((line) => {
      this.#textLine(line, this.#splitter.lineCount, false);
    });
    this.#endLog();
    const { lineCount: lines, byteCount: bytes } = this.#splitter;
    const counts = { lines, textLines: this.#textLines, binaryLines: this.#binaryLines };
    const chosen = this.#boots.choose(this.#problems, counts);
    if (chosen === undefined) return { ok: false, problems: this.#problems.list() };
    const { draft, index } = chosen;
    draft.problems.addAll(this.#problems.list());
    yield;
    const description = yield* finishDraft(draft, {
      ...(this.#options.name === undefined ? {} : { name: this.#options.name }),
      lines: lines + this.#innerLines,
      bytes,
      bootCount: this.#boots.count,
      bootIndex: index,
      firstLine: draft.firstLine,
      lastLine: draft.lastLine,
    });
    return { ok: true, description };
  }

  #checkOpen(): void {
    if (!this.#finished) return;
    throw new FirmwareMapError('ERR_FIRMWARE_MAP_FINISHED', 'this reader has finished');
  }

  *#takeWaiting(): Steps<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    for (const { raw, number, cut } of waiting) {
      yield* this.#steps(raw, number, cut);
    }
    this.#waiting = [];
  }

  #line(raw: string, number: number, cut: boolean): void {
    // Of a description that has begun long ago.
    if (this.#json?.isSure === true) {
      this.#json.add(raw);
      return;
    }
    const isBegun = this.#textLines > 0 && this.#json === undefined;
    const prefix = isBegun ? timeEnd(raw) : 0;
    // Nearly all lines of a log that has begun.
    if (prefix > 0 && !cut && this.#forms.isIdle && !hasMarks(raw)) {
      const line = number + this.#innerLines;
      this.#clean({ text: raw.trimEnd(), line, width: raw.length, prefix });
    } else if (isBegun && this.#forms.isPlain(raw)) {
      this.#textLine(raw, number + this.#innerLines, cut);
    } else atOnce(this.#steps(raw, number, cut));
  }

  *#steps(raw: string, number: number, cut: boolean): Steps<void> {
    if (this.#json !== undefined) {
      yield* this.#jsonLine(this.#json, raw, number);
      return;
    }
    if (this.#textLines === 0 && (yield* isDescription(raw))) {
      this.#json = new JsonText();
      yield* this.#jsonLine(this.#json, raw.replace(/^\ufeff/, ''), number);
      return;
    }
    let inner = 0;
    const first = number + this.#innerLines;
    yield* this.#forms.take(raw, (line) => {
      this.#textLine(line, first + inner, cut);
      inner++;
    });
    if (inner > FEW_INNER_LINES) this.#innerLines += inner - 1;
  }

  #textLine(line: string, number: number, cut: boolean): void {
    const raw = line.length > MAX_LINE_LENGTH ? line.slice(0, MAX_LINE_LENGTH) : line;
    if (cut || raw !== line) {
      const message = 'the line is cut; its tail is not read';
      this.#boots.current.problems.warn('LINE_TOO_LONG', number, message);
    }
    const isClean = !isOdd(raw);
    if (!isClean && holdsBinary(raw)) this.#binaryLines++;
    const text = isClean ? raw.trimEnd() : cleanLine(raw);
    if (text === '') return;
    this.#clean({ text, line: number, width: raw.length, prefix: timeEnd(text) });
  }

  /** A line of which everything around its message is taken off. */
  #clean(line: NumberedLine): void {
    const { text } = line;
    this.#textLines++;
    const isBanner = text.includes('Linux version') && BANNER.test(text);
    if (isBanner && this.#isDoubtful(text)) {
      const isOther = BANNER.exec(text)![1] !== this.#boots.current.kernel?.release;
      this.#doubtful = new DoubtfulBanner(line, isOther);
      return;
    }
    if (this.#doubtful !== undefined) this.#settle(this.#doubtful, text);
    if (isBanner) this.#startBoot(line.line);
    this.#read(line);
  }

  #isDoubtful(text: string): boolean {
    const { kernel, hasPrefixes } = this.#boots.current;
    return kernel !== undefined && hasPrefixes === true && !hasPrefix(text);
  }

  #settle(doubtful: DoubtfulBanner, next: string): void {
    const verdict = doubtful.after(next);
    if (verdict === undefined) return;
    this.#doubtful = undefined;
    if (verdict === 'none') return;
    const { banner } = doubtful;
    this.#startBoot(banner.line);
    this.#read({ ...banner, width: banner.text.length });
  }

  #startBoot(line: number): void {
    this.#endLog();
    this.#boots.begin(line);
  }

  /** Reads what is held back. */
  #endLog(): void {
    this.#joiner.flush();
    this.#log.flush(this.#boots.current);
  }

  #read(line: NumberedLine): void {
    const draft = this.#boots.current;
    draft.lastLine = line.line;
    if (draft.hasPrefixes === undefined && mayBeRecord(line.text)) {
      draft.hasPrefixes = hasPrefix(line.text);
    }
    if (draft.hasPrefixes === true) this.#joiner.push(line);
    else this.#dispatch(line);
  }

  // A line of a log with prefixes, and the lines after it that may be its tails.
  #unwrap(head: NumberedLine, tails: readonly NumberedLine[], joints: readonly Joint[]): void {
    if (tails.length === 0) {
      this.#dispatch(head);
      return;
    }
    const { text, count } = this.#log.join(head, tails, joints);
    if (count > 0) this.#log.reportWrap(this.#boots.current, head.line);
    this.#dispatch({ ...head, text });
    for (const tail of tails.slice(count)) this.#dispatch(tail);
  }

  #dispatch(line: NumberedLine): void {
    const draft = this.#boots.current;
    const isRecord = this.#log.take(line, draft);
    if (isRecord || readProcLine(line.text, draft, line.line) !== undefined)
      this.#options.onRecord?.(line.line, line.text);
  }

  *#jsonLine(json: JsonText, line: string, number: number): Steps<void> {
    json.add(line);
    if (!json.isSure && (yield* isLoggersJson(line))) yield* this.#leaveJson(json, number);
  }

  // What began like a description is a log in JSON: its lines are taken anew.
  *#leaveJson(json: JsonText, last: number): Steps<void> {
    if (json.lines.some(isNamed)) return;
    this.#json = undefined;
    for (const [index, line] of json.lines.entries()) {
      yield* this.#forms.take(line, (text) => {
        this.#textLine(text, last - json.lines.length + 1 + index, false);
      });
    }
  }

  *#finishJson(json: JsonText): Steps<ReadResult> {
    if (json.isTooLong) {
      this.#problems.error('BAD_JSON', 1, json.complaint);
      return { ok: false, problems: this.#problems.list() };
    }
    const text = json.toString();
    const result = yield* fromJsonSteps(text);
    if (result.ok || isNamed(text)) return result;
    return (yield* readTexts(text, this.#options)) ?? result;
  }
}

// JSON that is no description may hold a log in its texts, as interfaces of clouds and bug trackers give it.
function* readTexts(text: string, options: ReadOptions): Steps<ReadResult | undefined> {
  let value: unknown;
  try {
    value = yield* parseJson(text);
  } catch {
    return undefined;
  }
  const reader = new StreamReader(options);
  let border = '';
  yield* linesInJson(value, (line) => {
    reader.push(border + line);
    border = '\n';
  });
  const inner = yield* reader.finishSteps();
  return inner.ok ? inner : undefined;
}
