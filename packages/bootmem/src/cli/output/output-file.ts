/**
 * A file that a command writes at its end. Whether it can be is found out before the work, and what stands under its name
 * stays until the new one is whole: a file beside it takes the text and then its name. While the work goes on there is no such
 * file, so a command that is killed leaves none.
 *
 * ```
 * a plain file, or nothing   a file beside it is written and renamed; links are followed to where they lead
 * a file that is open        (/dev/stdout, /dev/fd/3) what it is at its end so far, the text follows
 * a pipe                     the event loop waits for its reader, and the signal ends that
 * another device             is written to
 * ```
 */
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { BootmemError, codeOf, messageOf } from '../../errors.js';
import { shown } from '../../format/safe/escape.js';
import { writePipe } from './output-pipe.js';
import { isRead } from './read-files.js';
import type { ReadSource } from './read-files.js';

/** Where a result goes. */
export interface OutputFile {
  /** The file that takes the name in the end; `undefined` for what is open already, and for devices. */
  readonly place: string | undefined;
  /**
   * Writes the whole text, as `shown` has it, and gives it its name; leaves nothing behind where that fails.
   * @throws BootmemError ERR_BOOTMEM_WRITE; the signal's reason
   */
  write(text: string): Promise<void>;
}

/** What the command reads, none of which is overwritten, and what ends its waiting. */
export interface OutputOptions {
  readonly source: ReadSource;
  readonly signal: AbortSignal;
}

/**
 * Gets ready to write.
 * @param path     a file that there may be, a pipe, or a device such as /dev/stdout
 * @param options  what is read, and the signal
 * @throws BootmemError ERR_BOOTMEM_USAGE when it is one of the inputs, ERR_BOOTMEM_WRITE when it cannot be written
 */
export async function openOutput(
  path: string,
  { source, signal }: OutputOptions,
): Promise<OutputFile> {
  try {
    const old = await identity(path);
    if (old?.isDirectory() === true) throw new Error('it is a folder');
    if (old?.isSocket() === true) throw new Error('it is a socket; - is standard output');
    if (old?.isBlockDevice() === true) throw new Error('it is a disk');
    if (old === undefined && (path === '' || path.endsWith(sep)))
      throw new Error('it names no file');
    const { place, isOpen } = await whereItLeads(path);
    if (old !== undefined && (await isRead({ place, found: old }, source))) {
      const message = `${path} is what is read: it is not overwritten`;
      throw new BootmemError('ERR_BOOTMEM_USAGE', message, { path });
    }
    const write = await writerOf({ path, place, isOpen, old, signal });
    return {
      place: old?.isFile() === false || isOpen ? undefined : place,
      async write(text) {
        try {
          await write(shown(text));
        } catch (error) {
          signal.throwIfAborted();
          throw failure(path, error);
        }
      },
    };
  } catch (error) {
    throw error instanceof BootmemError ? error : failure(path, error);
  }
}

/** A name, the file that it leads to, and what stands there. */
interface Target {
  readonly path: string;
  readonly place: string;
  readonly isOpen: boolean;
  readonly old: Stats | undefined;
  readonly signal: AbortSignal;
}

async function writerOf({
  path,
  place,
  isOpen,
  old,
  signal,
}: Target): Promise<(text: string) => Promise<void>> {
  if (old?.isFIFO() === true) return (text) => writePipe(path, text, signal);
  if (isOpen || old?.isFile() === false) return (text) => writeFile(path, text, { flag: 'a' });
  // Of no name of its own: the longest name there may be leaves no room for more.
  const beside = join(dirname(place), `.bootmem-${randomBytes(6).toString('hex')}`);
  const create = (): Promise<FileHandle> => open(beside, 'wx', old?.mode);
  await (await create()).close();
  await rm(beside);
  return async (text) => {
    let file: FileHandle | undefined;
    try {
      file = await create();
      await file.writeFile(text);
      await file.sync();
      await file.close();
      await rename(beside, place);
    } catch (error) {
      await file?.close().catch(() => undefined);
      await rm(beside, { force: true });
      throw error;
    }
  };
}

/** What a name stands for; `undefined` when there is nothing. */
async function identity(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Most links that a name may lead through, as Linux has it. */
const MOST_LINKS = 40;
/** Folders of links to files that are open. */
const OPEN_FILES = /^\/(?:proc\/\d+(?:\/task\/\d+)?|dev)\/fd$/;

/**
 * Where a name leads, whether or not there is anything.
 * @returns the file itself, and whether the way to it goes through one that is open
 */
async function whereItLeads(path: string): Promise<{ place: string; isOpen: boolean }> {
  let place = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    const folder = await realpath(dirname(place));
    place = join(folder, basename(place));
    if (OPEN_FILES.test(folder)) return { place, isOpen: true };
    let next: string;
    try {
      next = await readlink(place);
    } catch {
      return { place, isOpen: false };
    }
    place = resolve(folder, next);
  }
  throw new Error('too many links');
}

function failure(path: string, cause: unknown): BootmemError {
  const message = `cannot write ${path}: ${messageOf(cause)}`;
  return new BootmemError('ERR_BOOTMEM_WRITE', message, { path }, { cause });
}
