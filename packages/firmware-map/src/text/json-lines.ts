/**
 * Messages inside JSON: loggers put each line of a log into an object of its own.
 *
 *   {"MESSAGE":"…","_TRANSPORT":"kernel",…}    journalctl -o json: one object a line
 *   {"log":"…\n","stream":"stdout"}            docker, vector, fluent: the same with other names
 *     "msg": "…"                               dmesg --json, json-pretty: one member a line
 *   {"dmesg":[{"pri":6,"time":0.0,"msg":"…"}]} everything on one line
 *   ["…","…"]  {"Output":"…\n…"}               lists of lines; a whole log in one text
 *
 * Only the text is taken; the recognisers need no more. An object of the journal that is not the kernel's is left out.
 */

import { MAX_LINE_LENGTH } from '../base/constants.js';
import { parseJson } from '../base/parse-json.js';
import { STEP_CHARACTERS } from '../base/steps.js';
import type { Steps } from '../base/steps.js';

/** Names under which loggers keep the message. */
const MESSAGE_KEYS = [
  'MESSAGE',
  'msg',
  'message',
  'log',
  'line',
  'text',
  'textPayload',
  'short_message',
  '@message',
] as const;

/** Members that hold the object with the message, or the list of all of them. */
const HOLDER_KEYS = ['dmesg', 'events', 'entries', 'logs', 'jsonPayload', 'fields'] as const;

const MEMBER = new RegExp(
  String.raw`^\s*"(${MESSAGE_KEYS.join('|')})"\s*:\s*("(?:[^"\\]|\\.)*")\s*[,}]*\s*$`,
);
const KEY = new RegExp(`"(?:${MESSAGE_KEYS.join('|')})"`);

// Before the object: a record separator (json-seq), "data: " (json-sse), "- " (a YAML list), "[" or "," (a list).
// eslint-disable-next-line no-control-regex -- the record separator of json-seq is one
const HEAD = /^[\u001e\ufeff\s]*(?:data: |- )?\s*[,[]?\s*(?=\{)/;

/** Objects that one line may hold in each other before it is no log. */
const MAX_DEPTH = 4;

/** A list of texts on one line, each a line of the log or several. */
const LIST = /^\s*\[\s*"/;

/** Levels of a value in which texts are looked for. */
const MAX_TEXT_DEPTH = 32;

/** Receives a line of a text. */
type LineSink = (line: string) => void;

/**
 * Lines of the texts in a value of JSON, in order: what an interface gave back that keeps a log in a member of its own.
 * @param value  what JSON.parse made
 * @param sink   gets each line
 */
export function* linesInJson(value: unknown, sink: LineSink): Steps<void> {
  yield* eachText(value, new LineCutter(sink), 0);
}

function* eachText(part: unknown, cutter: LineCutter, depth: number): Steps<void> {
  if (typeof part === 'string') yield* cutter.cut(part);
  else if (typeof part === 'object' && part !== null && depth < MAX_TEXT_DEPTH) {
    for (const inner of Object.values(part) as unknown[]) {
      if (cutter.isDue()) yield;
      if (typeof inner === 'string' || typeof inner === 'object') {
        yield* eachText(inner, cutter, depth + 1);
      }
    }
  }
}

/**
 * Delivers the messages of a line of JSON.
 * @param line  a physical line
 * @param sink  gets the messages in order, none for an object without one
 * @returns false when the line is no such JSON; then nothing was delivered
 */
export function* jsonMessages(line: string, sink: LineSink): Steps<boolean> {
  if (LIST.test(line)) {
    const list = yield* parse(line.trimEnd().replace(/,$/, ''));
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) {
      yield* linesInJson(list, sink);
      return true;
    }
  }
  if (!KEY.test(line)) return false;
  const cutter = new LineCutter(sink);
  const member = line.length <= MAX_LINE_LENGTH ? MEMBER.exec(line) : null;
  if (member !== null) {
    const text = yield* parse(member[2]!);
    if (typeof text !== 'string') return false;
    yield* cutter.cut(text);
    return true;
  }
  const head = HEAD.exec(line);
  if (head === null) return false;
  const object = line.slice(head[0].length, line.lastIndexOf('}') + 1);
  const value = (yield* parse(object)) ?? (yield* parse(`[${object}]`));
  if (typeof value !== 'object' || value === null) return false;
  yield* eachMessage(value, cutter, 0);
  return true;
}

function* parse(text: string): Steps<unknown> {
  try {
    return yield* parseJson(text);
  } catch {
    return undefined;
  }
}

function* eachMessage(value: unknown, cutter: LineCutter, depth: number): Steps<void> {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (cutter.isDue()) yield;
      yield* eachMessage(item, cutter, depth + 1);
    }
    return;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields['_TRANSPORT'] === 'string' && fields['_TRANSPORT'] !== 'kernel') return;
  for (const key of MESSAGE_KEYS) {
    const text = textOf(fields[key]);
    if (text !== undefined) {
      yield* cutter.cut(text);
      return;
    }
  }
  for (const key of HOLDER_KEYS) yield* eachMessage(fields[key], cutter, depth + 1);
}

// The journal writes a message that is not plain text as a list of its bytes.
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const isShort = Array.isArray(value) && value.length <= MAX_LINE_LENGTH;
  if (!isShort || !value.every((byte) => Number.isInteger(byte))) return undefined;
  return new TextDecoder().decode(Uint8Array.from(value as number[]));
}

/** Delivers the lines of texts, however many they are. */
class LineCutter {
  readonly #sink: LineSink;
  /** Characters since the last yield, with what values and lines cost besides. */
  #taken = 0;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Counts a value; true where the work may be interrupted. */
  isDue(characters = 0): boolean {
    this.#taken += characters + VALUE_COST;
    if (this.#taken < STEP_CHARACTERS) return false;
    this.#taken = 0;
    return true;
  }

  *cut(text: string): Steps<void> {
    for (let start = 0; start <= text.length;) {
      LINE_END.lastIndex = start;
      const end = LINE_END.exec(text)?.index ?? text.length;
      if (end > start) this.#sink(text.slice(start, end));
      if (this.isDue(end - start)) yield;
      start = end + 1;
    }
  }
}

/** A CRLF is two of them, with an empty line between, which is none. */
const LINE_END = /[\r\n]/g;
/** What a value or a line costs besides its characters, in characters. */
const VALUE_COST = 16;
