/**
 * Characters that may not be shown as they are: they steer a terminal, turn text around, or are seen nowhere though they are
 * there. Pure, and without anything of Node: the script of the report page has it too.
 */

/**
 * A pattern of them: controls but tab and line end, marks of direction, separators of lines and paragraphs, the mark of byte
 * order, spaces without width, invisible operators, notes between lines, tags. Joiners stay: words of some languages need them.
 */
export const HIDDEN =
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f' +
  '\\ufeff\\ufff9-\\ufffb]|\\udb40[\\udc00-\\udc7f]';

const ALL = new RegExp(HIDDEN, 'g');

/** A character as `\u` and four digits, each half of a tag likewise: as JSON writes it, so that what is JSON stays the same JSON. */
export function named(character: string): string {
  let text = '';
  for (let at = 0; at < character.length; at++) {
    text += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }
  return text;
}

/** Text in which each of them stands by its number. */
export function withoutHidden(text: string): string {
  return text.replace(ALL, named);
}
