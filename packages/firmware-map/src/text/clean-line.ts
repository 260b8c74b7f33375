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

const ESCAPE = '\u001b';
// CSI sequences (colours, cursor), OSC sequences (titles) and two-byte escapes.
const ANSI = new RegExp(
  `${ESCAPE}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|[@-Z\\\\^_])`,
  'g',
);
const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&nbsp;': ' ',
  '&quot;': '"',
  '&#39;': "'",
  '&#160;': ' ',
};
// Spaces that are not the ASCII one, and characters without width.
const ODD_SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\v\f]/g;
const INVISIBLE = /[\u200b-\u200d\u2060\ufeff\u00ad]/g;
const ODD = /[^ -~]|&|^[>|]/;

/**
 * The message line without colours, entities, quote marks and trailing blanks.
 * @param raw  one physical line
 * @returns the cleaned line; leading blanks are kept, tabs become blanks
 * @remarks Cost: linear in the line; one test for a line of plain ASCII.
 */
export function cleanLine(raw: string): string {
  if (!ODD.test(raw)) return raw.trimEnd();
  let text = raw;
  if (text.includes(ESCAPE)) text = text.replace(ANSI, '');
  if (text.includes('&')) {
    text = text.replace(/&(?:lt|gt|amp|nbsp|quot|#39|#160);/g, (entity) => ENTITIES[entity]!);
  }
  text = text.replace(INVISIBLE, '').replace(ODD_SPACES, ' ');
  // Quoted mail: any number of '>' marks, each perhaps followed by one blank.
  const quote = /^ ?(?:[>|] ?)+/.exec(text);
  if (quote !== null) text = text.slice(quote[0].length);
  return text.trimEnd();
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
