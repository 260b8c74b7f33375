/**
 * Bytes of a log file, expanded where it is packed: gzip, xz or zstd, told by its first bytes and not by its name.
 *
 * A few hundred bytes can expand to gigabytes, so the expanded size has a bound of its own; a dozen can claim a window of
 * gigabytes, or have it moved for every byte, so what headers claim has bounds too. All is a stream, in memory that does not
 * grow with the file.
 */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BootmemError } from '../../errors.js';
import { bytesOf, cannotRead } from '../open-input.js';
import { follow } from './follow.js';
import type { Walk } from './follow.js';
import { xzWalk } from './xz-walk.js';
import { zstdWalk } from './zstd-walk.js';

/** Most bytes that a packed log may expand to. */
const MAX_EXPANDED = 2 ** 28;

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Most bytes of a window or dictionary, which are allocated at once: the strongest presets of xz and zstd's for everyday use
 * stay within.
 */
const MAX_WINDOW = 2 ** 26;
/** Most bytes that unpacking zstd moves within windows: each block moves the whole of its own. */
const MAX_MOVED = 2 ** 34;

/** What is asked before a file gets more; each throws when it is too much. */
interface Bounds {
  /** Expanded bytes, more of them. */
  readonly grow: (bytes: number) => void;
  /** Bytes of a window or dictionary. */
  readonly claim: (bytes: number) => void;
  /** Bytes that are moved, more of them. */
  readonly move: (bytes: number) => void;
}

/** First bytes of each packing, and what undoes it. */
const PACKINGS: readonly (readonly [
  RegExp,
  (source: Readable, bounds: Bounds) => AsyncGenerator<Uint8Array>,
])[] = [
  [/^1f8b/, fromGzip],
  [/^fd377a585a00/, fromXz],
  // A frame, or one to be skipped, as parallel packers write first.
  [/^(?:28b52ffd|5[0-9a-f]2a4d18)/, fromZstd],
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
  const begin = Buffer.from(head.subarray(0, 8)).toString('hex');
  const unpack = PACKINGS.find(([magic]) => magic.test(begin))?.[1];
  if (unpack === undefined) {
    yield* source;
    return;
  }
  try {
    yield* unpack(Readable.from(source), boundsOf(path, most));
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof BootmemError ? error : cannotRead(path, error);
  }
}

function boundsOf(path: string, mostExpanded: number): Bounds {
  const refuse = (why: string, details: object): never => {
    throw new BootmemError('ERR_BOOTMEM_INPUT', `${path} ${why}`, { path, ...details });
  };
  let size = 0;
  let moved = 0;
  return {
    grow(bytes) {
      size += bytes;
      if (size <= mostExpanded) return;
      refuse(`expands to more than ${mostExpanded / 2 ** 20} MiB`, { most: mostExpanded });
    },
    claim(window) {
      if (window <= MAX_WINDOW) return;
      const [needed, most] = [window, MAX_WINDOW].map((bytes) => Math.ceil(bytes / 2 ** 20));
      const why = `needs a window of ${needed} MiB to be unpacked, and ${most} MiB may be used: unpack it first`;
      refuse(why, { window, most: MAX_WINDOW });
    },
    move(bytes) {
      moved += bytes;
      if (moved <= MAX_MOVED) return;
      refuse('has too many blocks for its window: unpack it first', { most: MAX_MOVED });
    },
  };
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

async function* fromGzip(source: Readable, { grow }: Bounds): AsyncGenerator<Uint8Array> {
  // The pipeline hands an error of either end to the one that is read.
  for await (const chunk of pipeline(source, createGunzip(), () => undefined) as Bytes) {
    grow(chunk.byteLength);
    yield chunk;
  }
}

async function* fromXz(source: Readable, { grow, claim }: Bounds): AsyncGenerator<Uint8Array> {
  const loaded = await import('xz-decompress');
  // A CommonJS module: Node.js gives it as the default, loaders of TypeScript and bundlers spread it out.
  const xz =
    (loaded as Partial<typeof loaded>).default ?? (loaded as unknown as typeof loaded.default);
  const packed = Readable.toWeb(
    Readable.from(seen(source, xzWalk(claim))),
  ) as unknown as globalThis.ReadableStream<Uint8Array>;
  const stream = new xz.XzReadableStream(packed) as Bytes;
  for await (const chunk of stream) {
    grow(chunk.byteLength);
    yield chunk;
  }
}

/** The same bytes, each piece after the walk has seen it. */
async function* seen(source: Bytes, walk: Walk): AsyncGenerator<Uint8Array> {
  const see = follow(walk);
  for await (const piece of source) {
    see(piece);
    yield piece;
  }
}

/** Bytes that are expanded at a time. */
const ZSTD_STEP = 2 ** 9;

async function* fromZstd(
  source: Readable,
  { grow, claim, move }: Bounds,
): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const decoder = new Decompress((data) => {
    // One piece of input may hold any number of blocks, so they are counted where they come out.
    grow(data.byteLength);
    ready.push(data);
  });
  for await (const chunk of seen(source, zstdWalk(claim, move))) {
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
