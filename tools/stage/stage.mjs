// A package as its users install it. Most are packed from their own folder. One whose package.json names
// `publishConfig.directory` is laid out there first: what npm would pack, and for Node its modules in few pieces.
//
//   dist/x.js …  ─ as they are ─▶ dist/x.js …        bundlers and browsers: conditions `module` and `browser`
//                └ pieces.mjs ──▶ dist/node/*.js     all others: `default`, and `require` by cjs/
//
// `node tools/stage/stage.mjs [NAME…]` lays these packages out, or all, for a release; in code: stage(folder, to), asPublished(folder).
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePieces } from './pieces.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the pieces are. */
const PIECES = 'dist/node';
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** What npm would pack. */
function packed(folder) {
  const output = execFileSync(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'],
    {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    },
  );
  const [{ files }] = JSON.parse(output);
  return files.map(({ path }) => path);
}

/** The manifest with entries in one piece. */
function manifestOf({ publishConfig, ...manifest }, pieces) {
  const config = { ...publishConfig };
  delete config.directory;
  delete config.late;
  const piece = (target) =>
    pieces.has(target.slice('./'.length)) ? `./${PIECES}/${basename(target)}` : target;
  const exports = Object.fromEntries(
    Object.entries(manifest.exports).map(([entry, targets]) => [
      entry,
      typeof targets === 'string' ? targets : { ...targets, default: piece(targets.default) },
    ]),
  );
  const published = { ...manifest, main: piece(manifest.main), exports, publishConfig: config };
  delete published.scripts;
  return published;
}

/** Lays a package out in `to`, which is made anew. @returns it */
export async function stage(folder, to) {
  const manifest = readJson(join(folder, 'package.json'));
  rmSync(to, { recursive: true, force: true });
  for (const file of packed(folder)) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(folder, file), join(to, file));
  }
  const entries = Object.values(manifest.exports)
    .map((targets) => targets.default)
    .filter((target) => target?.endsWith('.js'))
    .map((target) => target.slice('./'.length));
  await makePieces(to, entries, PIECES, manifest.publishConfig?.late);
  const text = JSON.stringify(manifestOf(manifest, new Set(entries)), null, 2);
  writeFileSync(join(to, 'package.json'), `${text}\n`);
  return to;
}

/** The folder that a package is packed from: its own, or one that is there while this process runs. */
export async function asPublished(folder) {
  if (readJson(join(folder, 'package.json')).publishConfig?.directory === undefined) return folder;
  const home = mkdtempSync(join(tmpdir(), 'bootmem-stage-'));
  process.once('exit', () => {
    rmSync(home, { recursive: true, force: true });
  });
  return await stage(folder, join(home, basename(folder)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  for (const name of readdirSync(join(root, 'packages'))) {
    if (names.length > 0 && !names.includes(name)) continue;
    const folder = join(root, 'packages', name);
    const { directory } = readJson(join(folder, 'package.json')).publishConfig ?? {};
    if (directory !== undefined) await stage(folder, join(folder, directory));
  }
}
