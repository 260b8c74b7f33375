/**
 * Takes off what is around a kernel message: terminal colours, HTML, quoting, padding.
 *
 *   raw line      > \x1b[33m<6>[    0.000000][    T0] BIOS-e820: [mem 0x0000…-0x0009…] usable    \r
 *   cleaned       <6>[    0.000000][    T0] BIOS-e820: [mem 0x0000…-0x0009…] usable
 *   prefix        <6>[    0.000000][    T0]
 *
 * The prefix (priority, time, host, caller) is not removed here: the recognisers look for their own words anywhere
 * in a line, so that prefixes of loggers nobody has heard of need no grammar. {@link hasPrefix} only answers
 * whether a line begins a message of its own, which decides whether it can be the tail of a wrapped one.
 */
import { decimalDigit } from '../base/numbers.js';

const ESCAPE = '\u001b';
// CSI sequences (colours, cursor), OSC sequences (titles) and two-byte escapes.
const ANSI = new RegExp(
  `${ESCAPE}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|[@-Z\\\\^_])`,
  'g',
);
const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  nbsp: ' ',
  quot: '"',
  apos: "'",
  lsqb: '[',
  rsqb: ']',
  lbrack: '[',
  rbrack: ']',
  lpar: '(',
  rpar: ')',
};
const ENTITY = /&(?:([a-z]{2,6})|#(\d{1,5})|#x([0-9a-f]{1,4}));/gi;
// What wraps lines of a log on web pages; "<br>" ends one (LineSplitter). The kernel's own "<…>" is none of these.
const TAG =
  /<\/?(?:a|b|code|div|em|font|i|kbd|li|ol|p|pre|samp|small|span|strong|table|tbody|td|th|tr|tt|u|ul)(?:\s[^<>]*)?>/gi;
const CELL_END = /<\/t[dh]> *(?=<t[dh])/gi;
// Brackets that Markdown was kept from reading, and what is escaped with them.
const ESCAPED = /\\([[\]()*_#<>.+|~`-])/g;
// A line that programs wrote with its end in letters: text\n, text\r\n.
const SPELT_END = /\\[rn]$/;
const BOX = /^ *[│┃║▏] ?|[│┃║▕]$/g;
// Spaces that are not the ASCII one, and characters without width.
const ODD_SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\v\f]/g;
const INVISIBLE = /[\u200b-\u200d\u2060\ufeff\u00ad]/g;
/** Characters of which one is in every odd line that does not begin like a quotation. */
const SUSPECT = /[^ -%'-;=-[\]-~]/;
const ODD = /[^ -~]|&|^[>|]|<\/?[a-zA-Z]|\\(?:[[\]]|[rnRN]$)/;

/**
 * Whether there may be anything around or in the message that {@link cleanLine} takes off, or a byte that no text has.
 * @param raw  one physical line
 * @remarks Cost: one search.
 */
export function isOdd(raw: string): boolean {
  if (raw.startsWith('>') || raw.startsWith('|')) return true;
  return SUSPECT.test(raw) && ODD.test(raw);
}

/** Characters of which one is in every line that has something around it or in it, but for those that begin with a mark. */
const MARK = /[^ !#-%'-;>-[\]-~]/;

/** Whether a line that begins with a kernel time holds anything that {@link cleanLine} or a form of lines might be told by. */
export function hasMarks(raw: string): boolean {
  return MARK.test(raw);
}

/** Control characters, but for those of layout and of escapes, and what stands for bytes that are no text. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const BINARY = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/;

/** Whether a line holds a byte that no text has. */
export function holdsBinary(raw: string): boolean {
  return BINARY.test(raw);
}

/**
 * The message line without colours, tags, entities, quote marks, frames and trailing blanks.
 * @param raw  one physical line
 * @returns the cleaned line; leading blanks are kept, tabs become blanks
 * @remarks Cost: linear in the line, some searches; who has asked {@link isOdd} need not ask for others.
 */
export function cleanLine(raw: string): string {
  // In most lines that are odd, tabs are all that is.
  const untabbed = raw.replaceAll('\t', ' ').trimEnd();
  if (!isOdd(untabbed) && !/^ [>|]/.test(untabbed)) return untabbed;
  let text = raw;
  if (text.includes(ESCAPE)) text = text.replace(ANSI, '');
  if (text.includes('<')) text = text.replace(CELL_END, ' ').replace(TAG, '');
  if (text.includes('&')) text = text.replace(ENTITY, characterOf);
  if (/\\[[\]]/.test(text)) text = text.replace(ESCAPED, '$1');
  for (let end = 0; end < 3; end++) text = text.replace(SPELT_END, '').trimEnd();
  text = text.replace(BOX, '');
  text = text.replace(INVISIBLE, '').replace(ODD_SPACES, ' ');
  // Quoted mail: any number of '>' marks, each perhaps followed by one blank.
  const quote = /^ ?(?:[>|] ?)+/.exec(text);
  if (quote !== null) text = text.slice(quote[0].length);
  return text.trimEnd();
}

// Names that nobody wrote in a log stay as they are, and so do numbers of no character.
function characterOf(entity: string, name?: string, decimal?: string, hex?: string): string {
  if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? entity;
  const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
  return code >= 32 && code <= 0xffff ? String.fromCharCode(code) : entity;
}

// <6>, kern  :info  :, [ 0.000000], [Fri Aug 14 23:00:53 2020], [Jun21 23:09], [  +0.1], 2024-01-01T00:00:00,
// 23:00:53, "Jun 21 23:09:01 host kernel:" with any month name.
const PREFIX =
  /^\s*(?:<\d{1,3}>|kern\s*:|\[\s*[+-]?\d+\.\d+\]|\[[^\]]{3,40}\d{1,2}:\d{2}[^\]]{0,12}\]|\d{4}-\d{2}-\d{2}[T ]|\d{1,2}:\d{2}:\d{2}|\S{3,10}\.? +\d{1,2} \d{2}:\d{2}:\d{2} |.{0,60}\bkernel: )/;

/**
 * Whether the line begins like a message of its own: with a priority, a time or a host.
 * @param line  a cleaned line
 */
export function hasPrefix(line: string): boolean {
  return PREFIX.test(line);
}

const SPACE = ' '.charCodeAt(0);
const DOT = '.'.charCodeAt(0);
const OPEN = '['.charCodeAt(0);
const CLOSE = ']'.charCodeAt(0);
/** Digits of a kernel time before and behind its point. */
const MOST_SECONDS = 7;
const FRACTION = 6;

/**
 * Where the kernel's time ends that a line begins with, as most lines of most logs do: "[   12.345678]".
 * @returns 0 for a line that begins with anything else, though a time may follow
 * @remarks Cost: a look at each character of the time.
 */
export function timeEnd(line: string): number {
  if (line.length === 0 || line.charCodeAt(0) !== OPEN) return 0;
  let at = 1;
  while (at < line.length && line.charCodeAt(at) === SPACE) at++;
  const point = digitsEnd(line, at, MOST_SECONDS);
  const end = point + 1 + FRACTION;
  if (point === at || end >= line.length || line.charCodeAt(point) !== DOT) return 0;
  if (digitsEnd(line, point + 1, FRACTION) !== end) return 0;
  return line.charCodeAt(end) === CLOSE ? end + 1 : 0;
}

function digitsEnd(line: string, from: number, most: number): number {
  const end = Math.min(from + most, line.length);
  let at = from;
  while (at < end && decimalDigit(line.charCodeAt(at)) >= 0) at++;
  return at;
}

/**
 * The time itself.
 * @param end  what {@link timeEnd} says of the line, not 0
 * @returns seconds
 */
export function timeBefore(line: string, end: number): number {
  return Number(line.slice(1, end - 1));
}
