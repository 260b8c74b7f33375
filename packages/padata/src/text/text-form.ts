/**
 * How text lies in bytes. Whoever writes it chooses by what its platform does in bulk, and says so beside the bytes; both
 * sides of a ring are of one platform.
 *
 * | form | bytes a unit | which text |
 * | --- | --- | --- |
 * | LATIN1 | 1 | no unit above 255 |
 * | UTF16 | 2, low byte first | any, surrogates without their other half too |
 * | UTF8 | 1 to 3 | well formed |
 */
export const TextForm = { LATIN1: 0, UTF16: 1, UTF8: 2 } as const;

/** Texts of so many units are written and read unit by unit: a call of a bulk encoder costs more. */
export const SHORT = 12;

const WIDE = /[\u0100-\uffff]/;

/**
 * Has the text a unit above 255? Where the engine keeps it in one byte a unit, as V8 does, it answers at once: there is
 * nothing in such a text that the expression could match.
 */
export function isWide(text: string): boolean {
  return WIDE.test(text);
}

/** Writes text unit by unit, in LATIN1 or UTF16; there must be room. @returns the byte behind it */
export function writeUnits(to: Uint8Array, text: string, offset: number, form: number): number {
  const { length } = text;
  let at = offset;
  if (form === TextForm.LATIN1) {
    for (let i = 0; i < length; i += 1) to[at++] = text.charCodeAt(i);
    return at;
  }
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    to[at++] = unit;
    to[at++] = unit >>> 8;
  }
  return at;
}

/** Units that are made text in one call: each is an argument. */
const CHUNK = 1024;

/** Reads text of these bytes, in LATIN1 or UTF16. */
export function readUnits(from: Uint8Array, offset: number, bytes: number, form: number): string {
  const step = form === TextForm.LATIN1 ? 1 : 2;
  const end = offset + bytes;
  let text = '';
  if (bytes <= SHORT * 2) {
    for (let at = offset; at < end; at += step) text += String.fromCharCode(unitAt(from, at, step));
    return text;
  }
  const units: number[] = [];
  for (let at = offset; at < end; at += step) {
    units.push(unitAt(from, at, step));
    if (units.length < CHUNK) continue;
    text += String.fromCharCode(...units);
    units.length = 0;
  }
  return text + String.fromCharCode(...units);
}

function unitAt(from: Uint8Array, at: number, step: number): number {
  return step === 1 ? from[at]! : from[at]! | (from[at + 1]! << 8);
}
