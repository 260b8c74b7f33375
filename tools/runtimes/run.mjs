// `npm run runtimes [-- NAME…] [--write]`: the packages, as their users install them, on each runtime that is promised.
//
//   packages/* ─ npm pack ─▶ one project with all tarballs ─▶ node 20, 22, 24, 26, deno, bun: each runs the same programs
//
// The programs: one real use of each package by `import` and by `require` (those of the release rehearsal), every sample of the
// packages' documents, a job module in TypeScript. The runtimes are npm packages, tools/envs/runtimes. The table of
// docs/guide/runtimes.md says what is run; --write renews it (with --table without running them), else it has to be right. Ends with `N passed, N failed`.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureEnv } from '../envs.mjs';
import { asPublished } from '../stage/stage.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(root, 'docs/guide/runtimes.md');
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Name → program, its arguments before the file, and what it does by itself. */
function runtimes() {
  const modules = join(ensureEnv('runtimes'), 'node_modules');
  const versionOf = (name) => readJson(join(modules, name, 'package.json')).version;
  const own = process.versions.node;
  const list = [
    {
      name: `node-${own.split('.')[0]}`,
      title: `Node ${own.split('.')[0]}, the one that runs this`,
      program: process.execPath,
      args: [],
      stripsTypes: process.features.typescript !== undefined,
    },
  ];
  for (const major of ['22', '24', '26']) {
    const name = `node-${major}`;
    if (list[0].name === name || !existsSync(join(modules, name))) continue;
    const program = join(modules, name, 'bin/node');
    list.push({ name, title: `Node ${versionOf(name)}`, program, args: [], stripsTypes: true });
  }
  const others = [
    ['deno', '@deno/linux-x64-glibc', 'deno', ['run', '-A', '--no-prompt', '--quiet'], 'Deno'],
    ['bun', '@oven/bun-linux-x64-baseline', 'bin/bun', ['--no-install'], 'Bun'],
  ];
  for (const [name, home, file, args, title] of others) {
    if (!existsSync(join(modules, home))) continue;
    const program = join(modules, home, file);
    list.push({
      name,
      title: `${title} ${versionOf(home)}`,
      program,
      args,
      stripsTypes: true,
    });
  }
  return list;
}

/** The packages as tarballs, installed in an empty project. @returns their names */
async function install(home) {
  const tarballs = join(home, 'tarballs');
  mkdirSync(tarballs);
  const dependencies = {};
  for (const dir of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', dir);
    const { name, version } = readJson(join(folder, 'package.json'));
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', tarballs], {
      cwd: await asPublished(folder),
    });
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
    dependencies[name] = `file:tarballs/${file}`;
  }
  const manifest = { name: 'runtimes', private: true, type: 'module', dependencies };
  writeFileSync(
    join(home, 'package.json'),
    // Those that depend on each other get these tarballs too.
    JSON.stringify({ ...manifest, overrides: { ...dependencies } }),
  );
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: home });
  return Object.keys(dependencies);
}

/** Writes the programs; each has a file, a kind, and may need a runtime that strips types. */
function programs(home, names) {
  const list = [];
  const add = (kind, file, text, needsTypes = false) => {
    writeFileSync(join(home, file), text);
    list.push({ kind, file, needsTypes });
  };
  const source = new URL('../release-rehearsal/programs/', import.meta.url);
  for (const name of names) {
    const short = name.replace('@bootmem/', '');
    writeFileSync(
      join(home, `program-${short}.mjs`),
      readFileSync(new URL(`${short}.mjs`, source)),
    );
    add(
      'import',
      `import-${short}.mjs`,
      `import assert from 'node:assert/strict';\nimport * as api from '${name}';\nimport program from './program-${short}.mjs';\nawait program(api, assert);\n`,
    );
    add(
      'require',
      `require-${short}.cjs`,
      `const assert = require('node:assert/strict');\nconst api = require('${name}');\nimport('./program-${short}.mjs').then(({ default: program }) => program(api, assert)).catch((error) => { console.error(error); process.exitCode = 1; });\n`,
    );
  }
  for (const dir of readdirSync(join(root, 'packages'))) {
    for (const document of ['README.md', 'GUIDE.md']) {
      const path = join(root, 'packages', dir, document);
      if (!existsSync(path)) continue;
      const fences = readFileSync(path, 'utf8').matchAll(/^```(js|ts)[ \t]*\n([^]*?)^```/gm);
      let index = 0;
      for (const [, language, code] of fences) {
        index += 1;
        const end = language === 'ts' ? 'mts' : 'mjs';
        const file = `sample-${dir}-${document.slice(0, -3).toLowerCase()}-${index}.${end}`;
        add('documents', file, code, language === 'ts');
      }
    }
  }
  writeFileSync(join(home, 'typed.ts'), 'export const half = (n: number): number => n / 2;\n');
  add(
    'types',
    'typed-jobs.mjs',
    `import { createWorkPool } from '@bootmem/padata';
for (const name of ['./typed.js', './typed.ts']) {
  const pool = createWorkPool({ threads: 1 });
  const half = await pool.run({ module: new URL(name, import.meta.url), name: 'half' }, 8);
  if (half !== 4) throw new Error(String(half));
  await pool.close();
}
`,
    true,
  );
  return list;
}

/** What a runtime cannot do; the page says why. */
const EXCEPT = { deno: ['sample-buddy-allocator-readme-1.mjs'] };

/** Runs a program to its end. @returns what went wrong */
const faultOf = (program, args) =>
  new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    execFile(program, args, { cwd: home, timeout: 60_000, env }, (error, stdout, stderr) => {
      resolve(error === null ? undefined : `${error.message}\n${stdout}${stderr}`);
    });
  });

const KINDS = {
  import: 'each package by `import`',
  require: 'each package by `require`',
  documents: 'the samples of the READMEs and guides',
  types: 'job modules in TypeScript, natively',
};

/** What became of the programs of one kind. */
function outcome({ done, untyped, excepted }) {
  if (done === 0) return 'no';
  if (untyped > 0) return 'those in JavaScript';
  return excepted > 0 ? `all but ${excepted}` : 'yes';
}

/** The table: what ran where. A runtime that cannot load TypeScript runs the samples that are JavaScript. */
function table(rows) {
  const kinds = Object.keys(KINDS);
  const lines = [
    `| | ${kinds.map((kind) => KINDS[kind]).join(' | ')} |`,
    `| --- |${' --- |'.repeat(kinds.length)}`,
    ...rows.map(
      ({ title, ran }) => `| ${title} | ${kinds.map((k) => outcome(ran[k])).join(' | ')} |`,
    ),
  ];
  return lines.join('\n');
}

const asked = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const home = mkdtempSync(join(tmpdir(), 'bootmem-runtimes-'));
let passed = 0;
let failed = 0;
const rows = [];
try {
  const list = programs(home, await install(home));
  for (const { name, title, program, args, stripsTypes } of runtimes()) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const started = Date.now();
    const ran = {};
    let bad = 0;
    const todo = [];
    for (const { kind, file, needsTypes } of list) {
      const count = (ran[kind] ??= { done: 0, untyped: 0, excepted: 0 });
      if (needsTypes && !stripsTypes) count.untyped += 1;
      else if (EXCEPT[name]?.includes(file)) count.excepted += 1;
      else {
        count.done += 1;
        todo.push(file);
      }
    }
    if (process.argv.includes('--table')) todo.length = 0;
    const runner = async () => {
      for (let file = todo.shift(); file !== undefined; file = todo.shift()) {
        const fault = await faultOf(program, [...args, file]);
        if (fault === undefined) passed += 1;
        else {
          failed += 1;
          bad += 1;
          console.log(`FAIL ${name} ${file}: ${fault}`);
        }
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() + 1 }, runner));
    rows.push({ title, ran });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${title.padEnd(32)} ${bad === 0 ? 'ok' : `${bad} failed`} in ${seconds} s`);
  }
  const marks = /(<!-- runtimes -->\n)[^]*?(\n<!-- \/runtimes -->)/;
  if (asked.length === 0 && rows[0].title.startsWith('Node 20,') && rows.length === 6) {
    const page = readFileSync(PAGE, 'utf8');
    const next = page.replace(marks, (_all, open, close) => `${open}${table(rows)}${close}`);
    if (process.argv.includes('--write')) writeFileSync(PAGE, next);
    else if (next !== page) {
      failed += 1;
      console.log(
        'the table of docs/guide/runtimes.md is not of this run: npm run runtimes -- --write',
      );
    }
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(`runtimes: ${passed} passed, ${failed} failed`);
// A run that ran nothing has not passed.
const hasRun = passed > 0 || process.argv.includes('--table');
process.exitCode = failed === 0 && hasRun ? 0 : 1;
