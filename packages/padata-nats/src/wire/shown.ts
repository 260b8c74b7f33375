/**
 * Text as it may be printed or written into a line. Subjects, names of hosts and reasons come from whoever may publish; a control sequence in
 * them could hide or forge lines of a terminal, and marks of direction could turn text around.
 */

/** Controls but line ends, marks of direction, separators of lines and paragraphs, the mark of byte order. */
const HIDDEN = [
  '\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f',
  '\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff',
].join('');
const EACH_HIDDEN = new RegExp(`[${HIDDEN}]`, 'g');

/** Every control but line ends by its number, as JSON writes it. O(length). */
export function shown(text: string): string {
  return text.replace(
    EACH_HIDDEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text for one header of a message: printable ASCII, a question mark for everything else. */
export function inHeader(text: string, mostCharacters: number): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, mostCharacters);
}
