/**
 * Bytes of a log file, expanded where it is packed: gzip, xz or zstd, told by its first bytes and not by its name.
 *
 * A few hundred bytes can expand to gigabytes, so the expanded size has a bound of its own. All is a stream, in memory that
 * does not grow with the file.
 */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BootmemError } from '../errors.js';
import { bytesOf, cannotRead } from './open-input.js';

/** Most bytes that a packed log may expand to. */
const MAX_EXPANDED = 2 ** 28;

type Bytes = AsyncIterable<Uint8Array>;

/** Counts expanded bytes; throws when there are too many. */
type Grow = (bytes: number) => void;

/** First bytes of each packing, and what undoes it. */
const PACKINGS: readonly (readonly [
  readonly number[],
  (source: Readable, grow: Grow) => AsyncGenerator<Uint8Array>,
])[] = [
  [[0x1f, 0x8b], fromGzip],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], fromXz],
  [[0x28, 0xb5, 0x2f, 0xfd], fromZstd],
];

/** How a file is read. */
export interface ExpandOptions {
  /** Bytes that a packed one may expand to. */
  readonly most?: number | undefined;
  /** Ends the reading, also of a pipe that says nothing. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a file.
 * @param path     any file, or {@link STANDARD_INPUT}
 * @param options  bounds
 * @throws BootmemError ERR_BOOTMEM_READ when it cannot be read, or not be expanded, ERR_BOOTMEM_INPUT while reading, when it
 *   holds or expands to more than the bounds
 */
export async function* expanded(
  path: string,
  { most = MAX_EXPANDED, signal }: ExpandOptions = {},
): AsyncGenerator<Uint8Array> {
  const { head, source } = await peek(bytesOf(path, { signal }));
  const unpack = PACKINGS.find(([magic]) => magic.every((byte, at) => head[at] === byte))?.[1];
  if (unpack === undefined) {
    yield* source;
    return;
  }
  let size = 0;
  const grow = (bytes: number): void => {
    size += bytes;
    if (size <= most) return;
    throw new BootmemError(
      'ERR_BOOTMEM_INPUT',
      `${path} expands to more than ${most / 2 ** 20} MiB`,
      { path, most },
    );
  };
  try {
    yield* unpack(Readable.from(source), grow);
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof BootmemError ? error : cannotRead(path, error);
  }
}

/** The first bytes of a stream, and the whole of it; a pipe cannot be opened twice. */
async function peek(
  file: Bytes,
): Promise<{ head: Uint8Array; source: AsyncGenerator<Uint8Array> }> {
  const chunks = file[Symbol.asyncIterator]();
  const { value } = (await chunks.next()) as { value?: Uint8Array };
  const head = value ?? new Uint8Array(0);
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield next.value;
    }
  }
  return { head, source: whole() };
}

async function* fromGzip(source: Readable, grow: Grow): AsyncGenerator<Uint8Array> {
  // The pipeline hands an error of either end to the one that is read.
  for await (const chunk of pipeline(source, createGunzip(), () => undefined) as Bytes) {
    grow(chunk.byteLength);
    yield chunk;
  }
}

async function* fromXz(source: Readable, grow: Grow): AsyncGenerator<Uint8Array> {
  const loaded = await import('xz-decompress');
  // A CommonJS module: Node.js gives it as the default, loaders of TypeScript and bundlers spread it out.
  const xz =
    (loaded as Partial<typeof loaded>).default ?? (loaded as unknown as typeof loaded.default);
  const packed = Readable.toWeb(source) as unknown as globalThis.ReadableStream<Uint8Array>;
  const stream = new xz.XzReadableStream(packed) as Bytes;
  for await (const chunk of stream) {
    grow(chunk.byteLength);
    yield chunk;
  }
}

/** Bytes that are expanded at a time. */
const ZSTD_STEP = 2 ** 9;

async function* fromZstd(source: Readable, grow: Grow): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const decoder = new Decompress((data) => {
    // One piece of input may hold any number of blocks, so they are counted where they come out.
    grow(data.byteLength);
    ready.push(data);
  });
  for await (const chunk of source as Bytes) {
    // A block of four bytes may stand for 128 KiB: little goes in at a time, so that little comes out.
    for (let at = 0; at < chunk.byteLength; at += ZSTD_STEP) {
      decoder.push(chunk.subarray(at, at + ZSTD_STEP));
      yield* ready;
      ready = [];
    }
  }
  decoder.push(new Uint8Array(0), true);
  yield* ready;
}
