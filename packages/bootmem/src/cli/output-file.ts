/**
 * A file that a command writes at its end. Whether it can be is found out before the work, and what stands under its name
 * stays until the new one is whole: a file beside it takes the text and then its name. While the work goes on there is no such
 * file, so a command that is killed leaves none.
 */
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BootmemError, codeOf, messageOf } from '../errors.js';

/** Where a result goes. */
export interface OutputFile {
  /**
   * Writes the whole text and gives it its name; leaves nothing behind where that fails.
   * @throws BootmemError ERR_BOOTMEM_WRITE
   */
  write(text: string): Promise<void>;
}

/**
 * Gets ready to write.
 * @param path    a file that there may be, or a device such as /dev/stdout
 * @param inputs  files and folders that are read: none of them is overwritten
 * @throws BootmemError ERR_BOOTMEM_USAGE when it is one of the inputs, ERR_BOOTMEM_WRITE when it cannot be written
 */
export async function openOutput(path: string, inputs: readonly string[]): Promise<OutputFile> {
  const old = await identity(path);
  for (const input of inputs) {
    const { dev, ino } = (await identity(input)) ?? {};
    if (old !== undefined && dev === old.dev && ino === old.ino) {
      throw new BootmemError('ERR_BOOTMEM_USAGE', `${path} is what is read: it is not overwritten`);
    }
  }
  if (old?.isDirectory() === true) throw failure(path, 'it is a folder');
  if (old !== undefined && !old.isFile()) return device(path);
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  const create = (): Promise<FileHandle> => open(beside, 'wx', old?.mode);
  try {
    await (await create()).close();
    await rm(beside);
  } catch (error) {
    throw failure(path, messageOf(error), error);
  }
  return {
    async write(text) {
      let file: FileHandle | undefined;
      try {
        file = await create();
        await file.writeFile(text);
        await file.sync();
        await file.close();
        await rename(beside, path);
      } catch (error) {
        await file?.close().catch(() => undefined);
        await rm(beside, { force: true });
        throw failure(path, messageOf(error), error);
      }
    },
  };
}

/** What a name stands for; `undefined` when there is nothing. */
async function identity(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw failure(path, messageOf(error), error);
  }
}

function device(path: string): OutputFile {
  return {
    async write(text) {
      try {
        await writeFile(path, text);
      } catch (error) {
        throw failure(path, messageOf(error), error);
      }
    },
  };
}

function failure(path: string, why: string, cause?: unknown): BootmemError {
  return new BootmemError(
    'ERR_BOOTMEM_WRITE',
    `cannot write ${path}: ${why}`,
    { path },
    cause === undefined ? undefined : { cause },
  );
}
