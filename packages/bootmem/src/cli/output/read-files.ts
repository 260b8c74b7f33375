/** What a command reads, so that none of it is overwritten: a log, what lies beside one, a root of /proc and /sys. */
import { fstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { isPartOfBoot, isRecorded } from '../../input/beside-log.js';
import { STANDARD_INPUT } from '../../input/open-input.js';

/** What a user named to be read. */
export interface ReadSource {
  readonly file?: string | undefined;
  readonly sysroot?: string | undefined;
}

/** A file that there is, behind all links. */
export interface FoundFile {
  readonly place: string;
  readonly found: Stats;
}

/** Whether a file is among what is read, by whatever name. */
export async function isRead(
  { place, found }: FoundFile,
  { file, sysroot }: ReadSource,
): Promise<boolean> {
  for (const part of sysroot === undefined ? [] : ['proc', 'sys']) {
    const folder = await realpath(join(sysroot!, part)).catch(() => undefined);
    if (folder !== undefined && place.startsWith(`${folder}${sep}`)) return true;
  }
  if (file === undefined) return false;
  const input = await statIfAny(file);
  if (input === undefined) return false;
  // A terminal, or /dev/null, may be both.
  if (input.isFile() && isSame(input, found)) return true;
  if (!isPartOfBoot(basename(place))) return false;
  const boot = input.isDirectory() ? file : isRecorded(file) ? dirname(file) : undefined;
  const [folder, own] = [await statIfAny(boot), await statIfAny(dirname(place))];
  return folder !== undefined && own !== undefined && isSame(folder, own);
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

async function statIfAny(path: string | undefined): Promise<Stats | undefined> {
  if (path === undefined) return undefined;
  try {
    return path === STANDARD_INPUT ? fstatSync(0) : await stat(path);
  } catch {
    return undefined;
  }
}
