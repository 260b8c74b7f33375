/**
 * The bytes that the slots of a ring name: one space of addresses, in parts that are added as larger values come.
 *
 * ```
 *   0 [ part 0: in the ring's own memory ] [ part 1 ] [ part 2 ] ... end
 * ```
 * A stretch lies in one part. The owner adds a part: it tells each thread by message, then offers jobs that use it; so a
 * thread that has taken such a job and does not know the part finds it in its mail (`bytes of a part` in DESIGN.md).
 */
import { textBytes } from '#text';
// By its path, not as `#text`: a type that the main entry reaches must resolve for compilers that know no package imports.
import type { TextBytes } from '../text/text.node.js';

/** One part, as it is told by message. */
export interface PartMemory {
  /** Address of its first byte. */
  readonly first: number;
  readonly buffer: SharedArrayBuffer;
}

/** Views of one part. */
export interface ArenaPart {
  readonly first: number;
  /** Address behind its last byte. */
  readonly end: number;
  readonly bytes: Uint8Array;
  /** The same bytes, as text is written to them, and as words. */
  readonly text: TextBytes;
  readonly words: Int32Array;
}

/** Memory of all rings that this thread knows, and as parts of what. */
const memory = new WeakMap<object, ArenaParts>();
/** Of those that it has made. */
const made = new WeakSet<object>();

/** Is it memory that bytes of jobs lie in, of any ring? */
export function isArenaMemory(buffer: unknown): boolean {
  return memory.has(buffer as object);
}

/** Was it made on this thread, for a pool of its own? What it has of it are results, which are the program's. */
export function isMadeHere(buffer: object): boolean {
  return made.has(buffer);
}

/** This thread makes it. */
export function noteMade(buffer: object): void {
  made.add(buffer);
}

/** The parts that one thread knows. */
export class ArenaParts {
  /** Address behind the last byte of all. */
  end: number;
  readonly #own: ArenaPart;
  readonly #added: ArenaPart[] = [];
  readonly #identity: number;

  /** @param identity of the ring, see `RING_NUMBER`; 0 = none */
  constructor(buffer: SharedArrayBuffer, offset: number, bytes: number, identity = 0) {
    this.#identity = identity;
    this.#own = this.#part(0, buffer, offset, bytes);
    this.end = bytes;
  }

  /** Bytes of the part that lies in the ring's own memory. */
  get ownBytes(): number {
    return this.#own.end;
  }

  /** Those beside the ring's own. */
  get added(): readonly PartMemory[] {
    return this.#added.map(({ first, bytes }) => ({
      first,
      buffer: bytes.buffer as SharedArrayBuffer,
    }));
  }

  /** Their memory. */
  get buffers(): readonly ArrayBufferLike[] {
    return [this.#own, ...this.#added].map(({ bytes }) => bytes.buffer);
  }

  /** Adds the next part; one that is known already is left. */
  add({ first, buffer }: PartMemory): void {
    if (first < this.end) return;
    this.#added.push(this.#part(first, buffer, 0, buffer.byteLength));
    this.end = first + buffer.byteLength;
  }

  /** The part in which this address lies, or the last. */
  at(address: number): ArenaPart {
    if (address < this.#own.end) return this.#own;
    for (const part of this.#added) if (address < part.end) return part;
    return this.#added.at(-1) ?? this.#own;
  }

  /** Address of a byte of this buffer; below 0 = it is none of the arena's. */
  addressOf(buffer: unknown, offset: number): number {
    if (buffer === this.#own.bytes.buffer) return offset - this.#own.bytes.byteOffset;
    for (const part of this.#added) if (part.bytes.buffer === buffer) return part.first + offset;
    return -1;
  }

  /** Are these bytes the arena's? */
  has(buffer: ArrayBufferLike): boolean {
    if (buffer === this.#own.bytes.buffer) return true;
    return this.#added.some(({ bytes }) => bytes.buffer === buffer);
  }

  /**
   * The parts of this ring that know this buffer; undefined = it is none of the ring's. A thread may have the same memory twice: as the
   * ring was announced to it, and as a handle of a deferred job names it that has come by message.
   */
  whoKnows(buffer: ArrayBufferLike): ArenaParts | undefined {
    if (this.has(buffer)) return this;
    const other = memory.get(buffer);
    if (other === undefined || this.#identity === 0) return undefined;
    return other.#identity === this.#identity ? other : undefined;
  }

  #part(first: number, buffer: SharedArrayBuffer, offset: number, length: number): ArenaPart {
    if (!memory.has(buffer)) memory.set(buffer, this);
    return {
      first,
      end: first + length,
      bytes: new Uint8Array(buffer, offset, length),
      text: textBytes(buffer, offset, length),
      words: new Int32Array(buffer, offset, length >> 2),
    };
  }
}
