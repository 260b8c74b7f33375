/**
 * What may reach a terminal: text, line ends, tabs, and colours of our own. Names of files and lines of logs come from
 * anybody; a control sequence in them could rename windows, hide or forge lines, and marks of direction could turn
 * text around. All that is printed goes through {@link shown}, once, at the writer.
 */
import { randomBytes } from 'node:crypto';
import { HIDDEN, named } from './hidden.js';

// Colours are written with a key of this process, which no input can know, and turned into sequences at the writer.
const KEY = randomBytes(12).toString('hex');
const OURS = `\u001b${KEY}`;
const PARTS = new RegExp(`${OURS}(\\d+)m|${HIDDEN}`, 'g');
const COLOURS = new RegExp(`${OURS}\\d+m`, 'g');

/**
 * A colour or weight, to be written by {@link shown}.
 * @param code  of the sequence, such as 1 for bold
 */
export function sgr(code: number): string {
  return `${OURS}${code}m`;
}

/** A text without our colours. */
export function withoutColours(text: string): string {
  return text.replace(COLOURS, '');
}

/**
 * Text as it may be written: our colours as sequences, every other control and mark of direction by its number.
 * @param text  anything
 * @remarks cost O(length)
 */
export function shown(text: string): string {
  return text.replace(PARTS, (part, code: string | undefined) =>
    code === undefined ? named(part) : `\u001b[${code}m`,
  );
}

/** A name or a quotation that stays in its line: line ends and tabs by their number too. */
export function inLine(text: string): string {
  return text.replace(/[\n\t]/g, named);
}
