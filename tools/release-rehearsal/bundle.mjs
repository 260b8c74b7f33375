// `node bundle.mjs BUNDLER FORMAT`, in a project that has installed the packages and the files of padata's page on bundles:
// bundles that program as the page says, and runs it where nothing but the bundle is.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { binOf, ensureEnv } from '../envs.mjs';

const PAGE = new URL('../../packages/padata/docs/bundles.md', import.meta.url);
export const BUNDLERS = ['esbuild', 'rollup', 'webpack', 'vite'];
export const FORMATS = ['esm', 'cjs'];
/** What the page's program prints. */
const PRINTED = '1,4,9 true 99999\n';

/** The files that the page shows: each fence begins with its name. */
export function filesOfPage() {
  const fences = readFileSync(PAGE, 'utf8').matchAll(/^```js no-run\n\/\/ (\S+)\n([^]*?)^```$/gm);
  return Object.fromEntries([...fences].map(([, name, text]) => [name, text]));
}

/** The bundlers, where the project's configurations find them. */
function linkBundlers() {
  const env = ensureEnv('bundlers');
  const { dependencies } = JSON.parse(readFileSync(join(env, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = join('node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(join(env, 'node_modules', name), link, 'dir');
  }
}

const node = (args, options = {}) =>
  execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000, ...options });

/** The page's configuration for one format, in a file of its own. */
function configured(bundler, format) {
  const text = readFileSync(`${bundler}.config.mjs`, 'utf8');
  const changed = text.replace("const format = 'esm'", `const format = '${format}'`);
  if (format !== 'esm' && changed === text) throw new Error(`${bundler}: no format to choose`);
  const file = `${bundler}.${format}.config.mjs`;
  writeFileSync(file, changed);
  return file;
}

async function bundle(bundler, file) {
  if (bundler === 'esbuild') node([file]);
  else if (bundler === 'rollup') {
    node([binOf('bundlers', 'rollup'), '--config', file, '--silent']);
  } else if (bundler === 'vite') {
    node([binOf('bundlers', 'vite'), 'build', '--config', file, '--logLevel', 'error']);
  } else {
    const at = (path) => pathToFileURL(join(process.cwd(), path)).href;
    const { default: webpack } = await import(at('node_modules/webpack/lib/index.js'));
    const { default: config } = await import(at(file));
    await new Promise((resolve, reject) => {
      webpack(config, (error, stats) => {
        if (error ?? stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
        else resolve();
      });
    });
  }
}

/** Runs the bundle in a folder that has nothing else. */
function runAlone(format) {
  const alone = mkdtempSync(join(tmpdir(), 'bootmem-bundle-'));
  try {
    cpSync('out', alone, { recursive: true });
    const type = format === 'esm' ? 'module' : 'commonjs';
    writeFileSync(join(alone, 'package.json'), JSON.stringify({ type }));
    const printed = node(['main.js'], { cwd: alone });
    if (printed !== PRINTED) throw new Error(`it printed ${printed}`);
    // Without the worker's file, which webpack gives a number, it says where to read.
    for (const file of readdirSync(alone))
      if (/^(jobs\.worker|\d+)\.js$/.test(file)) rmSync(join(alone, file));
    const run = spawnSync(process.execPath, ['main.js'], { cwd: alone, encoding: 'utf8' });
    if (run.status === 0 || !run.stderr.includes('docs/bundles.md'))
      throw new Error(`without the worker's file it ended with ${run.status} and ${run.stderr}`);
  } finally {
    rmSync(alone, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [bundler, format] = process.argv.slice(2);
  linkBundlers();
  rmSync('out', { recursive: true, force: true });
  await bundle(bundler, configured(bundler, format));
  runAlone(format);
}
