/**
 * An input that begins like JSON: a description, unless it turns out to be lines of a logger or a log inside something else.
 *
 *   {"schema": …             a description: kept until its end
 *   {"dmesg":[ …             lines of a logger, one a line or all on one
 *   {"status":"ok", …        something else, known at its end: its texts may be a log
 */
import { MAX_JSON_LENGTH } from '../base/constants.js';
import type { Steps } from '../base/steps.js';
import { jsonMessages } from '../text/json-lines.js';

/** Lines in which a log in JSON shows what it is. */
const JSON_HEAD = 64;
const DESCRIPTION_KEY = /"schema"\s*:/;

/** Whether a text names itself a description. */
export function isNamed(text: string): boolean {
  return DESCRIPTION_KEY.test(text);
}

/** Whether a first line begins an object, or is one, that is not a logger's. */
export function* isDescription(line: string): Steps<boolean> {
  if (!/^\ufeff?\s*\{\s*(?:["}]|$)/.test(line)) return false;
  return isNamed(line.slice(0, 256)) || !(yield* isLoggersJson(line));
}

/** Whether a line is a logger's. */
export function* isLoggersJson(line: string): Steps<boolean> {
  return (yield* jsonMessages(line, () => undefined)) || /^\s*"dmesg"\s*:/.test(line);
}

/** Lines of JSON that came so far, in bounded memory. */
export class JsonText {
  #lines: string[] = [];
  #length = 0;

  /** Whether it is longer than a description may be; then nothing of it is kept. */
  get isTooLong(): boolean {
    return this.#length > MAX_JSON_LENGTH;
  }

  /** What is to be said then. */
  get complaint(): string {
    return `a JSON description has at most ${MAX_JSON_LENGTH} characters, this has ${this.#length}`;
  }

  /** Whether a log would have shown by now that it is one. */
  get isSure(): boolean {
    return this.#lines.length > JSON_HEAD;
  }

  /** The lines, while it is not sure. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    this.#length += line.length + 1;
    if (this.isTooLong) this.#lines = [];
    else this.#lines.push(line);
  }

  toString(): string {
    return this.#lines.join('\n');
  }
}
