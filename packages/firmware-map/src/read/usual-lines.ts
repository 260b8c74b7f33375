/**
 * Lines that are one record and nothing else, with the kernel's time before it or without: nearly all records of nearly all logs.
 *
 *   [    0.000000][    T0] last_pfn = 0x140000 max_arch_pfn = 0x400000000
 *   ──── prefix ──────────▶ message: a shape, to its end
 *
 * Whatever stands before or behind it otherwise, the recognisers look for their words in the line.
 */
import { ShapeTree, type Shape } from '../shapes/shape-tree.js';
import { Fields } from '../shapes/fields.js';
import { EFI_SHAPES } from '../shapes/efi-shapes.js';
import { MAP_SHAPES } from '../shapes/map-shapes.js';
import { MEMBLOCK_SHAPES } from '../shapes/memblock-shapes.js';
import { NODE_SHAPES } from '../shapes/node-shapes.js';
import { ZONE_SHAPES } from '../shapes/zone-shapes.js';
import { copyOf } from '../records/draft.js';
import type { LineCodes } from '../text/line-codes.js';
import { mayBeRecord } from './recognisers.js';

/** All shapes there are. */
export const SHAPES = [
  ...MAP_SHAPES,
  ...EFI_SHAPES,
  ...MEMBLOCK_SHAPES,
  ...NODE_SHAPES,
  ...ZONE_SHAPES,
] as const;
const TREE = new ShapeTree(SHAPES);

/** Texts of which one copy is kept for all records that hold them. */
const MAX_TEXTS = 4096;

const SPACE = ' '.charCodeAt(0);
const OPEN = '['.charCodeAt(0);

/** Finds them. */
export class UsualLines {
  /** What stands in the fields of the line that was found last. */
  readonly fields = new Fields();
  /** Copies; `undefined` for a text that holds the words of a recogniser. */
  readonly #texts = new Map<string, string | undefined>();

  /**
   * The shape that a line is.
   * @param text    the cleaned line
   * @param codes   of its characters
   * @param prefix  characters of the kernel time that it begins with; 0 for none
   */
  find(text: string, codes: LineCodes, prefix: number): Shape | undefined {
    const start = prefix === 0 ? 0 : messageStart(text, prefix);
    if (start < 0 || !codes.isAscii) return undefined;
    const shape = TREE.find(codes, start, this.fields);
    if (shape === undefined || this.fields.textAt < 0) return shape;
    const own = this.#ownText(text.slice(this.fields.textAt, this.fields.textEnd));
    if (own === undefined) return undefined;
    this.fields.text = own;
    return shape;
  }

  // A few hundred places ask for memory many thousand times.
  #ownText(text: string): string | undefined {
    const known = this.#texts.get(text);
    if (known !== undefined || this.#texts.has(text)) return known;
    const copy = copyOf(text);
    const own = mayBeRecord(copy) ? undefined : copy;
    if (this.#texts.size < MAX_TEXTS) this.#texts.set(copy, own);
    return own;
  }
}

/** Where the message begins behind a kernel time and perhaps a caller; below 0 where something else comes first. */
function messageStart(text: string, prefix: number): number {
  let at = prefix;
  while (at < text.length && text.charCodeAt(at) === SPACE) at++;
  if (at < text.length && text.charCodeAt(at) === OPEN) {
    const caller = CALLER.exec(text.slice(at, at + LONGEST_CALLER));
    if (caller === null) return -1;
    at += caller[0].length;
    return text.startsWith(' ', at) ? at : -1;
  }
  return at > prefix ? at : -1;
}

/** The thread or the processor that printed a line. */
const CALLER = /^\[ *[TC]\d{1,10}\]/;
const LONGEST_CALLER = 16;
