// `npm run examples`: the programs in examples, each in a small size, in a project that has installed padata as it is packed.
// `npm run examples -- NAME [OPTION…]`: one of them, with options of its own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asPublished } from '../stage/stage.mjs';
import { layOut, programs } from './lay-out.mjs';

const [name, ...options] = process.argv.slice(2);
if (name !== undefined && !programs().includes(name)) {
  console.error(`no ${name} among ${programs().join(', ')}`);
  process.exit(2);
}
const padata = await asPublished(fileURLToPath(new URL('../../packages/padata', import.meta.url)));
const home = mkdtempSync(join(tmpdir(), 'bootmem-examples-'));
const npm = (args) =>
  execFileSync('npm', args, { cwd: home, encoding: 'utf8', shell: process.platform === 'win32' });
try {
  writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }\n');
  mkdirSync(join(home, 'packed'));
  const [{ filename }] = JSON.parse(
    npm(['pack', padata, '--json', '--ignore-scripts', '--pack-destination', 'packed']),
  );
  npm(['install', '--offline', '--no-audit', '--no-fund', join(home, 'packed', filename)]);
  layOut(home);
  for (const program of name === undefined ? programs() : [name]) {
    console.log(`== ${program}`);
    const main = join(home, 'examples', program, 'main.mjs');
    execFileSync(process.execPath, [main, ...options], { stdio: 'inherit' });
  }
} catch (error) {
  // A program has said itself what was wrong.
  if (error.status === undefined) console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
