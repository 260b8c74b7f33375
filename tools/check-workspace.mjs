// Holds what TypeScript does not: dependencies between packages, project references and the root
// tsconfig name the same edges.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const dirs = readdirSync('packages').filter((dir) => existsSync(`packages/${dir}/package.json`));
const dirOf = new Map(dirs.map((dir) => [read(`packages/${dir}/package.json`).name, dir]));
const rootReferences = new Set(read('tsconfig.json').references.map((reference) => reference.path));
const problems = [];
for (const [name, dir] of dirOf) {
  const manifest = read(`packages/${dir}/package.json`);
  const internal = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter(
    (d) => dirOf.has(d),
  );
  const want = new Set(internal.map((d) => `../${dirOf.get(d)}/tsconfig.lib.json`));
  const have = new Set(
    (read(`packages/${dir}/tsconfig.lib.json`).references ?? []).map((r) => r.path),
  );
  for (const path of want)
    if (!have.has(path)) problems.push(`${name}: tsconfig.lib.json lacks reference ${path}`);
  for (const path of have)
    if (!want.has(path)) problems.push(`${name}: reference ${path} without a dependency`);
  if (!rootReferences.has(`packages/${dir}/tsconfig.lib.json`))
    problems.push(`${name}: root tsconfig.json lacks packages/${dir}/tsconfig.lib.json`);
  if (manifest.repository?.directory !== `packages/${dir}`)
    problems.push(`${name}: repository.directory is wrong`);
  for (const file of ['README.md', 'LICENSE']) {
    if (!existsSync(`packages/${dir}/${file}`)) problems.push(`${name}: no ${file}`);
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
