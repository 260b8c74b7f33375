// `node tools/sbom.mjs FOLDER NAME@VERSION …`: for each published package a bill of materials (CycloneDX, as npm writes it) of
// what its users install: it is installed in an empty project, without running a script. Written to FOLDER.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [folder, ...packages] = process.argv.slice(2);
if (folder === undefined || packages.length === 0) {
  console.error('usage: node tools/sbom.mjs FOLDER NAME@VERSION …');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const name of packages) {
  const project = mkdtempSync(join(tmpdir(), 'bootmem-sbom-'));
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: project, encoding: 'utf8', maxBuffer: 1 << 28 });
  try {
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'users-project', version: '0.0.0', private: true }),
    );
    npm('install', '--ignore-scripts', '--save-exact', name);
    const file = join(
      folder,
      `${name.replace(/^@/, '').replace('/', '-').replace('@', '-')}.cdx.json`,
    );
    writeFileSync(file, npm('sbom', '--sbom-format', 'cyclonedx'));
    console.log(file);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
