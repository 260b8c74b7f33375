/**
 * Shared words: a `SharedArrayBuffer` where the platform has one, else a plain `ArrayBuffer`, with which
 * everything works on the calling thread only. Both are lazily backed by the operating system, so a
 * large column costs nothing until it is touched.
 */
import { MemmapError } from '../facts/errors.js';

/** True where memory can be shared between threads. */
export function canShare(): boolean {
  return typeof SharedArrayBuffer !== 'undefined';
}

/**
 * Zeroed bytes.
 * @throws ERR_MEMMAP_STORAGE when the platform refuses the size
 */
export function allocateBuffer(bytes: number, shared = canShare()): ArrayBufferLike {
  try {
    return shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  } catch (cause) {
    throw new MemmapError(
      'ERR_MEMMAP_STORAGE',
      `cannot reserve ${bytes} bytes`,
      { bytes },
      { cause },
    );
  }
}

/** Zeroed 32-bit words. @throws ERR_MEMMAP_STORAGE when the platform refuses the size */
export function allocateWords(count: number, shared = canShare()): Int32Array {
  return new Int32Array(allocateBuffer(count * 4, shared));
}

/** True when `buffer` can be seen by several threads; works across realms. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}
