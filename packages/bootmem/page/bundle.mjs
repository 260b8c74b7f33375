/**
 * `node page/bundle.mjs`: makes the one file that the report's page runs, dist/report/page.js, and the licences
 * of what is in it. Part of `npm run build`; the `report` command calls it in a checkout that was only compiled.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const OUT = fileURLToPath(new URL('../dist/report/', import.meta.url));

/** Folder of the package that a bundled file is from; undefined for our own files. */
function packageOf(file) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

/** Name, version and licence text of a package. */
async function licence(folder) {
  const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const text = await readFile(join(folder, 'LICENSE'), 'utf8');
  return { name: `${name} ${version}`, text: text.trim() };
}

/** Builds the file. The same input gives the same bytes. */
export async function bundlePage() {
  const result = await build({
    entryPoints: [join(here, 'main.js')],
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    metafile: true,
  });
  const used = Object.entries(Object.values(result.metafile.outputs)[0].inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => packageOf(join(here, file)));
  const folders = [...new Set(used.filter((folder) => folder !== undefined))];
  const licences = await Promise.all(folders.map(licence));
  licences.sort((left, right) => (left.name < right.name ? -1 : 1));
  const names = licences.map(({ name }) => name).join(', ');
  await mkdir(OUT, { recursive: true });
  await writeFile(
    join(OUT, 'page.js'),
    `/* With ${names}: see their licences */\n${result.outputFiles[0].text}`,
  );
  await writeFile(
    join(OUT, 'page.licences.txt'),
    licences.map(({ name, text }) => `${name}\n\n${text}\n`).join('\n---\n\n'),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundlePage();
  console.log(`${relative(process.cwd(), join(OUT, 'page.js'))} is built`);
}
