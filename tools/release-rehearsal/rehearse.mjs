// `npm run release:rehearsal`: the whole release, against a registry of its own on the loopback interface.
//
//   scratch copy of the committed tree ─ changeset version ─ build ─ changeset publish ─▶ verdaccio
//   empty ESM, CommonJS and TypeScript projects ─ npm install ◀─┘  each runs one real program per package; then the examples
//   one more changeset, in one package ─ version, publish ─▶ only it and its dependents may have moved
//
// Nothing is published anywhere else, nothing in the checkout changes, and the scratch folder goes at the end
// (keep it with --keep). Only committed files take part. Ends with a line `release rehearsal: N checks passed`.
import { execFileSync, spawn } from 'node:child_process';
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
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf } from '../envs.mjs';
import { layOut, programs } from '../examples/lay-out.mjs';
import { consumers, examples } from './consumers.mjs';

// The package that gets the second changeset, a minor one, which in 0.x leaves the range that others ask for. So it shows both a
// package that moved itself and packages that moved because of it.
const CHANGED = '@bootmem/buddy-allocator';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'bootmem-release-'));
const keep = process.argv.includes('--keep');
const started = Date.now();
let checks = 0;

const say = (text) => console.log(`[${((Date.now() - started) / 1000).toFixed(1)} s] ${text}`);
const check = (condition, text) => {
  if (!condition) throw new Error(`check failed: ${text}`);
  checks += 1;
  say(`ok: ${text}`);
};
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
const userconfig = join(scratch, 'npmrc');
const environment = {
  ...process.env,
  NPM_CONFIG_USERCONFIG: userconfig,
  NPM_CONFIG_AUDIT: 'false',
  NPM_CONFIG_FUND: 'false',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  NX_DAEMON: 'false',
  NX_TUI: 'false',
  NX_NO_CLOUD: 'true',
  CI: 'true',
};
// npm hands its own settings to scripts as npm_config_* variables, which would win over the user config.
for (const name of Object.keys(environment)) {
  if (/^npm_config_(registry|userconfig|globalconfig|prefix|cache)$/.test(name))
    delete environment[name];
}
const run = (command, args, cwd, options = {}) => {
  try {
    return execFileSync(command, args, {
      cwd,
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
      ...options,
    });
  } catch (error) {
    throw new Error(
      `${command} ${args.join(' ')} failed in ${cwd}\n${error.stdout ?? ''}\n${error.stderr ?? ''}`,
      { cause: error },
    );
  }
};

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function startRegistry() {
  const home = join(scratch, 'registry');
  mkdirSync(home);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  writeFileSync(
    join(home, 'config.yaml'),
    [
      `storage: ${join(home, 'storage')}`,
      'auth: { htpasswd: { file: ./htpasswd } }',
      `uplinks: { upstream: { url: '${upstream}' } }`,
      'packages:',
      "  '@bootmem/*': { access: $all, publish: $all, unpublish: $all }",
      "  'bootmem': { access: $all, publish: $all, unpublish: $all }",
      "  '**': { access: $all, proxy: upstream }",
      'log: { type: stdout, format: pretty, level: warn }',
      `listen: 127.0.0.1:${port}`,
      '',
    ].join('\n'),
  );
  const child = spawn(
    process.execPath,
    [binOf('release', 'verdaccio'), '--config', join(home, 'config.yaml')],
    {
      cwd: home,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log += data));
  for (let attempt = 0; ; attempt += 1) {
    try {
      if ((await fetch(`${url}-/ping`)).ok) break;
    } catch {
      // Not listening yet.
    }
    if (attempt > 150 || child.exitCode !== null)
      throw new Error(`the registry did not start\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  writeFileSync(userconfig, `registry=${url}\n//127.0.0.1:${port}/:_authToken=rehearsal\n`);
  return { url, stop: () => child.kill('SIGTERM') };
}

/** Name → version of every public package of the scratch copy. */
const versionsOf = (repo) =>
  new Map(
    readdirSync(join(repo, 'packages'))
      .filter((dir) => existsSync(join(repo, 'packages', dir, 'package.json')))
      .map((dir) => readJson(join(repo, 'packages', dir, 'package.json')))
      .filter((manifest) => manifest.private !== true)
      .map((manifest) => [manifest.name, manifest.version]),
  );

function release(repo, label) {
  run('npx', ['changeset', 'version'], repo);
  run(
    'node',
    [
      'tools/clean.mjs',
      ...readdirSync(join(repo, 'packages')).map((dir) => `packages/${dir}/dist`),
    ],
    repo,
  );
  run('npm', ['run', 'build'], repo);
  run('node', ['tools/stage/stage.mjs'], repo);
  run('git', ['add', '-A'], repo);
  run(
    'git',
    ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost', 'commit', '-qm', label],
    repo,
  );
  run('npx', ['changeset', 'publish', '--no-git-tag'], repo);
}

/** Version the registry serves as `latest`. */
async function latest(url, name) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(`${url}${name.replace('/', '%2f')}`);
      return response.ok ? (await response.json())['dist-tags'].latest : undefined;
    } catch (error) {
      // The registry may have closed the kept connection in the meantime.
      if (attempt === 3) throw error;
    }
  }
}

function dependents(repo, name) {
  const manifests = readdirSync(join(repo, 'packages')).map((dir) =>
    readJson(join(repo, 'packages', dir, 'package.json')),
  );
  const found = new Set([name]);
  for (let grew = true; grew;) {
    grew = false;
    for (const manifest of manifests) {
      if (found.has(manifest.name)) continue;
      if (Object.keys(manifest.dependencies ?? {}).some((dependency) => found.has(dependency))) {
        found.add(manifest.name);
        grew = true;
      }
    }
  }
  return found;
}

let registry;
try {
  say(`scratch folder ${scratch}`);
  const repo = join(scratch, 'repo');
  run('git', ['clone', '--quiet', '--no-hardlinks', root, repo]);
  // Relative workspace links inside node_modules resolve to the scratch copy's own packages.
  // A package whose version of something differs from the root's has a node_modules of its own.
  for (const folder of [
    '.',
    ...readdirSync(join(root, 'packages')).map((dir) => `packages/${dir}`),
  ]) {
    const modules = join(root, folder, 'node_modules');
    if (!existsSync(modules)) continue;
    cpSync(modules, join(repo, folder, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  registry = await startRegistry();
  say(`registry on ${registry.url}`);

  const before = versionsOf(repo);
  release(repo, 'first release');
  const first = versionsOf(repo);
  for (const [name, version] of first) {
    check(
      (await latest(registry.url, name)) === version,
      `${name} ${before.get(name)} → ${version} is published`,
    );
  }

  for (const { kind, files, manifest, commands, needsTypes } of consumers([...first.keys()])) {
    const home = join(scratch, `consumer-${kind}`);
    mkdirSync(home);
    writeJson(join(home, 'package.json'), { ...manifest, dependencies: Object.fromEntries(first) });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    run('npm', ['install'], home);
    for (const name of kind === 'esm' ? first.keys() : [])
      check(
        existsSync(join(home, 'node_modules', name, 'CHANGELOG.md')),
        `${name} brings its changelog`,
      );
    if (needsTypes) {
      mkdirSync(join(home, 'node_modules/@types'), { recursive: true });
      symlinkSync(
        join(root, 'node_modules/@types/node'),
        join(home, 'node_modules/@types/node'),
        'dir',
      );
    }
    for (const { label, command, args } of commands(root)) {
      run(command, args, home, { timeout: 120_000 });
      check(true, `${kind} consumer: ${label}`);
    }
  }

  // Out of what was packed, an example is the program that the tests of the checkout have seen.
  const installed = join(scratch, 'consumer-esm', 'node_modules');
  for (const { name, dir, example } of examples(join(repo, 'packages'))) {
    const limit = { timeout: 120_000 };
    const expected = run(process.execPath, [join(repo, 'packages', dir, example)], repo, limit);
    const printed = run(process.execPath, [join(installed, name, example)], scratch, limit);
    check(printed === expected && printed !== '', `${example} of the installed ${name} runs`);
  }

  // The programs of examples/, each of which checks its own output, use what was published and nothing of the checkout.
  layOut(dirname(installed), join(repo, 'examples'));
  for (const program of programs(join(repo, 'examples'))) {
    const main = join(dirname(installed), 'examples', program, 'main.mjs');
    run(process.execPath, [main], scratch, { timeout: 120_000 });
    check(true, `examples/${program} runs with the installed packages`);
  }

  const bills = join(scratch, 'bills');
  run('node', [join(root, 'tools/sbom.mjs'), bills, `bootmem@${first.get('bootmem')}`], scratch);
  const [bill] = readdirSync(bills).map((file) => readJson(join(bills, file)));
  const listed = new Set(bill.components.map(({ purl }) => decodeURIComponent(purl)));
  const { dependencies } = readJson(join(repo, 'packages/bootmem/package.json'));
  for (const name of ['bootmem', ...Object.keys(dependencies)])
    check(
      [...listed].some((purl) => purl.startsWith(`pkg:npm/${name}@`)),
      `the bill of materials of bootmem lists ${name}`,
    );

  const moving = dependents(repo, CHANGED);
  const directory = [...readdirSync(join(repo, 'packages'))].find(
    (dir) => readJson(join(repo, 'packages', dir, 'package.json')).name === CHANGED,
  );
  const readme = join(repo, 'packages', directory, 'README.md');
  writeFileSync(readme, `${readFileSync(readme, 'utf8')}\nRehearsed.\n`);
  writeFileSync(
    join(repo, '.changeset/rehearsal.md'),
    `---\n'${CHANGED}': minor\n---\n\nRehearsal of a second release.\n`,
  );
  release(repo, 'second release');
  const second = versionsOf(repo);
  for (const [name, version] of second) {
    const moved = version !== first.get(name);
    check(moved === moving.has(name), `${name} ${moved ? `moved to ${version}` : 'did not move'}`);
    check((await latest(registry.url, name)) === version, `the registry serves ${name} ${version}`);
  }
  console.log(`release rehearsal: ${checks} checks passed`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  registry?.stop();
  if (keep) say(`kept ${scratch}`);
  else rmSync(scratch, { recursive: true, force: true });
}
