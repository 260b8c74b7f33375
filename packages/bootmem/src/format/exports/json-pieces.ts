/**
 * JSON in pieces: what JSON.stringify makes of a value, of which no piece takes long to make, however long the whole is.
 *
 * ```
 * {"facts":[{…},{…},{… | …},{…},{… | …}],"notes":[]}      about 64 Ki characters each; an object of plain values stays whole
 * ```
 */

/** Characters from which on a piece is long enough. */
const PIECE_LENGTH = 2 ** 16;

/**
 * The pieces of a value's JSON.
 * @param value  what JSON can hold; what is undefined in it is left out
 */
export function* jsonPieces(value: unknown): Generator<string> {
  let piece = '';
  for (const part of partsOf(value)) {
    piece += part;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* partsOf(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null || isFlat(value)) {
    yield value === undefined ? 'null' : JSON.stringify(value);
    return;
  }
  let comma = '';
  if (Array.isArray(value)) {
    yield '[';
    for (const item of value as unknown[]) {
      yield comma;
      yield* partsOf(item);
      comma = ',';
    }
    yield ']';
    return;
  }
  yield '{';
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    yield `${comma}${JSON.stringify(name)}:`;
    yield* partsOf(item);
    comma = ',';
  }
  yield '}';
}

/** An object that holds plain values alone, and few of them. */
function isFlat(value: object): boolean {
  if (Array.isArray(value)) return false;
  const values = Object.values(value) as unknown[];
  return values.length <= 64 && values.every((one) => typeof one !== 'object' || one === null);
}
