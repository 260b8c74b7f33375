// `npm run sizes [-- --write]`: packed and unpacked size of every public package, against tools/package-sizes.json.
// A package that grew by more than a tenth fails until the new size is written down with --write, so that growth is
// a decision somebody saw.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';

const FILE = 'tools/package-sizes.json';
const TOLERANCE = 1.1;
const write = process.argv.includes('--write');
const known = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {};
const sizes = {};
let grown = 0;

for (const dir of readdirSync('packages')) {
  if (!existsSync(`packages/${dir}/package.json`)) continue;
  const output = execFileSync(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'],
    {
      cwd: `packages/${dir}`,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const [{ name, size, unpackedSize, entryCount }] = JSON.parse(output);
  sizes[name] = { packed: size, unpacked: unpackedSize, files: entryCount };
  const before = known[name];
  const factor = before === undefined ? Infinity : size / before.packed;
  if (factor > TOLERANCE) grown += 1;
  const change = before === undefined ? 'new' : `${((factor - 1) * 100).toFixed(1)} %`;
  console.log(
    `${name.padEnd(28)} ${(size / 1024).toFixed(1).padStart(8)} KiB packed ${(unpackedSize / 1024).toFixed(0).padStart(7)} KiB unpacked  ${change}`,
  );
}

if (write) {
  writeFileSync(FILE, `${JSON.stringify(sizes, null, 2)}\n`);
} else if (grown > 0) {
  console.error(
    `${grown} packages grew by more than a tenth: look at them, then npm run sizes -- --write`,
  );
  process.exitCode = 1;
}
