/**
 * The face for reading: bytes or text in, one {@link MachineDescription} out.
 *
 *   chunks ─▶ LineSplitter ─▶ cleanLine ─▶ LogReader / readProcLine ─▶ Draft ─▶ finishDraft
 *                                              │ "Linux version" after a map: next boot, next draft
 *
 * Memory is bounded by one line plus the records of at most two boots, whatever the input's length. Nothing in an
 * input makes a reader throw.
 *
 * An input may hold several boots. `boot` chooses one; without it, the last boot that says where memory is.
 */
import { DEFAULT_PAGE_SIZE, MAX_JSON_LENGTH, MAX_LINE_LENGTH } from '../base/constants.js';
import { Draft } from '../records/draft.js';
import { FirmwareMapError } from '../base/errors.js';
import { finishDraft, isBeforeBanner, saysAnything, saysWhereMemoryIs } from './finish.js';
import { profileForRelease } from '../base/releases.js';
import { fromJsonSteps } from '../json/json.js';
import { BANNER } from '../records/identity-lines.js';
import { cleanLine, hasPrefix, isOdd } from '../text/clean-line.js';
import { jsonMessages, linesInJson } from '../text/json-lines.js';
import { LineForms } from '../text/line-forms.js';
import { LineSplitter } from '../text/line-splitter.js';
import { LogReader } from './log-reader.js';
import { WrapJoiner, type Joint, type NumberedLine } from '../text/wrap-joiner.js';
import { mayBeProcLine, readProcLine } from '../records/proc-lines.js';
import { ProblemList } from '../base/problem-list.js';
import type { ReadResult } from '../base/read-result.js';
import { parseJson } from '../base/parse-json.js';
import { atOnce, inTurns, STEP_CHARACTERS, turn } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import type { ProblemCode } from '../types/all.js';

/** How to read. */
export interface ReadOptions {
  /** Label of the input for messages; usually its file name. */
  readonly name?: string;
  /** Boot to take, 0-based; `'last'` (default): the last that says where memory is. */
  readonly boot?: number | 'last';
  /**
   * Called for each line that was understood, in order: its number, and its text without colours, quoting and the
   * line breaks of mail. For those who quote the lines that a description rests on.
   */
  readonly onRecord?: (line: number, text: string) => void;
  /** Ends {@link readDescription} between two of its steps, with its reason. */
  readonly signal?: AbortSignal;
}

/** Pieces of an input. */
export type Chunks =
  string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Incremental reader. */
export interface Reader {
  /**
   * Takes the next piece.
   * @throws ERR_FIRMWARE_MAP_CHUNK   when it is neither text nor bytes
   * @throws ERR_FIRMWARE_MAP_FINISHED after `finish`
   */
  push(chunk: string | Uint8Array): void;
  /**
   * Ends the input.
   * @throws ERR_FIRMWARE_MAP_FINISHED when called twice
   */
  finish(): ReadResult;
}

/**
 * Makes a reader to be fed piece by piece.
 * @throws ERR_FIRMWARE_MAP_OPTION when `boot` is neither `'last'` nor an integer from 0
 */
export function createReader(options: ReadOptions = {}): Reader {
  return streamReader(options);
}

function streamReader(options: ReadOptions): StreamReader {
  const { boot = 'last' } = options;
  if (boot !== 'last' && (!Number.isSafeInteger(boot) || boot < 0)) {
    throw new FirmwareMapError(
      'ERR_FIRMWARE_MAP_OPTION',
      "boot: expected 'last' or an integer from 0",
      {
        boot,
      },
    );
  }
  return new StreamReader(options);
}

/**
 * Reads an input that is in memory.
 * @remarks Linear in the input. Never throws on content.
 */
export function parseDescription(
  input: string | Uint8Array,
  options: ReadOptions = {},
): ReadResult {
  const reader = createReader(options);
  reader.push(input);
  return reader.finish();
}

/**
 * Reads an input as a stream, in memory that does not grow with it, and with turns of the event loop in between, however much of
 * it lies ready.
 * @param chunks  text, bytes, or an (async) iterable of them; a Node read stream fits
 * @throws what the iterable throws, and the signal's reason; nothing for any content
 */
export async function readDescription(
  chunks: Chunks,
  options: ReadOptions = {},
): Promise<ReadResult> {
  const { signal } = options;
  const reader = streamReader(options);
  let taken = 0;
  const isWhole = typeof chunks === 'string' || ArrayBuffer.isView(chunks);
  for await (const chunk of isWhole ? [chunks] : chunks) {
    for (const piece of piecesOf(chunk)) {
      await inTurns(reader.takeSteps(piece), signal);
      taken += piece.length;
      if (taken < STEP_CHARACTERS) continue;
      taken = 0;
      await turn();
      signal?.throwIfAborted();
    }
  }
  return await inTurns(reader.finishSteps(), signal);
}

/** What is read between two turns; a chunk that is none is passed on, to be refused. */
function* piecesOf(chunk: string | Uint8Array): Generator<string | Uint8Array> {
  if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) yield chunk;
  else {
    for (let at = 0; at < chunk.length; at += STEP_CHARACTERS) {
      const end = at + STEP_CHARACTERS;
      yield typeof chunk === 'string' ? chunk.slice(at, end) : chunk.subarray(at, end);
    }
  }
}

/** Characters that a text may hold besides printable ones. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const BINARY = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/;

// A kernel that sized its memory without a word about where it lies. x86 always prints a map, so there it was cut out;
// so it was where zones are named, and in kernels of which all print their ranges.
function printsTotals(draft: Draft): boolean {
  const isX86 = ['x86_64', 'i386'].some((name) => draft.architectureVotes.has(name as 'i386'));
  return (
    !isX86 &&
    !profileForRelease(draft.kernel?.release).printsRanges &&
    draft.zoneRanges.length + draft.zonePfns.length === 0 &&
    (draft.nodePages.length > 0 || draft.memory !== undefined || draft.zonelists !== undefined)
  );
}

function totalsOf(draft: Draft): string {
  const pages = draft.nodePages.reduce((sum, node) => sum + node.totalPages, 0);
  const present = (pages * (draft.pageSize ?? DEFAULT_PAGE_SIZE)) / 2 ** 20;
  return [
    ...(pages === 0 ? [] : [`${Math.floor(present)} MiB present`]),
    ...(draft.memory === undefined ? [] : [`${draft.memory.availableKb} KiB available`]),
    ...(draft.zonelists?.totalPages === undefined
      ? []
      : [`${draft.zonelists.totalPages} pages in zonelists`]),
  ].join(', ');
}

/** Lines of a log that one line of a file may hold and still count as one: a message of several lines. */
const FEW_INNER_LINES = 16;

/** Lines in which a log in JSON shows what it is. */
const JSON_HEAD = 64;
const DESCRIPTION_KEY = /"schema"\s*:/;

// An object, or the first line of one, that is not a logger's.
function* isDescription(line: string): Steps<boolean> {
  if (!/^\ufeff?\s*\{\s*(?:["}]|$)/.test(line)) return false;
  return DESCRIPTION_KEY.test(line.slice(0, 256)) || !(yield* isLoggersJson(line));
}

function* isLoggersJson(line: string): Steps<boolean> {
  return (yield* jsonMessages(line, () => undefined)) || /^\s*"dmesg"\s*:/.test(line);
}

/** A physical line that is still to be taken. */
interface Waiting {
  readonly raw: string;
  readonly number: number;
  readonly cut: boolean;
}

/** A line that is a banner, or only looks like one. */
interface Doubtful {
  readonly text: string;
  readonly line: number;
  /** Whether it names a release that the log before it does not. */
  readonly isOther: boolean;
  /** Lines in which any record tells that it was one. */
  linesLeft: number;
}

class StreamReader implements Reader {
  readonly #options: ReadOptions;
  readonly #splitter: LineSplitter;
  readonly #forms = new LineForms();
  readonly #log = new LogReader();
  readonly #joiner = new WrapJoiner(
    (head, tails, joints) => {
      this.#unwrap(head, tails, joints);
    },
    (text) => LogReader.mayBeRecord(text) || mayBeProcLine(text),
  );
  readonly #problems = new ProblemList();
  #draft = new Draft(1);
  #bootIndex = 0;
  /** The best boot before the current one, when it may still be asked for. */
  /** Lines that stood in others, beyond one in each. */
  #innerLines = 0;
  #kept: { draft: Draft; index: number } | undefined;
  #doubtful: Doubtful | undefined;
  #binaryLines = 0;
  #textLines = 0;
  #json: string[] | undefined;
  #jsonLength = 0;
  #finished = false;
  /** A long line, which may hold a whole log in JSON, and the lines that came behind it: they are taken in steps. */
  #waiting: Waiting[] = [];

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter((raw, number, cut) => {
      const isLong = raw.length > MAX_LINE_LENGTH;
      if (isLong || this.#waiting.length > 0) this.#waiting.push({ raw, number, cut });
      else this.#line(raw, number, cut);
    });
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
    if (this.#json !== undefined) return yield* this.#finishJson();
    this.#forms.finish((line) => {
      this.#textLine(line, this.#splitter.lineCount, false);
    });
    this.#joiner.flush();
    this.#log.flush(this.#draft);
    const chosen = this.#choose();
    if (chosen === undefined) return { ok: false, problems: this.#problems.list() };
    chosen.draft.problems.addAll(this.#problems.list());
    yield;
    const description = yield* finishDraft(chosen.draft, {
      ...(this.#options.name === undefined ? {} : { name: this.#options.name }),
      lines: this.#splitter.lineCount + this.#innerLines,
      bytes: this.#splitter.byteCount,
      bootCount: this.#bootIndex + 1,
      bootIndex: chosen.index,
      firstLine: chosen.draft.firstLine,
      lastLine: chosen.draft.lastLine,
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
    // Nearly all lines are plain ones of a log, or of a description that has begun long ago.
    if (this.#json !== undefined && this.#json.length > JSON_HEAD) this.#keepJson(raw);
    else if (this.#textLines === 0 || this.#json !== undefined || !this.#forms.isPlain(raw)) {
      atOnce(this.#steps(raw, number, cut));
    } else this.#textLine(raw, number + this.#innerLines, cut);
  }

  *#steps(raw: string, number: number, cut: boolean): Steps<void> {
    if (this.#json !== undefined) {
      yield* this.#jsonLine(raw, number);
      return;
    }
    if (this.#textLines === 0 && (yield* isDescription(raw))) {
      this.#json = [];
      yield* this.#jsonLine(raw.replace(/^\ufeff/, ''), number);
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
      this.#draft.problems.warn('LINE_TOO_LONG', number, 'the line is cut; its tail is not read');
    }
    const odd = isOdd(raw);
    if (odd && BINARY.test(raw)) this.#binaryLines++;
    const text = odd ? cleanLine(raw) : raw.trimEnd();
    if (text === '') return;
    this.#textLines++;
    const isBanner = text.includes('Linux version') && BANNER.test(text);
    if (isBanner && this.#isDoubtful(text)) {
      const isOther = BANNER.exec(text)![1] !== this.#draft.kernel?.release;
      this.#doubtful = { text, line: number, isOther, linesLeft: 5 };
      return;
    }
    if (this.#doubtful !== undefined) this.#settleDoubt(text);
    if (isBanner) this.#startBoot(number);
    this.#read(text, number, raw.length);
  }

  #read(text: string, number: number, width: number): void {
    const draft = this.#draft;
    draft.lastLine = number;
    if (draft.hasPrefixes === undefined && LogReader.mayBeRecord(text)) {
      draft.hasPrefixes = hasPrefix(text);
    }
    if (draft.hasPrefixes !== true) this.#dispatch({ text, line: number });
    else this.#joiner.push({ text, line: number, width });
  }

  // A line of a log with prefixes, and the lines after it that may be its tails.
  #unwrap(head: NumberedLine, tails: readonly NumberedLine[], joints: readonly Joint[]): void {
    if (tails.length === 0) {
      this.#dispatch(head);
      return;
    }
    const { text, count } = this.#log.join(head, tails, joints);
    if (count > 0) this.#log.reportWrap(this.#draft, head.line);
    this.#dispatch({ text, line: head.line });
    for (const tail of tails.slice(count)) this.#dispatch(tail);
  }

  #dispatch({ text, line }: NumberedLine): void {
    const isRecord = this.#log.take(text, this.#draft, line);
    if (isRecord || readProcLine(text, this.#draft, line) !== undefined)
      this.#options.onRecord?.(line, text);
  }

  // /proc/version repeats the banner, without the prefix that the log's own lines have.
  #isDoubtful(text: string): boolean {
    return this.#draft.kernel !== undefined && this.#draft.hasPrefixes === true && !hasPrefix(text);
  }

  // It was a banner if lines of a boot follow it at once. A kernel may warn at length before it says anything of itself:
  // where the release is another one, the first record without a prefix that only a beginning has tells so as well.
  #settleDoubt(text: string): void {
    const doubtful = this.#doubtful!;
    const isRecord = LogReader.mayBeRecord(text);
    const isAtOnce = doubtful.linesLeft > 0;
    doubtful.linesLeft--;
    if (isRecord && (isAtOnce || (LogReader.isOfBeginning(text) && !hasPrefix(text)))) {
      this.#doubtful = undefined;
      this.#startBoot(doubtful.line);
      this.#read(doubtful.text, doubtful.line, doubtful.text.length);
    } else if (doubtful.linesLeft <= 0 && (!doubtful.isOther || (isRecord && hasPrefix(text)))) {
      this.#doubtful = undefined;
    }
  }

  // A banner begins a boot. What came before it counts as one when it said where memory is; files of /proc that
  // stand before the log belong to it, and so do lines of memblock that come before the banner.
  #startBoot(line: number): void {
    const draft = this.#draft;
    this.#joiner.flush();
    this.#log.flush(draft);
    if (isBeforeBanner(draft)) return;
    if (saysWhereMemoryIs(draft)) {
      if (this.#wants(this.#bootIndex, draft)) this.#kept = { draft, index: this.#bootIndex };
      this.#bootIndex++;
      this.#draft = new Draft(line);
    } else if (draft.kernel !== undefined || !saysAnything(draft)) this.#draft = new Draft(line);
  }

  #wants(index: number, draft: Draft): boolean {
    const { boot = 'last' } = this.#options;
    return boot === 'last' ? saysWhereMemoryIs(draft) : boot === index;
  }

  #choose(): { draft: Draft; index: number } | undefined {
    const { boot = 'last' } = this.#options;
    const current = { draft: this.#draft, index: this.#bootIndex };
    if (boot !== 'last') {
      const chosen = boot === current.index ? current : this.#kept;
      if (chosen === undefined) {
        const message = `boot ${boot} was asked for; the input holds ${this.#bootIndex + 1} (0 … ${this.#bootIndex})`;
        this.#problems.error('NO_SUCH_BOOT', this.#splitter.lineCount, message);
        return undefined;
      }
      return this.#check(chosen.draft) ? chosen : undefined;
    }
    if (this.#kept !== undefined && !saysWhereMemoryIs(current.draft)) return this.#kept;
    if (!this.#check(current.draft)) return undefined;
    if (current.index > 0) {
      const message = `the input holds ${current.index + 1} boots; this is the last (choose one with "boot")`;
      this.#problems.warn('MULTIPLE_BOOTS', current.draft.firstLine, message);
    }
    return current;
  }

  // Reports why a boot is of no use.
  #check(draft: Draft): boolean {
    if (saysAnything(draft)) return true;
    if (draft.addressesHidden) {
      this.#problems.addAll(draft.problems.list());
      return false;
    }
    const [code, message] = this.#uselessness(draft);
    this.#problems.addAll(draft.problems.list());
    this.#problems.error(code, Math.max(1, this.#splitter.lineCount), message);
    return false;
  }

  #uselessness(draft: Draft): [ProblemCode, string] {
    const lines = this.#splitter.lineCount;
    if (this.#textLines === 0) return ['EMPTY_INPUT', 'the input holds no text'];
    if (this.#binaryLines * 4 > lines) {
      return ['NOT_TEXT', `${this.#binaryLines} of ${lines} lines hold bytes that no text has`];
    }
    if (draft.kernel !== undefined && printsTotals(draft)) {
      const { release } = draft.kernel;
      return [
        'NO_MEMORY_MAP',
        `the log of ${release} begins with its first line and holds no memory map: this kernel prints none on its architecture, only totals (${totalsOf(draft)})`,
      ];
    }
    if (draft.zoneRanges.length + draft.zonePfns.length > 0) {
      return [
        'NO_MEMORY_MAP',
        'the log names its zones, but the lines that say where memory is are not in it (a map, early node ranges)',
      ];
    }
    if (draft.kernel !== undefined || draft.records > 0) {
      return [
        'NO_MEMORY_MAP',
        'a kernel log, but without any memory map (was its beginning lost?)',
      ];
    }
    return ['NO_MEMORY_MAP', `none of ${lines} lines says anything about memory`];
  }

  *#jsonLine(line: string, number: number): Steps<void> {
    this.#keepJson(line);
    if (this.#json!.length > JSON_HEAD) return;
    if (yield* isLoggersJson(line)) yield* this.#leaveJson(number);
  }

  #keepJson(line: string): void {
    this.#jsonLength += line.length + 1;
    if (this.#jsonLength <= MAX_JSON_LENGTH) this.#json!.push(line);
    else this.#json!.length = 0;
  }

  // What began like a description is a log in JSON: its lines are taken anew.
  *#leaveJson(last: number): Steps<void> {
    const lines = this.#json!;
    if (lines.some((line) => DESCRIPTION_KEY.test(line))) return;
    this.#json = undefined;
    this.#jsonLength = 0;
    for (const [index, line] of lines.entries()) {
      yield* this.#forms.take(line, (text) => {
        this.#textLine(text, last - lines.length + 1 + index, false);
      });
    }
  }

  *#finishJson(): Steps<ReadResult> {
    if (this.#jsonLength > MAX_JSON_LENGTH) {
      const message = `a JSON description has at most ${MAX_JSON_LENGTH} characters, this has ${this.#jsonLength}`;
      this.#problems.error('BAD_JSON', 1, message);
      return { ok: false, problems: this.#problems.list() };
    }
    const text = this.#json!.join('\n');
    const result = yield* fromJsonSteps(text);
    return result.ok || DESCRIPTION_KEY.test(text)
      ? result
      : ((yield* this.#readTexts(text)) ?? result);
  }

  // JSON that is no description may hold a log in its texts, as interfaces of clouds and bug trackers give it.
  *#readTexts(text: string): Steps<ReadResult | undefined> {
    let value: unknown;
    try {
      value = yield* parseJson(text);
    } catch {
      return undefined;
    }
    const reader = new StreamReader(this.#options);
    let border = '';
    yield* linesInJson(value, (line) => {
      reader.push(border + line);
      border = '\n';
    });
    const inner = yield* reader.finishSteps();
    return inner.ok ? inner : undefined;
  }
}
