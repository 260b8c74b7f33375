/**
 * Typed arrays as bytes. Uint8Arrays (and Buffers) travel as what they are; of the others the bytes of their elements do, with
 * the kind of element, and what is read is an array of its own, as structured clone would give it. What that would not copy
 * plainly is none of them: views of a part of a buffer, of shared memory, of a buffer that can be resized or is detached.
 *
 * An array is asked by the getters of the language, whatever it says of itself: nobody writes beyond his room.
 */

/** By code. */
const KINDS = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;
const CODES: ReadonlyMap<unknown, number> = new Map(KINDS.map(({ name }, code) => [name, code]));

type Getter<T> = (this: unknown) => T;
/** A getter of the language; it knows its objects in every realm. */
function getterOf<T>(of: unknown, key: PropertyKey): Getter<T> {
  return (Object.getOwnPropertyDescriptor(of, key) as { get: Getter<T> }).get;
}
const prototype: unknown = Object.getPrototypeOf(Uint8Array.prototype);
const getName = getterOf<string | undefined>(prototype, Symbol.toStringTag);
const getBuffer = getterOf<ArrayBufferLike>(prototype, 'buffer');
const getOffset = getterOf<number>(prototype, 'byteOffset');
const getLength = getterOf<number>(prototype, 'byteLength');
const getDataBuffer = getterOf<ArrayBufferLike>(DataView.prototype, 'buffer');
const getDataOffset = getterOf<number>(DataView.prototype, 'byteOffset');
const getDataLength = getterOf<number>(DataView.prototype, 'byteLength');
const getBufferLength = getterOf<number>(ArrayBuffer.prototype, 'byteLength');
/** Engines from before such buffers have none. */
const isResizable =
  'resizable' in ArrayBuffer.prototype
    ? getterOf<boolean>(ArrayBuffer.prototype, 'resizable')
    : undefined;

/** Is it bytes that may travel as bytes: a Uint8Array or a Buffer, of any realm? */
export function isBytes(value: object): value is Uint8Array {
  return getName.call(value) === 'Uint8Array';
}

/** Which kind of other typed array it is, if it may travel as its bytes; below 0 = it may not. */
export function arrayCode(view: ArrayBufferView): number {
  const code = CODES.get(getName.call(view)) ?? -1;
  return code >= 0 && isWhole(getBuffer.call(view), getLength.call(view)) ? code : -1;
}

/** Is so much all of a buffer of one size, which is not shared? */
function isWhole(buffer: ArrayBufferLike, length: number): boolean {
  if (length === 0) return false;
  try {
    return isResizable?.call(buffer) !== true && getBufferLength.call(buffer) === length;
  } catch {
    // Shared memory has getters of its own.
    return false;
  }
}

/** Are these bytes that may travel as bytes, and not all of a buffer of one size that is not shared? */
export function isPart(view: ArrayBufferView): boolean {
  if (!isBytes(view) || isWhole(getBuffer.call(view), getLength.call(view))) return false;
  // What was handed over has no bytes; a clone says so.
  return !isDetached(view);
}

/** Its length in bytes. */
export function lengthOf(view: ArrayBufferView): number {
  return getLength.call(view);
}

/** Its buffer, whatever it says of itself. */
export function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  return (isData(view) ? getDataBuffer : getBuffer).call(view);
}

/** Its first byte in its buffer, of a view of any kind. */
export function startOf(view: ArrayBufferView): number {
  return (isData(view) ? getDataOffset : getOffset).call(view);
}

/** Its length in bytes, of a view of any kind. */
export function sizeOf(view: ArrayBufferView): number {
  return (isData(view) ? getDataLength : getLength).call(view);
}

function isData(view: ArrayBufferView): boolean {
  return getName.call(view) === undefined;
}

/** A copy of a view of any kind, on memory of its own. */
export function ownView(view: ArrayBufferView): ArrayBufferView {
  if (isData(view)) {
    const bytes = new Uint8Array(
      getDataBuffer.call(view),
      getDataOffset.call(view),
      getDataLength.call(view),
    );
    return new DataView(copyOf(bytes).buffer);
  }
  const bytes = copyOf(elementBytes(view));
  if (isBytes(view)) return bytes;
  const code = CODES.get(getName.call(view));
  const kind = code === undefined ? view.constructor : KINDS[code];
  return new (kind as new (buffer: ArrayBuffer) => ArrayBufferView)(bytes.buffer);
}

/** Was its memory handed over? A clone refuses it. */
export function isDetached(bytes: Uint8Array): boolean {
  if (getLength.call(bytes) > 0) return false;
  try {
    new Uint8Array(getBuffer.call(bytes));
    return false;
  } catch {
    return true;
  }
}

/** Its first byte in `buffer`; below 0 = it is of another. */
export function offsetIn(buffer: ArrayBufferLike, view: ArrayBufferView): number {
  return getBuffer.call(view) === buffer ? getOffset.call(view) : -1;
}

/** The bytes of its elements. */
export function elementBytes(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(getBuffer.call(view), getOffset.call(view), getLength.call(view));
}

/** Bytes that a view takes where it travels as bytes; below 0 = it does not, or is none of them. */
export function viewRoom(view: ArrayBufferView): number {
  if (isBytes(view)) return isDetached(view) ? -1 : getLength.call(view);
  return arrayCode(view) >= 0 ? getLength.call(view) : -1;
}

/**
 * A copy of these bytes, whose memory is not shared. `slice` first fills with zeros what it then writes over: a quarter of
 * what a copy of 4 KiB costs.
 */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** An array of this kind with a copy of these bytes, whose memory is not shared. */
export function arrayOf(code: number, bytes: Uint8Array): ArrayBufferView {
  return new KINDS[code]!(copyOf(bytes).buffer);
}
