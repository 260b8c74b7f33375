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

/**
 * Lines of the texts in a value of JSON, in order: what an interface gave back that keeps a log in a member of its own.
 * @param value  what JSON.parse made
 */
export function linesInJson(value: unknown): string[] {
  const lines: string[] = [];
  const walk = (part: unknown, depth: number): void => {
    if (typeof part === 'string') lines.push(...linesOf(part));
    else if (typeof part === 'object' && part !== null && depth < MAX_TEXT_DEPTH) {
      for (const inner of Object.values(part)) walk(inner, depth + 1);
    }
  };
  walk(value, 0);
  return lines;
}

/**
 * The messages of a line of JSON.
 * @param line  a physical line
 * @returns the texts in order, none for an object without a message; `undefined` when the line is no such JSON
 */
export function jsonMessages(line: string): string[] | undefined {
  if (LIST.test(line)) {
    const list = parse(line.trimEnd().replace(/,$/, ''));
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) {
      return linesInJson(list);
    }
  }
  if (!KEY.test(line)) return undefined;
  const member = line.length <= MAX_LINE_LENGTH ? MEMBER.exec(line) : null;
  if (member !== null) {
    const text = parse(member[2]!);
    return typeof text === 'string' ? linesOf(text) : undefined;
  }
  const head = HEAD.exec(line);
  if (head === null) return undefined;
  const object = line.slice(head[0].length, line.lastIndexOf('}') + 1);
  const value = parse(object) ?? parse(`[${object}]`);
  if (typeof value !== 'object' || value === null) return undefined;
  const messages: string[] = [];
  collect(value, messages, 0);
  return messages;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function collect(value: unknown, messages: string[], depth: number): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, messages, depth + 1);
    return;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields['_TRANSPORT'] === 'string' && fields['_TRANSPORT'] !== 'kernel') return;
  for (const key of MESSAGE_KEYS) {
    const text = textOf(fields[key]);
    if (text !== undefined) {
      messages.push(...linesOf(text));
      return;
    }
  }
  for (const key of HOLDER_KEYS) collect(fields[key], messages, depth + 1);
}

// The journal writes a message that is not plain text as a list of its bytes.
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || !value.every((byte) => Number.isInteger(byte))) return undefined;
  return new TextDecoder().decode(Uint8Array.from(value as number[]));
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/).filter((line) => line !== '');
}
