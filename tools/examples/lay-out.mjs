// The programs in examples, put into a project that has installed the packages, beside what else they import.
import { cpSync, existsSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureEnv } from '../envs.mjs';

const here = fileURLToPath(new URL('../../examples', import.meta.url));

/** Names of the programs in a folder: its folders with a `main.mjs`. */
export const programs = (source = here) =>
  readdirSync(source).filter((name) => existsSync(join(source, name, 'main.mjs')));

/** Copies the programs to `home/examples` and links what else they import into `home/node_modules`. */
export function layOut(home, source = here) {
  cpSync(source, join(home, 'examples'), { recursive: true });
  const env = ensureEnv('examples');
  const { dependencies } = JSON.parse(readFileSync(join(env, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies))
    symlinkSync(join(env, 'node_modules', name), join(home, 'node_modules', name), 'junction');
}
