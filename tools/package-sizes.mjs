// The `sizes` script of every package, run in its folder: its packed and unpacked size against tools/package-sizes.json.
// A package that grew by more than a tenth fails until its new size is written down, so that growth is a decision
// somebody saw. In the root: node tools/package-sizes.mjs --write [NAME…] writes the sizes of these packages, or all.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asPublished } from './stage/stage.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const FILE = join(root, 'tools/package-sizes.json');
const TOLERANCE = 1.1;

async function sizeOf(folder) {
  const output = execFileSync(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'],
    { cwd: await asPublished(folder), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [{ name, size, unpackedSize, entryCount }] = JSON.parse(output);
  return { name, packed: size, unpacked: unpackedSize, files: entryCount };
}

const known = JSON.parse(readFileSync(FILE, 'utf8'));
const args = process.argv.slice(2);
const write = args.includes('--write');
const folders = write
  ? readdirSync(join(root, 'packages'))
      .filter((dir) => args.length === 1 || args.includes(dir))
      .map((dir) => join(root, 'packages', dir))
      .filter((folder) => existsSync(join(folder, 'package.json')))
  : [process.cwd()];

for (const folder of folders) {
  const { name, ...size } = await sizeOf(folder);
  const factor = known[name] === undefined ? Infinity : size.packed / known[name].packed;
  const change = factor === Infinity ? 'new' : `${((factor - 1) * 100).toFixed(1)} %`;
  console.log(
    `${name.padEnd(28)} ${(size.packed / 1024).toFixed(1).padStart(8)} KiB packed ${(size.unpacked / 1024).toFixed(0).padStart(7)} KiB unpacked  ${change}`,
  );
  if (write) known[name] = size;
  else if (factor > TOLERANCE) {
    console.error(`${name} grew by more than a tenth: look at it, then npm run sizes:write`);
    process.exitCode = 1;
  }
}
if (write) {
  const sorted = Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}
