// `npm run docs`: every document as a page, the API reference from the docstrings, then the site into
// docs/.vitepress/dist. Needs no network. A dead link fails the build. One line a step.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binOf, ensureEnv } from '../envs.mjs';
import { PACKAGES, SITE, asPage, pages, root } from './pages.mjs';

const tools = ensureEnv('docs');
const site = join(root, SITE);

/** Runs a step and prints how long it took; shows what its programs print only when one fails. */
async function step(name, work) {
  const started = Date.now();
  await work();
  console.log(`${name.padEnd(34)} ${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s`);
}
const program = (name, args) =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [binOf('docs', name), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => (output += data));
    child.on('error', failed);
    child.on('close', (code) => {
      if (code === 0) done();
      else failed(new Error(`${name} failed\n${output}`));
    });
  });

/** The sources of a package's entries. */
const entriesOf = (name) =>
  Object.values(
    JSON.parse(readFileSync(join(root, `packages/${name}/package.json`), 'utf8')).exports,
  )
    .map((target) => target['@bootmem/source'])
    .filter((source) => source !== undefined)
    .map((source) => join(`packages/${name}`, source));

const reference = (name) =>
  program('typedoc', [
    ...['--plugin', join(tools, 'node_modules/typedoc-plugin-markdown/dist/index.js')],
    ...['--out', `${SITE}/api/${name}`, '--tsconfig', `packages/${name}/tsconfig.lib.json`],
    ...entriesOf(name).flatMap((entry) => ['--entryPoints', entry]),
    ...['--name', name, '--readme', 'none', '--router', 'module', '--entryFileName', 'index'],
    ...['--hideBreadcrumbs', 'true', '--disableSources', '--excludeInternal', '--excludePrivate'],
    ...['--logLevel', 'Error'],
  ]);

try {
  rmSync(site, { recursive: true, force: true });
  await step(`${pages.size} documents as pages`, () => {
    for (const [source, page] of pages) {
      mkdirSync(dirname(join(site, page)), { recursive: true });
      writeFileSync(join(site, page), asPage(source));
    }
  });
  for (const name of PACKAGES) await step(`API reference of ${name}`, () => reference(name));
  await step('demo', () =>
    program('vite', [
      ...['build', '--config', 'docs/demo/vite.config.mjs'],
      ...['--outDir', join(site, 'public/demo'), '--emptyOutDir'],
    ]),
  );
  await step('site', () => program('vitepress', ['build', 'docs']));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
