/**
 * A project in which padata is installed as it is published, beside the other pools: what users start is measured, not the
 * modules of the checkout.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asPublished } from '../../../stage/stage.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const PROGRAMS = at('.');
const BENCH = at('../../');

let made: Promise<string> | undefined;

/** Its program; the project is there while this process runs. */
export async function programOfProject(): Promise<string> {
  made ??= make();
  return join(await made, 'program.mjs');
}

async function make(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'bootmem-first-result-'));
  process.once('exit', () => {
    rmSync(home, { recursive: true, force: true });
  });
  for (const file of readdirSync(PROGRAMS).filter((name) => name.endsWith('.mjs')))
    cpSync(join(PROGRAMS, file), join(home, file));
  const link = (name: string, folder: string): void => {
    const place = join(home, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(folder, place, 'junction');
  };
  link('@bootmem/padata', await asPublished(at('../../../../packages/padata')));
  const { dependencies } = JSON.parse(readFileSync(join(BENCH, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) link(name, join(BENCH, 'node_modules', name));
  return home;
}
