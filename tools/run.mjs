// The root commands `conformance`, `bench`, `soak` and `fuzz`: find the runner by its file name, bring the
// build up to date and start it. A runner is a TypeScript file that reads process.argv and sets the exit code:
//   conformance NAME -> tools/conformance/NAME.conformance.ts
//   bench|soak|fuzz NAME -> tools/{bench,soak,fuzz}/PACKAGE/NAME.{bench,soak,fuzz}.ts
// It runs on the built packages; BOOTMEM_NO_BUILD=1 skips bringing them up to date.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureEnv } from './envs.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [kind, name, ...args] = process.argv.slice(2);

const folders =
  kind === 'conformance'
    ? ['tools/conformance']
    : readdirSync(`${root}tools/${kind}`).map((dir) => `tools/${kind}/${dir}`);
const runners = new Map();
for (const folder of folders) {
  if (!statSync(root + folder).isDirectory()) continue;
  for (const file of readdirSync(root + folder)) {
    if (file.endsWith(`.${kind}.ts`))
      runners.set(file.slice(0, -`.${kind}.ts`.length), `${folder}/${file}`);
  }
}

const runner = runners.get(name);
if (runner === undefined) {
  console.error(
    `usage: npm run ${kind} -- NAME [ARGUMENTS]\nNAME is one of: ${[...runners.keys()].sort().join(', ')}`,
  );
  process.exit(2);
}
if (kind === 'bench') ensureEnv('bench');
if (process.env.BOOTMEM_NO_BUILD !== '1') {
  const build = spawnSync('npx', ['tsc', '-b'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
const run = spawnSync(
  process.execPath,
  [
    '--expose-gc',
    '--no-warnings=ExperimentalWarning',
    '--import',
    new URL('./ts-loader.mjs', import.meta.url).href,
    root + runner,
    ...args,
  ],
  { stdio: 'inherit' },
);
process.exitCode = run.status ?? 1;
