// The `check-package` script of every package, run in its folder: what publint and attw say about the package as users
// get it, and whether the documents in the tarball link to files that are there.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { runIn } from './envs.mjs';
import { asPublished } from './stage/stage.mjs';

/** Links of a document to files, without anchors; those in code are none. */
function* linksIn(document) {
  const text = readFileSync(document, 'utf8').replaceAll(/^```[^]*?^```|`[^`\n]*`/gm, '');
  for (const [, target] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g))
    if (!/^[a-z]+:|^\//.test(target)) yield target;
}

const folder = await asPublished(process.cwd());
const [{ files }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
const packed = files.map(({ path }) => path);
for (const document of packed.filter((path) => path.endsWith('.md'))) {
  for (const link of linksIn(document)) {
    // A link out of the package is one into the repository, where the registry's page of the package sends it.
    const target = normalize(join(dirname(document), link)).replaceAll('\\', '/');
    const isThere = target.startsWith('..')
      ? existsSync(target)
      : packed.some((path) => path === target || path.startsWith(`${target.replace(/\/$/, '')}/`));
    if (isThere) continue;
    console.error(`${document} links to ${link}, which the tarball lacks`);
    process.exitCode = 1;
  }
}
// Whoever ships CommonJS entries has their types looked at too.
const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const profile = exports['.'].require === undefined ? 'esm-only' : 'node16';
for (const [program, args] of [
  ['publint', ['run', '--strict']],
  ['attw', ['--pack', '.', '--profile', profile]],
])
  if (runIn('packages', program, args, { cwd: folder }) !== 0) process.exitCode = 1;
