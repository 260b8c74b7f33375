/**
 * Files as bytes and as text, whatever lies under a name: a plain file, a pipe whose other end is silent, a device without
 * end, a loop of links, something that is gone by the time it is read. Each is read in bounded memory or is an error that
 * names it.
 *
 * Waiting for a pipe or a terminal is done by the event loop: a thread of the system that waits in `open` or `read` could not
 * be called back, and the process could not end. So everything is opened without waiting, and what it is is asked of what was
 * opened: a name may stand for something else by then.
 */
import { closeSync, constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { isatty, ReadStream } from 'node:tty';
import { BootmemError, codeOf, messageOf } from '../errors.js';

/** What names standard input. */
export const STANDARD_INPUT = '-';

/** Most bytes that are read of a log: a device or a pipe may have no end. */
const MOST_BYTES = 2 ** 30;

/** Most bytes of a file that is read whole: the halves of a log that are joined, what lies beside a log. */
const MOST_WHOLE = 2 ** 26;

const NOT_PLAIN = 'it is no plain file';

/** How a file is read. */
export interface ReadOptions {
  /** Most bytes. */
  readonly most?: number;
  /** Whether nothing but a plain file will do. */
  readonly isPlain?: boolean;
  /** Ends the reading, also of a pipe that says nothing. */
  readonly signal?: AbortSignal | undefined;
}

/** An error of the file system, with the name that it is about. */
export function cannotRead(path: string, cause: unknown): BootmemError {
  const message = `cannot read ${path}: ${messageOf(cause)}`;
  return new BootmemError('ERR_BOOTMEM_READ', message, { path }, { cause });
}

/**
 * Opens a file, waiting for nobody: not for the writer of a pipe, nor for what a device has not got yet.
 * @param path     any file but {@link STANDARD_INPUT}
 * @param isPlain  nothing but a plain file will do
 * @throws BootmemError ERR_BOOTMEM_READ when there is none, or it is a folder
 */
function openFile(path: string, isPlain: boolean): Readable {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = fstatSync(fd);
    if (isPlain && !found.isFile()) throw new Error(NOT_PLAIN);
    if (found.isDirectory()) throw new Error('it is a folder');
    if (found.isFIFO()) return new Socket({ fd, readable: true, writable: false });
    return isatty(fd) ? new ReadStream(fd) : createReadStream('', { fd });
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw cannotRead(path, error);
  }
}

/** Standard input; Node takes a folder for one that has ended. */
function standardInput(): Readable {
  let isFolder = false;
  try {
    isFolder = fstatSync(0).isDirectory();
  } catch {
    // Closed, which is said as it is read.
  }
  if (isFolder) throw cannotRead(STANDARD_INPUT, new Error('it is a folder'));
  return process.stdin;
}

/**
 * The bytes of a file; those of a device that has no more for now (`/dev/kmsg`) end there.
 * @param path     any file, or {@link STANDARD_INPUT}
 * @param options  bound, kind and signal
 * @throws BootmemError ERR_BOOTMEM_READ when it cannot be opened or read, ERR_BOOTMEM_INPUT while reading, when there are more
 */
export async function* bytesOf(
  path: string,
  { most = MOST_BYTES, isPlain = false, signal }: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  const stream = path === STANDARD_INPUT ? standardInput() : openFile(path, isPlain);
  const stop = (): void => {
    stream.destroy();
  };
  signal?.addEventListener('abort', stop, { once: true });
  let size = 0;
  try {
    signal?.throwIfAborted();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > most) {
        const message = `${path} holds more than ${most / 2 ** 20} MiB: no log is so long`;
        throw new BootmemError('ERR_BOOTMEM_INPUT', message, { path, most });
      }
      yield chunk;
    }
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    if (codeOf(error) === 'EAGAIN') return;
    throw error instanceof BootmemError ? error : cannotRead(path, error);
  } finally {
    // Now, not when the file is closed: a folder has many, and their listeners on one signal would be taken for a leak.
    signal?.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/**
 * The bytes of a plain file that may be missing: what lies beside a log.
 * @returns undefined when there is none
 * @throws BootmemError ERR_BOOTMEM_READ when it is none or cannot be read, ERR_BOOTMEM_INPUT when it is too long
 */
export async function bytesIfAny(path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  try {
    // Asked first, too: who writes to a pipe would see a reader that leaves at once.
    if (!(await stat(path)).isFile()) throw new Error(NOT_PLAIN);
    const chunks: Uint8Array[] = [];
    const bytes = bytesOf(path, { most: MOST_WHOLE, isPlain: true, signal });
    for await (const chunk of bytes) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    if (isMissing(error)) return undefined;
    signal?.throwIfAborted();
    throw error instanceof BootmemError ? error : cannotRead(path, error);
  }
}

/** Most bytes between two turns of the event loop. */
const STEP_BYTES = 2 ** 16;

/**
 * The same bytes in pieces, with a turn of the event loop after each: whoever takes them in is interrupted by timers, other
 * work and the signal, however much of it lies ready.
 * @param source  pieces of any size
 * @param signal  ends it
 * @throws the signal's reason
 */
export async function* inTurns(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; at += STEP_BYTES) {
      yield chunk.subarray(at, at + STEP_BYTES);
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
}

/**
 * What stands under a name.
 * @returns undefined when there is nothing
 * @throws BootmemError ERR_BOOTMEM_READ when that cannot be found out
 */
export async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw cannotRead(path, error);
  }
}

/**
 * Names in a folder, sorted.
 * @throws BootmemError ERR_BOOTMEM_READ when they cannot be read
 */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw cannotRead(folder, error);
  }
}

/**
 * The same of a folder that may be missing: it holds nothing then.
 * @throws BootmemError ERR_BOOTMEM_READ when they cannot be read
 */
export async function namesInIfAny(folder: string): Promise<string[]> {
  try {
    return await namesIn(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Gone, or never there; a file that goes between two looks is as one that was never there. */
function isMissing(error: unknown): boolean {
  const cause = error instanceof BootmemError ? error.cause : error;
  return codeOf(cause) === 'ENOENT';
}
