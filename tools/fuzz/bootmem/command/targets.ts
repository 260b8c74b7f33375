/**
 * Names that a result is written to: nothing yet, a file, a folder, links to all of them, what is read, a pipe with and without
 * a reader, devices, the longest name there may be, places where nothing can be made.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../kit/random.mjs';
import { EVIL } from './contents.js';

/** Makes a pipe with a name. */
export function makePipe(path: string): void {
  spawnSync('mkfifo', [path]);
}

/** A pipe that nobody reads: what is written to it waits until a signal comes. */
const SILENT_PIPE = 'out-pipe';

/** Whether arguments name it. */
export const namesSilentPipe = (args: readonly string[]): boolean =>
  args.some((word) => word.endsWith(SILENT_PIPE));

/** Writes what a name stands for, and returns the name. */
type Target = (folder: string, random: Random) => string;

const named =
  (name: string): Target =>
  (folder) =>
    join(folder, name);

const link =
  (to: (folder: string) => string): Target =>
  (folder) => {
    const path = join(folder, 'out-link');
    symlinkSync(to(folder), path);
    return path;
  };

const existing: Target = (folder) => {
  const path = join(folder, 'out');
  writeFileSync(path, 'what was there');
  return path;
};

const TARGETS: readonly Target[] = [
  named('out'),
  named('out'),
  existing,
  named('no/out'),
  named(''),
  () => '',
  () => '-',
  (folder, random) => join(folder, `out${random.pick(EVIL)}`),
  named('x'.repeat(255)),
  named('x'.repeat(256)),
  named('out/'),
  link(() => 'out-behind'),
  link(() => 'out-link'),
  link((folder) => folder),
  link((folder) => existing(folder, undefined as never)),
  (folder) => {
    const path = join(folder, 'out-folder');
    mkdirSync(path);
    return path;
  },
  // What is read, by its name, by a link and by another name of the same file.
  named('0.log'),
  link((folder) => join(folder, '0.log')),
  (folder) => {
    const log = join(folder, '0.log');
    const path = join(folder, 'out-hard');
    if (!existsSync(log)) writeFileSync(log, '');
    linkSync(log, path);
    return path;
  },
  named('0.log/dmesg.txt'),
  named('root/proc/iomem'),
  (folder) => {
    const path = join(folder, SILENT_PIPE);
    makePipe(path);
    return path;
  },
  () => '/dev/null',
  () => '/dev/full',
  () => '/proc/self/mem',
  () => '/proc/none',
  () => '/proc/version',
];

/** A name to write to. */
export function target(folder: string, random: Random): string {
  const path = random.pick(TARGETS);
  try {
    return path(folder, random);
  } catch {
    // Two options of one command: what the first has made is there.
    return join(folder, 'out');
  }
}
