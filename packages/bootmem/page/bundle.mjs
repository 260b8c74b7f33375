/**
 * `node page/bundle.mjs`: makes the one file that the report's page runs, dist/report/page.js, of `main.js` and what the
 * page was drawn with. Part of `npm run build`; the `report` command calls it in a checkout that was only compiled.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const OUT = fileURLToPath(new URL('../dist/report/page.js', import.meta.url));

/** Builds the file. The same input gives the same bytes. */
export async function bundlePage() {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'main.js')],
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    write: false,
  });
  await mkdir(dirname(OUT), { recursive: true });
  await writeFile(OUT, outputFiles[0].text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundlePage();
  console.log(`${relative(process.cwd(), OUT)} is built`);
}
