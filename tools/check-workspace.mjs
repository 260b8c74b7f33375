// Holds what TypeScript does not: dependencies between packages, project references and the root tsconfig name the
// same edges, and no folder of a package's sources shows more than FILES_IN_VIEW files, save where the package's
// DESIGN.md has a line `More than 14 files in src/FOLDER: why`. Crowded folders are warnings; with --enforce they fail.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const dirs = readdirSync('packages').filter((dir) => existsSync(`packages/${dir}/package.json`));
const dirOf = new Map(dirs.map((dir) => [read(`packages/${dir}/package.json`).name, dir]));
const rootReferences = new Set(read('tsconfig.json').references.map((reference) => reference.path));
const problems = [];
const enforce = process.argv.includes('--enforce');
const FILES_IN_VIEW = 14;

/** Each folder at and under this one, with the number of files that it shows. */
function* views(folder) {
  const inside = readdirSync(folder, { withFileTypes: true });
  yield { folder, files: inside.filter((entry) => entry.isFile()).length };
  for (const entry of inside) if (entry.isDirectory()) yield* views(`${folder}/${entry.name}`);
}

for (const dir of dirs) {
  const design = existsSync(`packages/${dir}/DESIGN.md`)
    ? readFileSync(`packages/${dir}/DESIGN.md`, 'utf8')
    : '';
  for (const { folder, files } of views(`packages/${dir}/src`)) {
    const inPackage = folder.slice(`packages/${dir}/`.length);
    if (files <= FILES_IN_VIEW) continue;
    if (design.includes(`More than ${FILES_IN_VIEW} files in ${inPackage}: `)) continue;
    const text = `${folder} shows ${files} files, more than ${FILES_IN_VIEW}`;
    if (enforce) problems.push(text);
    else console.error(`warning: ${text}`);
  }
}
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
