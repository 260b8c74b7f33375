/**
 * Cuts a stream of bytes or text into physical lines, in bounded memory.
 *
 * Ends of line: LF, CRLF, a lone CR, and `<br>` in its spellings (some archives put a whole log on one physical
 * line of HTML; the parts count as lines of their own). Bytes are UTF-8, or UTF-16 when a byte order mark says so;
 * bytes that are neither become U+FFFD and never stop the reader.
 *
 * A line longer than the limit is cut: its head is delivered, its tail dropped and reported. One that begins like JSON
 * may hold a whole description or log, and has a limit of its own.
 */
import { MAX_JSON_LENGTH, MAX_LINE_LENGTH } from '../base/constants.js';
import { FirmwareMapError } from '../base/errors.js';

/** Receives one line. `cut` tells that its tail was dropped. */
type LineSink = (line: string, lineNumber: number, cut: boolean) => void;

const LINE_END = /\r\n|\n|\r|<br ?\/?>/gi;
/** What the longest of them begins with. */
const BREAK = /<br/i;
/** Characters of the longest of them, less one. */
const LONGEST_END = 5;
/** An object or a list of objects. */
// eslint-disable-next-line no-control-regex -- the record separator of json-seq is one
const JSON_BEGIN = /^[\s\ufeff\u001e]*(?:\[\s*)?\{/;

/** Push-style line splitter. */
export class LineSplitter {
  readonly #sink: LineSink;
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #rest = '';
  #restCut = false;
  /** Pieces of a long line of JSON, none of which holds an end of line; empty for any other line. */
  #pieces: string[] = [];
  #piecesLength = 0;
  #skipLineFeed = false;
  #lines = 0;
  #bytes = 0;

  /** @param sink  called for each line, in order, without its end */
  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Lines delivered so far. */
  get lineCount(): number {
    return this.#lines;
  }

  /** Bytes (or, for text chunks, characters) taken so far. */
  get byteCount(): number {
    return this.#bytes;
  }

  /**
   * Takes the next piece of the input.
   * @param chunk  text, or bytes of UTF-8 / UTF-16
   * @throws ERR_FIRMWARE_MAP_CHUNK when it is neither
   */
  push(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string') {
      this.#bytes += chunk.length;
      this.#take(chunk);
      return;
    }
    if (!ArrayBuffer.isView(chunk)) {
      throw new FirmwareMapError('ERR_FIRMWARE_MAP_CHUNK', 'expected a string or bytes', {
        type: typeof chunk,
      });
    }
    this.#bytes += chunk.byteLength;
    this.#decoder ??= new TextDecoder(encodingOf(chunk));
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Delivers what is left as the last line. */
  finish(): void {
    if (this.#decoder !== undefined) this.#take(this.#decoder.decode());
    if (this.#pieces.length > 0) this.#endPieces('');
    if (this.#rest.length > 0 || this.#restCut) this.#deliver(this.#rest, this.#restCut);
    this.#rest = '';
    this.#restCut = false;
  }

  #take(chunk: string): void {
    let text = chunk;
    if (this.#skipLineFeed && text.length > 0) {
      if (text.startsWith('\n')) text = text.slice(1);
      this.#skipLineFeed = false;
    }
    if (this.#pieces.length > 0) {
      const end = /\r\n?|\n/.exec(text);
      if (end === null) {
        this.#addPiece(text);
        return;
      }
      this.#endPieces(text.slice(0, end.index));
      text = text.slice(end.index + end[0].length);
      this.#skipLineFeed = end[0] === '\r' && text === '';
      if (text !== '') this.#take(text);
      return;
    }
    const carried = this.#rest;
    text = carried + text;
    const isPlain = !text.includes('\r') && !(text.includes('<') && BREAK.test(text));
    const start = isPlain ? this.#cutPlain(text, carried.length) : this.#cut(text, carried.length);
    this.#keep(start === 0 ? text : text.slice(start));
  }

  /** Delivers the lines of a text that holds no other end of line than LF; returns where the rest begins. */
  #cutPlain(text: string, from: number): number {
    let start = 0;
    for (let end = text.indexOf('\n', from); end >= 0; end = text.indexOf('\n', start)) {
      this.#deliver(text.slice(start, end), start === 0 && this.#restCut);
      if (start === 0) this.#restCut = false;
      start = end + 1;
    }
    return start;
  }

  #cut(text: string, from: number): number {
    // A `<br` may be cut by the chunk border, so the search starts in what is left over.
    LINE_END.lastIndex = Math.max(0, from - LONGEST_END);
    let start = 0;
    for (let match = LINE_END.exec(text); match !== null; match = LINE_END.exec(text)) {
      this.#deliver(text.slice(start, match.index), start === 0 && this.#restCut);
      if (start === 0) this.#restCut = false;
      start = match.index + match[0].length;
      // A CR at the very end may be the first half of a CRLF.
      if (start === text.length && match[0] === '\r') this.#skipLineFeed = true;
    }
    return start;
  }

  /** Keeps the line that has not ended, as far as it may be long. */
  #keep(begun: string): void {
    let rest = begun;
    if (rest.length > MAX_LINE_LENGTH + LONGEST_END && JSON_BEGIN.test(rest)) {
      this.#addPiece(rest);
      rest = '';
    } else if (rest.length > MAX_LINE_LENGTH + LONGEST_END) {
      // The last characters stay: they may be the beginning of a line end.
      rest = rest.slice(0, MAX_LINE_LENGTH) + rest.slice(-LONGEST_END);
      this.#restCut = true;
    }
    this.#rest = rest;
  }

  #addPiece(piece: string): void {
    const room = MAX_JSON_LENGTH + 1 - this.#piecesLength;
    this.#piecesLength += piece.length;
    // One character too many is enough to see that the line is too long.
    if (room > 0) this.#pieces.push(piece.slice(0, room));
  }

  #endPieces(last: string): void {
    this.#addPiece(last);
    const line = this.#pieces.join('');
    const isCut = this.#piecesLength > MAX_JSON_LENGTH;
    this.#pieces = [];
    this.#piecesLength = 0;
    this.#lines++;
    this.#sink(line, this.#lines, isCut);
  }

  #deliver(line: string, cut: boolean): void {
    this.#lines++;
    if (line.length <= MAX_LINE_LENGTH) {
      this.#sink(line, this.#lines, cut);
      return;
    }
    const limit = JSON_BEGIN.test(line) ? MAX_JSON_LENGTH : MAX_LINE_LENGTH;
    const tooLong = line.length > limit;
    this.#sink(tooLong ? line.slice(0, limit) : line, this.#lines, cut || tooLong);
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes.length >= 2) {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  }
  return 'utf-8';
}
