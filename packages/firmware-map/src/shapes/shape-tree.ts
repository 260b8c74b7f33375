/**
 * Messages as the kernel writes them, known from their first character to their last. A line that holds one and nothing else is
 * read in one walk along its characters: no search, no regular expression, no text made of a part of it.
 *
 *   shapes    last_pfn = 0x%x                        walk    "last_pfn = 0x" ─ %x ─┬─ end: the first
 *            last_pfn = 0x%x max_arch_pfn = 0x%x                                  └─ " max_arch_pfn = 0x" ─ %x ─ end: the second
 *
 * What shapes have in common is walked once, so a line that is none of them is told by its first letters.
 *
 * Shapes add no knowledge: recognisers read the same lines, wherever in a line they stand and however they were damaged. A shape
 * takes only what leaves nothing to say; a number above 2^53 − 1, a range without bytes and anything else odd are theirs.
 */
import type { Draft } from '../records/draft.js';
import type { LineCodes } from '../text/line-codes.js';
import { afterBlanks, BEGINS, FIELD_KINDS, isPlace, MAX_NUMBERS } from './fields.js';
import type { FieldKind, Fields } from './fields.js';

/** A message, and the record that it is. */
export interface Shape {
  /** Its letters, with fields where they differ from line to line. */
  readonly text: string;
  /**
   * Keeps the record.
   * @returns false, with nothing done, where the line has to be read by those who can complain
   */
  readonly take: (fields: Fields, draft: Draft, line: number) => boolean;
  /** It is a record only below the header of its block. */
  readonly isOfBlock?: true;
}

/** Where a walk stands: what may come next. */
interface Step {
  /** Codes of letters that must come. */
  readonly run: Uint8Array;
  /** The shape that the line is, if it ends behind them. */
  readonly shape: Shape | undefined;
  /** Letters of which one may come then, and where each leads. */
  readonly letters: Uint8Array;
  readonly branches: readonly Step[];
  /** The field that may come instead. */
  readonly field: FieldKind;
  readonly behind: Step | undefined;
}

/** Shapes, to be looked up by a line. */
export class ShapeTree {
  readonly #root: Step;

  /** @throws Error where a line could be two of the shapes, or is not told apart by its next character */
  constructor(shapes: readonly Shape[]) {
    this.#root = stepOf(shapes.map((shape) => ({ rest: coded(shape.text), shape })));
  }

  /**
   * The shape that a message is.
   * @param codes   of a line, all of them ASCII
   * @param start   where the message begins; blanks before it do not count
   * @param fields  gets what stands in the fields
   * @remarks cost some looks at each character as far as the text is like a shape; allocates nothing
   */
  find(codes: LineCodes, start: number, fields: Fields): Shape | undefined {
    fields.clear();
    const { bytes, length } = codes;
    let at = afterBlanks(codes, start);
    let step: Step | undefined = this.#root;
    let withPlace: Shape | undefined;
    let placeAt = -1;
    while (step !== undefined && begins(bytes, at, step.run)) {
      at += step.run.length;
      if (at >= length) {
        // What is behind the line is of another one.
        if (at > length) break;
        if (step.shape === undefined) break;
        return step.shape;
      }
      if (step.field === FIELD_KINDS.S) {
        withPlace = step.behind!.shape;
        placeAt = at;
      }
      const branch = branchOf(step, bytes[at]!);
      if (branch === undefined) {
        const from = at;
        at = fields.read(step.field, codes, from);
        if (at === from) break;
        step = step.behind;
      } else {
        step = branch;
        at++;
      }
    }
    if (withPlace === undefined || !isPlace(codes, placeAt)) return undefined;
    fields.textAt = placeAt;
    fields.textEnd = length;
    return withPlace;
  }
}

function begins(bytes: Uint8Array, at: number, run: Uint8Array): boolean {
  for (let index = 0; index < run.length; index++) {
    if (bytes[at + index] !== run[index]) return false;
  }
  return true;
}

function branchOf({ letters, branches }: Step, code: number): Step | undefined {
  for (let index = 0; index < letters.length; index++) {
    if (letters[index] === code) return branches[index];
  }
  return undefined;
}

function codesOf(letters: string): Uint8Array {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

/** A shape, and the part of it that is still to be put into the tree. */
interface Tail {
  readonly rest: string;
  readonly shape: Shape;
}

/** The text of a shape with a character for each of its fields. */
function coded(text: string): string {
  let numbers = 0;
  const rest = text.replace(/%(.)/g, (field, name: string) => {
    const kind = (FIELD_KINDS as Readonly<Record<string, FieldKind>>)[name];
    if (kind === undefined) throw new Error(`"${field}" in "${text}" is no field`);
    if (/[xdi]/.test(name)) numbers++;
    return String.fromCharCode(kind);
  });
  if (numbers > MAX_NUMBERS) throw new Error(`"${text}" has more than ${MAX_NUMBERS} numbers`);
  return rest;
}

function stepOf(tails: readonly Tail[]): Step {
  const run = sharedLetters(tails.map(({ rest }) => rest));
  let shape: Shape | undefined;
  const groups = new Map<string, Tail[]>();
  for (const tail of tails) {
    const rest = tail.rest.slice(run.length);
    if (rest === '') {
      if (shape !== undefined) throw new Error(`"${shape.text}" is two shapes`);
      shape = tail.shape;
    } else {
      const group = groups.get(rest.charAt(0)) ?? [];
      groups.set(rest.charAt(0), [...group, { rest: rest.slice(1), shape: tail.shape }]);
    }
  }
  const firsts = [...groups.keys()];
  const field = firsts.find(isField);
  const letters = firsts.filter((first) => first !== field);
  const kind = (field?.charCodeAt(0) ?? FIELD_KINDS.none) as FieldKind;
  if (letters.some((letter) => isField(letter) || BEGINS[kind]!.test(letter))) {
    throw new Error(`"${tails[0]!.shape.text}" is not told from another shape`);
  }
  return {
    run: codesOf(run),
    shape,
    letters: codesOf(letters.join('')),
    branches: letters.map((letter) => stepOf(groups.get(letter)!)),
    field: kind,
    behind: field === undefined ? undefined : stepOf(groups.get(field)!),
  };
}

function isField(char: string): boolean {
  return char.charCodeAt(0) <= FIELD_KINDS.S;
}

/** The letters that all texts begin with, up to their first field. */
function sharedLetters(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = 0;
  while (
    length < first.length &&
    !isField(first.charAt(length)) &&
    others.every((text) => text.charAt(length) === first.charAt(length))
  ) {
    length++;
  }
  return first.slice(0, length);
}
