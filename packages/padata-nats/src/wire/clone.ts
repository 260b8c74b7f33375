/**
 * Structured clone as bytes, and back. Views have bytes of their own when they are read: Node's own reader makes them views of the
 * message, so `view.buffer` would be all that came with it, kept as long as the view, and shared with whoever reads it again.
 */
import { DefaultDeserializer, serialize } from 'node:v8';

type ReadView = (this: DefaultDeserializer) => ArrayBufferView;

const { _readHostObject: readView } = DefaultDeserializer.prototype as unknown as {
  readonly _readHostObject: ReadView;
};

class Reader extends DefaultDeserializer {
  /** Called by V8 for each view. A Buffer becomes a Uint8Array, as between threads. */
  _readHostObject(): ArrayBufferView {
    const view = readView.call(this);
    const { byteOffset, byteLength } = view;
    const bytes = (view.buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
    const kind = Buffer.isBuffer(view) ? Uint8Array : view.constructor;
    return new (kind as new (bytes: ArrayBuffer) => ArrayBufferView)(bytes);
  }
}

/** @throws DataCloneError for what only makes sense inside a process */
export function toClone(value: unknown): Uint8Array {
  return serialize(value);
}

/** @throws Error when the bytes are none that `toClone` gives */
export function fromClone(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  reader.readHeader();
  return reader.readValue() as unknown;
}
