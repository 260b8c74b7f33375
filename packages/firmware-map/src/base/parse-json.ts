/**
 * JSON.parse that can be interrupted: a text of many megabytes is read by hand, piece by piece; a short one as usual.
 *
 * ```
 * {"firmware":{"map":[{"start":0,…},{…
 * open    {   key "firmware"      lists and objects that have begun, the innermost last
 *         {   key "map"
 *         [
 * ```
 * It takes what JSON.parse takes, and makes the same of it; nesting costs no stack.
 */
import { STEP_CHARACTERS } from './steps.js';
import type { Steps } from './steps.js';

/** Characters of a text that is parsed at once. */
const AT_ONCE = 2 ** 20;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const BLANKS = /[ \t\r\n]*/y;
/** A piece of a text that ends in no middle of an escape. */
const PIECE = /(?:[^"\\]|\\(?:u.{4}|.)){0,16384}/sy;
const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** A list or object that has begun. */
interface Open {
  readonly value: unknown[] | Record<string, unknown>;
  /** What the next value of an object is called. */
  key: string;
}

/**
 * Parses a text.
 * @throws SyntaxError where it is no JSON; its message ends in "at position N"
 */
export function* parseJson(text: string): Steps<unknown> {
  if (text.length <= AT_ONCE) return JSON.parse(text) as unknown;
  const reader = new TextReader(text);
  const open: Open[] = [];
  let paused = 0;
  for (;;) {
    if (reader.at - paused >= STEP_CHARACTERS) {
      paused = reader.at;
      yield;
    }
    let value: unknown;
    if (reader.takes('[') || reader.takes('{')) {
      const begun: Open = { value: text[reader.last] === '[' ? [] : {}, key: '' };
      if (!reader.takes(Array.isArray(begun.value) ? ']' : '}')) {
        if (!Array.isArray(begun.value)) begun.key = yield* reader.key();
        open.push(begun);
        continue;
      }
      ({ value } = begun);
    } else value = reader.isText ? yield* reader.string() : reader.word();
    // A value has ended, and with it perhaps those around it.
    for (let around = open.at(-1); ; around = open.at(-1)) {
      if (around === undefined) {
        reader.end();
        return value;
      }
      put(around, value);
      if (reader.takes(',')) {
        if (!Array.isArray(around.value)) around.key = yield* reader.key();
        break;
      }
      if (!reader.takes(Array.isArray(around.value) ? ']' : '}')) throw reader.unexpected();
      open.pop();
      ({ value } = around);
    }
  }
}

function put({ value, key }: Open, inner: unknown): void {
  if (Array.isArray(value)) value.push(inner);
  else if (key !== '__proto__') value[key] = inner;
  // Set the usual way, it would be the object's prototype.
  else
    Object.defineProperty(value, key, {
      value: inner,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}

/** A text, and how far it is read. */
class TextReader {
  readonly #text: string;
  at = 0;
  /** Where the mark stood that was taken last. */
  last = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skip();
  }

  /** Takes a mark, if it comes next. */
  takes(mark: string): boolean {
    if (this.#text[this.at] !== mark) return false;
    this.last = this.at;
    this.at++;
    this.#skip();
    return true;
  }

  /** Takes a name and the colon behind it. */
  *key(): Steps<string> {
    if (!this.isText) throw this.unexpected();
    const key = yield* this.string();
    if (!this.takes(':')) throw this.unexpected();
    return key;
  }

  /** Whether a text comes next. */
  get isText(): boolean {
    return this.#text[this.at] === '"';
  }

  /** Takes a number or a word. */
  word(): number | boolean | null {
    NUMBER.lastIndex = this.at;
    const [number] = NUMBER.exec(this.#text) ?? [];
    if (number !== undefined) return this.#taken(number, Number(number));
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.at)) return this.#taken(word, value);
    }
    throw this.unexpected();
  }

  /** Nothing may come any more. */
  end(): void {
    if (this.at < this.#text.length) throw this.unexpected();
  }

  unexpected(): SyntaxError {
    const char = this.#text[this.at];
    const what = char === undefined ? 'end of text' : `'${char}'`;
    return new SyntaxError(`unexpected ${what} at position ${this.at}`);
  }

  /** Takes a text: at once where it is short and plain, else piece by piece. */
  *string(): Steps<string> {
    const end = this.#text.indexOf('"', this.at + 1);
    const whole = this.#text.slice(this.at, end + 1);
    if (end > 0 && whole.length <= STEP_CHARACTERS && !whole.includes('\\')) {
      return this.#taken(whole, this.#parsed(whole));
    }
    const parts: string[] = [];
    this.at++;
    while (this.#text[this.at] !== '"') {
      PIECE.lastIndex = this.at;
      const [piece = ''] = PIECE.exec(this.#text) ?? [];
      if (piece === '') throw this.unexpected();
      parts.push(this.#parsed(`"${piece}"`));
      this.at += piece.length;
      yield;
    }
    return this.#taken('"', parts.join(''));
  }

  #parsed(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.unexpected();
    }
  }

  #taken<Value>(whole: string, value: Value): Value {
    this.at += whole.length;
    this.#skip();
    return value;
  }

  #skip(): void {
    BLANKS.lastIndex = this.at;
    BLANKS.exec(this.#text);
    this.at = BLANKS.lastIndex;
  }
}
