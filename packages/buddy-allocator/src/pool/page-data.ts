/**
 * The managed bytes: views, zeroing, poison. Nothing here is on the path of a plain allocation.
 */
import { refuse } from '../base/check.js';
import { BuddyError } from '../base/errors.js';

/** Byte that freed pages are filled with. @kernel PAGE_POISON */
export const POISON = 0xaa;

/** Constructors that views accepts. */
export interface ViewConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The managed bytes of an allocator. */
export class PageData {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  readonly pageSize: number;
  readonly #bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike, offset: number, pageSize: number) {
    this.buffer = buffer;
    this.offset = offset;
    this.pageSize = pageSize;
    this.#bytes = new Uint8Array(buffer);
  }

  /** A typed array over pages. @throws ERR_BUDDY_ARGUMENT for a class whose elements do not fit the place */
  view<T>(pfn: number, pages: number, type: ViewConstructor<T>): T {
    const bytes = pages * this.pageSize;
    const start = this.offset + pfn * this.pageSize;
    const size: unknown = typeof type === 'function' ? type.BYTES_PER_ELEMENT : undefined;
    if (typeof size !== 'number') refuse('type', 'the class of a typed array', type);
    if (!Number.isInteger(start / size) || !Number.isInteger(bytes / size)) {
      refuse('type', `elements that divide ${bytes} bytes at ${start}`, size);
    }
    return new type(this.buffer, start, bytes / size);
  }

  /** Fills pages. */
  fill(pfn: number, pages: number, value: number): void {
    const start = this.offset + pfn * this.pageSize;
    this.#bytes.fill(value, start, start + pages * this.pageSize);
  }

  /**
   * Checks that nobody wrote to freed pages.
   * @throws ERR_BUDDY_POISON with the first byte that differs and whether a single bit flipped
   */
  checkPoison(pfn: number, pages: number): void {
    const start = this.offset + pfn * this.pageSize;
    const end = start + pages * this.pageSize;
    for (let at = start; at < end; at++) {
      const byte = this.#bytes[at]!;
      if (byte === POISON) continue;
      const flipped = byte ^ POISON;
      throw new BuddyError('ERR_BUDDY_POISON', `byte ${at} was written after its page was freed`, {
        pfn: pfn + Math.floor((at - start) / this.pageSize),
        at,
        byte,
        singleBit: (flipped & (flipped - 1)) === 0,
      });
    }
  }
}

/** The data, where there is some. @throws ERR_BUDDY_ARGUMENT for an allocator of offsets only */
export function needData(data: PageData | undefined): PageData {
  if (data !== undefined) return data;
  throw new BuddyError('ERR_BUDDY_ARGUMENT', 'the allocator manages offsets only: it has no data');
}
