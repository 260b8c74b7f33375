/**
 * One check for every handle: what came over `postMessage` is what a `toHandle()` of this version made.
 *
 *     handle ── an object? ── its tag? ── header buffer? ── magic, version? ── numbers of the header? ── each buffer:
 *     there, of the right kind (shared or not, bytes or words), long enough? ── the handles inside it, the same way
 *
 * A format is data: the tag, where the header is, and which buffers the header's numbers ask for. Whoever attaches
 * gives its format and a maker of errors, so that the caller hears from the package that it called.
 *
 * Convention of all shared words of these packages: word 0 is the magic number, word 1 the version of the layout.
 * Magic is written last at creation. The check reads lengths and header words only: O(buffers), whatever the size.
 */

import { canShare } from './words.js';

/** Makes the error of the package that was asked to attach; called with a plain sentence and its values. */
export type HandleErrorMaker = (
  message: string,
  details: Readonly<Record<string, unknown>>,
) => Error;

/** One buffer that a handle must carry. */
export interface BufferNeed {
  /** Where it stands in the handle: `table`, or `columns.links` inside another object. */
  readonly field: string;
  /** Fewest bytes. */
  readonly bytes: number;
  /** `words`: an Int32Array; default `buffer`: an ArrayBuffer or SharedArrayBuffer. */
  readonly as?: 'buffer' | 'words';
  /** Must (true) or must not (false) be shared memory; default either. */
  readonly shared?: boolean;
}

/** What the handles of one kind look like. */
export interface HandleFormat {
  /** Value of the handle's field `type`. */
  readonly type: string;
  /** Field whose first words are magic and version, and what it is. */
  readonly header: Pick<BufferNeed, 'field' | 'as'>;
  /** Word 0 of the header. */
  readonly magic: number;
  /** Word 1 of the header. */
  readonly version: number;
  /** Words that {@link HandleFormat.needs} reads; at least 2. */
  readonly headerWords: number;
  /**
   * The buffers that the header's numbers ask for; or, as a sentence, what is wrong with these numbers or with another
   * field of the handle. Called once tag, magic and version are right.
   */
  readonly needs: (
    words: Int32Array,
    handle: Readonly<Record<string, unknown>>,
  ) => readonly BufferNeed[] | string;
  /** Handles inside the handle, by field. */
  readonly parts?: Readonly<Record<string, HandleFormat>>;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Value at a path such as `columns.links`; undefined where a step is missing. */
function fieldAt(handle: Fields, path: string): unknown {
  let value: unknown = handle;
  for (const step of path.split('.')) value = isFields(value) ? value[step] : undefined;
  return value;
}

/**
 * Reads a property by its getter, which looks at the internal slot: a look-alike has none (undefined), an object of
 * another realm has.
 */
function slotReader(prototype: object, key: PropertyKey): (value: unknown) => unknown {
  const property = Object.getOwnPropertyDescriptor(prototype, key);
  return (value) => {
    try {
      return property?.get?.call(value) as unknown;
    } catch {
      // TypeError: the value has no such slot.
      return undefined;
    }
  };
}

const localBytes = slotReader(ArrayBuffer.prototype, 'byteLength');
const sharedBytes = canShare()
  ? slotReader(SharedArrayBuffer.prototype, 'byteLength')
  : (): undefined => undefined;
const typedArrayName = slotReader(
  Object.getPrototypeOf(Int32Array.prototype) as object,
  Symbol.toStringTag,
);

/** What is wrong with a buffer, as the end of a sentence; undefined for nothing. */
function faultOf(value: unknown, need: BufferNeed): string | undefined {
  const words = need.as === 'words';
  if (words && typedArrayName(value) !== 'Int32Array') return 'is no Int32Array';
  const buffer: unknown = words ? (value as Int32Array).buffer : value;
  const shared = sharedBytes(buffer);
  const length = shared ?? localBytes(buffer);
  if (length === undefined) return 'is no ArrayBuffer and no SharedArrayBuffer';
  if (need.shared === true && shared === undefined) return 'is not shared memory';
  if (need.shared === false && shared !== undefined) return 'is shared memory';
  const bytes = words ? (value as Int32Array).byteLength : (length as number);
  return bytes >= need.bytes ? undefined : `has ${bytes} bytes, not ${need.bytes}`;
}

/**
 * Checks a handle before anything of it is used.
 * @param handle  whatever came
 * @param format  what it should be
 * @param fail    makes the error to throw, with the caller's class and code
 * @returns the words of the header
 * @throws what `fail` makes, for junk, for another package's or version's handle and for a truncated one
 */
export function checkHandle(
  handle: unknown,
  format: HandleFormat,
  fail: HandleErrorMaker,
): Int32Array {
  const { type, header, headerWords, magic, version, parts = {} } = format;
  const refuse = (problem: string, details: Fields = {}): never => {
    throw fail(`not a handle of type ${type}: ${problem}`, { type, ...details });
  };
  const check = (need: BufferNeed): void => {
    const { field, bytes } = need;
    if (!Number.isSafeInteger(bytes) || bytes < 0) refuse('its sizes are no numbers', { field });
    const fault = faultOf(fieldAt(handle as Fields, field), need);
    if (fault !== undefined) refuse(`${field} ${fault}`, { field, bytes });
  };
  if (!isFields(handle)) return refuse('it is no object');
  if (handle['type'] !== type) refuse('its tag is another', { tag: describeTag(handle['type']) });
  check({ ...header, bytes: 4 * headerWords });
  const at = fieldAt(handle, header.field);
  const words = header.as === 'words' ? (at as Int32Array) : wordsOver(at as ArrayBufferLike);
  if (words[0] !== magic) refuse('its header is of something else', { magic: words[0] });
  if (words[1] !== version) {
    refuse(`its layout has version ${words[1]}, this package reads ${version}`, {
      version: words[1],
    });
  }
  const needs = format.needs(words, handle);
  if (typeof needs === 'string') return refuse(needs);
  needs.forEach(check);
  for (const [field, part] of Object.entries(parts)) {
    // The error is the caller's, with the part in front: `memmap is not a handle of type ...`.
    checkHandle(handle[field], part, (message, details) =>
      fail(`${field} is ${message}`, { field, ...details }),
    );
  }
  return words;
}

/** Whole words of a buffer. */
function wordsOver(buffer: ArrayBufferLike): Int32Array {
  return new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
}

/** The tag that came, as far as it can stand in an error's details. */
function describeTag(tag: unknown): string {
  return typeof tag === 'string' ? tag : typeof tag;
}
