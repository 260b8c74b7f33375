/**
 * Tests that draw their inputs, with other draws than the suite's.
 *
 * `npm run soak -- properties --minutes 10 --seed 7` runs every test file that imports fast-check, again and again, each
 * time with the next seed. What failed is printed with the command that repeats it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { integer, number, readOptions } from '../../kit/options.js';
import { RunLog } from '../../kit/run-log.js';

const { minutes, seed } = readOptions(
  { name: 'soak -- properties', about: 'Tests that draw their inputs, with other draws.' },
  {
    minutes: number(10, 'begins no other file after so many, default 10'),
    seed: integer(1, 'default 1; each round takes the next'),
  },
).values;

const root = fileURLToPath(new URL('../../..', import.meta.url));
const require = createRequire(import.meta.url);
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');

/** Test files that draw, by the folder of their package. */
const files = ['packages', 'tools'].flatMap((folder) =>
  readdirSync(join(root, folder)).flatMap((name) => drawn(join(folder, name))),
);

function drawn(folder: string): { readonly folder: string; readonly file: string }[] {
  const tests = join(folder, 'test');
  let names: string[];
  try {
    names = readdirSync(join(root, tests), { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .filter((file) => readFileSync(join(root, folder, file), 'utf8').includes("'fast-check'"))
    .map((file) => ({ folder, file }));
}

const log = new RunLog('properties', { done: 'runs of a file', faults: 'that failed' });

function run(folder: string, file: string, draw: number): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', jest, '--colors=false', file],
    {
      cwd: join(root, folder),
      env: { ...process.env, BOOTMEM_PROPERTY_SEED: String(draw) },
      encoding: 'utf8',
      timeout: 15 * 60_000,
    },
  );
  log.done++;
  if (status === 0) return;
  const repeat = `cd ${folder} && BOOTMEM_PROPERTY_SEED=${draw} npm test -- ${file}`;
  log.fault(`${repeat}\n${stderr.slice(0, 4000)}`);
}

for (let draw = seed; !log.over(minutes); draw++) {
  for (const { folder, file } of files) {
    if (log.over(minutes)) break;
    run(folder, file, draw);
    log.tick(`seed ${draw}`);
  }
}
log.finish();
