// `clean.mjs FOLDER…` removes folders. `clean.mjs --stale`, in a package's folder, removes from dist what tsc once made
// of sources that are gone, which tsc does not and a package would ship, and what was laid out for a release.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
if (args[0] === '--stale') {
  rmSync('dist/package', { recursive: true, force: true });
  const made = existsSync('dist') ? readdirSync('dist', { recursive: true }).map(String) : [];
  for (const declaration of made.filter((path) => path.endsWith('.d.ts'))) {
    const module = declaration.slice(0, -'.d.ts'.length);
    if (existsSync(join('src', `${module}.ts`))) continue;
    for (const suffix of ['.d.ts', '.d.ts.map', '.js', '.js.map'])
      rmSync(join('dist', module + suffix), { force: true });
  }
} else for (const folder of args) rmSync(folder, { recursive: true, force: true });
