// Tools that a newcomer does not need live in projects of their own, each with its lock file, outside the workspaces.
// The command that needs one installs it, once, and says so in a line:
//   node tools/envs.mjs                          names them
//   node tools/envs.mjs install [NAME…]          installs these, or all
//   node tools/envs.mjs run NAME BIN [ARGUMENT…] runs a program of one, in the current folder
// In code: ensureEnv(name) returns the folder, binOf(name, program) a program's file.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Name → folder and what it holds, as the line before an installation calls it. */
const ENVIRONMENTS = {
  bench: { folder: 'tools/bench', holds: "the benchmarks' peers" },
  browser: { folder: 'tools/browser', holds: 'the browser and its bundler' },
  bundlers: { folder: 'tools/envs/bundlers', holds: 'what programs are bundled with' },
  docs: { folder: 'tools/envs/docs', holds: "the documentation site's tools" },
  examples: { folder: 'tools/envs/examples', holds: 'what the programs in examples use' },
  lint: { folder: 'tools/envs/lint', holds: 'the tools that check sources' },
  packages: { folder: 'tools/envs/packages', holds: 'the tools that check packages' },
  release: { folder: 'tools/envs/release', holds: "the release rehearsal's registry" },
  runtimes: { folder: 'tools/envs/runtimes', holds: 'other releases of Node, Deno and Bun' },
};

const INPUTS = ['package.json', 'package-lock.json', '.npmrc'];
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** What an installation depends on, as one word. */
function fingerprint(folder) {
  const hash = createHash('sha256');
  for (const file of INPUTS) hash.update(readFileSync(join(folder, file))).update('\0');
  hash.update(`${process.versions.modules} ${process.platform} ${process.arch}`);
  return hash.digest('hex');
}

function isUpToDate(folder, stamp) {
  const file = join(folder, 'node_modules/.installed');
  return existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other process does so for this folder; a lock whose owner has died is taken over. */
function alone(folder, work) {
  const lock = join(folder, '.installing');
  const mine = `${lock}-${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (;;) {
      try {
        linkSync(mine, lock);
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      try {
        if (!isAlive(Number(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true });
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
      sleep(200);
    }
    try {
      work();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * Installs beside the folder's node_modules and swaps, so that a broken installation is never seen.
 * The caller holds the folder's lock.
 */
function install(folder, stamp) {
  const build = join(folder, `.install-${process.pid}`);
  const modules = join(folder, 'node_modules');
  for (const left of readdirSync(folder).filter((entry) => entry.startsWith('.install-')))
    rmSync(join(folder, left), { recursive: true, force: true });
  mkdirSync(build);
  try {
    for (const file of INPUTS) cpSync(join(folder, file), join(build, file));
    // What `npm run -w` and the like hand down is about another project.
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) =>
          !/^npm_config_(workspace|workspaces|prefix|local_prefix|omit|include)$/i.test(name),
      ),
    );
    const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: build,
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (npm.status !== 0) throw new Error(`npm ci for ${folder} failed`);
    writeFileSync(join(build, 'node_modules/.installed'), stamp);
    if (existsSync(modules)) renameSync(modules, join(build, 'outdated'));
    renameSync(join(build, 'node_modules'), modules);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

/** Installs what is called `name` unless it is there and up to date; returns its folder. */
export function ensureEnv(name) {
  const environment = ENVIRONMENTS[name];
  if (environment === undefined)
    throw new Error(`no ${name} among ${Object.keys(ENVIRONMENTS).join(', ')}`);
  const folder = join(root, environment.folder);
  const stamp = fingerprint(folder);
  if (isUpToDate(folder, stamp)) return folder;
  alone(folder, () => {
    if (isUpToDate(folder, stamp)) return;
    const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    const count = Object.values(packages).filter((entry) => entry.optional !== true).length - 1;
    console.error(`installing ${environment.holds} (${count} packages) in ${environment.folder} …`);
    install(folder, stamp);
  });
  return folder;
}

/** The file of a program that one of the packages brings; installs the packages when needed. */
export function binOf(name, program) {
  const folder = ensureEnv(name);
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) {
    const home = join(folder, 'node_modules', dependency);
    const { name: called, bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    if (bin === undefined) continue;
    const file =
      typeof bin === 'string' ? called.split('/').at(-1) === program && bin : bin[program];
    if (file) return join(home, file);
  }
  throw new Error(`${name} brings no program ${program}`);
}

/** Runs a program of an environment to its end; returns its exit status. */
export function runIn(name, program, args = [], options = {}) {
  const run = spawnSync(process.execPath, [binOf(name, program), ...args], {
    stdio: 'inherit',
    ...options,
  });
  return run.status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [verb, ...names] = process.argv.slice(2);
  try {
    if (verb === 'install') {
      for (const name of names.length > 0 ? names : Object.keys(ENVIRONMENTS)) ensureEnv(name);
    } else if (verb === 'run' && names.length >= 2) {
      process.exitCode = runIn(names[0], names[1], names.slice(2));
    } else {
      for (const [name, { folder, holds }] of Object.entries(ENVIRONMENTS))
        console.log(`${name.padEnd(10)} ${holds} (${folder})`);
      if (verb !== undefined) process.exitCode = 2;
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
