/**
 * The managed bytes: views, zeroing, poison. Nothing here is on the path of a plain allocation.
 */
import { refuse } from './check.js';
import { BuddyError } from './errors.js';
import type { BufferHolder } from './local.js';
import { isWasmMemory, presentBuffer, type WasmMemory } from './wasm-memory.js';

/** Byte that freed pages are filled with. @kernel PAGE_POISON */
export const POISON = 0xaa;

/** Constructors that views accepts. */
export interface ViewConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** No view is larger: engines bound the elements of one, some at 2^32 - 1. */
const VIEW_BYTES = 2 ** 30;

/** Copies bytes of a buffer to another, which both may be larger than any view. */
export function copyBytes(
  from: ArrayBufferLike,
  fromOffset: number,
  to: ArrayBufferLike,
  toOffset: number,
  bytes: number,
): void {
  for (let at = 0; at < bytes; at += VIEW_BYTES) {
    const part = new Uint8Array(from, fromOffset + at, Math.min(VIEW_BYTES, bytes - at));
    new Uint8Array(to, toOffset + at, part.length).set(part);
  }
}

/**
 * The managed bytes of an allocator. Views are made on demand: memory may be larger than any view, and WebAssembly memory
 * has another buffer whenever it has grown.
 */
export class PageData {
  readonly #source: ArrayBufferLike | BufferHolder;
  /** The source, where it grows. */
  readonly memory: WasmMemory | undefined;
  readonly offset: number;
  readonly pageSize: number;

  constructor(source: ArrayBufferLike | BufferHolder, offset: number, pageSize: number) {
    this.#source = source;
    this.memory = isWasmMemory(source) ? source : undefined;
    this.offset = offset;
    this.pageSize = pageSize;
  }

  /** The buffer as it is now. */
  get buffer(): ArrayBufferLike {
    return this.#bufferTo(0);
  }

  /** A typed array over pages. @throws ERR_BUDDY_ARGUMENT for a class whose elements do not fit the place */
  view<T>(pfn: number, pages: number, type: ViewConstructor<T>): T {
    return this.viewBytes(this.offset + pfn * this.pageSize, pages * this.pageSize, type);
  }

  /** A typed array over bytes of the buffer. @throws as {@link PageData.view}, and where the engine has none so large */
  viewBytes<T>(start: number, bytes: number, type: ViewConstructor<T>): T {
    const size: unknown = typeof type === 'function' ? type.BYTES_PER_ELEMENT : undefined;
    if (typeof size !== 'number') refuse('type', 'the class of a typed array', type);
    if (!Number.isInteger(start / size) || !Number.isInteger(bytes / size)) {
      refuse('type', `elements that divide ${bytes} bytes at ${start}`, size);
    }
    try {
      return new type(this.#bufferTo(start + bytes), start, bytes / size);
    } catch (cause) {
      throw new BuddyError(
        'ERR_BUDDY_ARGUMENT',
        `no view of ${bytes / size} elements can be had`,
        { option: 'pages', bytes },
        { cause },
      );
    }
  }

  /** Copies bytes to the first page and on. */
  write(from: ArrayBuffer): void {
    copyBytes(from, 0, this.#bufferTo(this.offset + from.byteLength), this.offset, from.byteLength);
  }

  /** A copy of the first bytes. @throws ERR_BUDDY_ARGUMENT when they are not there, or the machine has no room for it */
  read(bytes: number): ArrayBuffer {
    try {
      const copy = new ArrayBuffer(bytes);
      copyBytes(this.#bufferTo(this.offset + bytes), this.offset, copy, 0, bytes);
      return copy;
    } catch (cause) {
      throw new BuddyError(
        'ERR_BUDDY_ARGUMENT',
        `a copy of ${bytes} bytes cannot be had`,
        { option: 'data', bytes },
        { cause },
      );
    }
  }

  /** Fills pages. */
  fill(pfn: number, pages: number, value: number): void {
    this.#forEachPart(pfn, pages, (bytes) => {
      bytes.fill(value);
    });
  }

  /**
   * Checks that nobody wrote to freed pages.
   * @throws ERR_BUDDY_POISON with the first byte that differs and whether a single bit flipped
   */
  checkPoison(pfn: number, pages: number): void {
    const first = this.offset + pfn * this.pageSize;
    this.#forEachPart(pfn, pages, (bytes, start) => {
      for (let i = 0; i < bytes.length; i++) {
        const byte = bytes[i]!;
        if (byte === POISON) continue;
        const at = start + i;
        const flipped = byte ^ POISON;
        throw new BuddyError(
          'ERR_BUDDY_POISON',
          `byte ${at} was written after its page was freed`,
          {
            pfn: pfn + Math.floor((at - first) / this.pageSize),
            at,
            byte,
            singleBit: (flipped & (flipped - 1)) === 0,
          },
        );
      }
    });
  }

  /** The buffer as it is now, with bytes up to `end` if there are any. */
  #bufferTo(end: number): ArrayBufferLike {
    return this.memory === undefined
      ? (this.#source as ArrayBufferLike)
      : presentBuffer(this.memory, end);
  }

  /** @throws ERR_BUDDY_ARGUMENT when the bytes are not there: the buffer was detached */
  #forEachPart(
    pfn: number,
    pages: number,
    visit: (bytes: Uint8Array, start: number) => void,
  ): void {
    const end = this.offset + (pfn + pages) * this.pageSize;
    for (let start = this.offset + pfn * this.pageSize; start < end; start += VIEW_BYTES) {
      visit(this.viewBytes(start, Math.min(VIEW_BYTES, end - start), Uint8Array), start);
    }
  }
}

/** The data, where there is some. @throws ERR_BUDDY_ARGUMENT for an allocator of offsets only */
export function needData(data: PageData | undefined): PageData {
  if (data !== undefined) return data;
  throw new BuddyError('ERR_BUDDY_ARGUMENT', 'the allocator manages offsets only: it has no data');
}
