// The package as it is published: one file for a program, another when it makes a pool, one for each of its threads.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
  readonly imports: object;
  readonly main: string;
}

const folder = fileURLToPath(new URL('..', import.meta.url));
let home: string;
let installed: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'bootmem-package-'));
  installed = join(home, 'node_modules/@bootmem/padata');
  const tool = new URL('../../../tools/stage/stage.mjs', import.meta.url).href;
  const text = `const { stage } = await import(${JSON.stringify(tool)}); await stage(...process.argv.slice(1));`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', text, folder, installed]);
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const read = (file: string): string => readFileSync(join(installed, file), 'utf8');
/** File of a piece, whatever build it is of. */
const piece = (name: string, home = installed): string =>
  `dist/node/${readdirSync(join(home, 'dist/node')).find((file) => file.startsWith(`${name}-`) && !file.endsWith('.map'))!}`;
const manifest = (): Manifest => JSON.parse(read('package.json')) as Manifest;

/** Runs a program that has installed the package. @returns what it prints */
function run(program: string, ...flags: string[]): string {
  const file = join(home, 'main.mjs');
  writeFileSync(file, program);
  return execFileSync(process.execPath, [...flags, file], { encoding: 'utf8', timeout: 120_000 });
}

/** Files of the package that are loaded with this one. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, other] of read(file).matchAll(/(?:\bfrom|\bimport) ?["'](\.{1,2}\/[^"']+)["']/g))
    loadedWith(join(dirname(file), other!), seen);
  return seen;
}

/** All files that a part of the manifest names. */
function filesIn(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  return Object.values(part as object).flatMap(filesIn);
}

test('all files that the manifest names are there', () => {
  const { exports, imports, main } = manifest();
  for (const file of [...filesIn(exports), ...filesIn(imports), main])
    expect([file, existsSync(join(installed, file))]).toEqual([file, true]);
});

test('Node is given each entry in one piece, bundlers and browsers the modules', () => {
  for (const [entry, targets] of Object.entries(manifest().exports)) {
    if (typeof targets === 'string') continue;
    const name = entry === '.' ? 'index' : entry.slice(2);
    const modules = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` };
    expect(targets).toMatchObject({
      module: modules,
      browser: modules,
      default: `./dist/node/${name}.js`,
    });
    // The first that matches is taken.
    const conditions = Object.keys(targets);
    expect(conditions.indexOf('browser')).toBeLessThan(conditions.indexOf('require'));
    expect(conditions.at(-1)).toBe('default');
  }
});

test('a program loads few files, and so does each of its threads', () => {
  expect(loadedWith('dist/index.js').size).toBeGreaterThan(50);
  expect(loadedWith('dist/node/index.js').size).toBe(1);
  const thread = loadedWith(piece('worker.node'));
  expect(thread.size).toBe(1);
  // What job modules import: most of it is there.
  loadedWith('dist/node/worker.js', thread);
  expect(thread.size).toBe(2);
});

/** Adds to `order` the files that are required and the threads that are started from here on. */
const WATCHES = `
import Module, { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
const order = [];
const load = Module._load;
Module._load = (file, ...given) => {
  if (file.includes('/late-')) order.push('late');
  return load(file, ...given);
};
threads.Worker = class extends threads.Worker {
  constructor(...given) { super(...given); order.push('thread'); }
};
syncBuiltinESMExports();
`;

test('a pool starts its first thread, then reads what no thread needs for that, once', () => {
  const printed = run(`${WATCHES}
const { createWorkPool } = await import('@bootmem/padata');
const pools = [1, 1].map((threads) => createWorkPool({ threads }));
await Promise.all(pools.map((pool) => pool.close()));
console.log(order.join());
`);
  expect(printed).toBe('thread,late,thread\n');
});

test('a mistake in the options reads nothing and starts nothing', () => {
  const printed = run(`${WATCHES}
const { createWorkPool } = await import('@bootmem/padata');
try { createWorkPool({ threads: -1 }); } catch (error) { console.log(error.code, order.length); }
`);
  expect(printed).toBe('ERR_PADATA_ARGUMENT 0\n');
});

/** A copy of the installed package, by another name. @returns its folder */
function copyAs(name: string): string {
  const copy = join(home, 'node_modules/@bootmem', name);
  cpSync(installed, copy, { recursive: true });
  return copy;
}

test.each([
  [
    'is not there',
    (file: string) => {
      rmSync(file);
    },
  ],
  [
    'is refused',
    (file: string) => {
      const refusal = `throw Object.assign(new Error('restricted'), { code: 'ERR_ACCESS_DENIED' });`;
      writeFileSync(file, refusal);
    },
  ],
  [
    'is torn',
    (file: string) => {
      writeFileSync(file, '}');
    },
  ],
])('where the rest %s it is said, the thread is ended, and the program with it', (how, spoil) => {
  const name = how.replaceAll(' ', '-');
  const copy = copyAs(name);
  spoil(join(copy, piece('late', copy)));
  const printed = run(`
import { PadataError, createWorkPool } from '@bootmem/${name}';
try { createWorkPool({ threads: 1 }); } catch (error) { console.log(error.code, error instanceof PadataError); }
`);
  expect(printed).toBe('ERR_PADATA_MODULE true\n');
});

test('a program whose package was installed anew takes nothing of the other build', () => {
  const other = copyAs('other');
  const changed = join(other, 'dist/protocol/control-layout.js');
  writeFileSync(changed, readFileSync(changed, 'utf8').replace(/\bTURN: \d+/, 'TURN: 99'));
  const tool = new URL('../../../tools/stage/pieces.mjs', import.meta.url).href;
  const entries = Object.values(manifest().exports).flatMap((targets) =>
    typeof targets === 'string'
      ? []
      : [(targets['module'] as { default: string }).default.slice(2)],
  );
  rmSync(join(other, 'dist/node'), { recursive: true });
  const text = `const { makePieces } = await import(${JSON.stringify(tool)}); const [folder, late, ...entries] = process.argv.slice(1); await makePieces(folder, entries, 'dist/node', late);`;
  const given = [other, 'dist/pool/parts/pool-parts.js', ...entries];
  execFileSync(process.execPath, ['--input-type=module', '--eval', text, ...given]);
  expect(piece('late', other)).not.toBe(piece('late'));

  const old = copyAs('renewed');
  writeFileSync(join(home, 'jobs.mjs'), 'export const next = (n) => n + 1;\n');
  const program = (before: string): string => `
import { cpSync, rmSync } from 'node:fs';
import { createWorkPool } from '@bootmem/renewed';
${before}
rmSync(${JSON.stringify(old)}, { recursive: true });
cpSync(${JSON.stringify(other)}, ${JSON.stringify(old)}, { recursive: true });
try {
  const pool = createWorkPool({ threads: 1 });
  const ready = await pool.ready().catch(({ code }) => code);
  const ran = await pool.run({ module: new URL('./jobs.mjs', import.meta.url), name: 'next' }, 1);
  console.log(ready, ran);
  await pool.close();
} catch ({ code }) { console.log(code); }
`;
  expect(run(program(''))).toBe('ERR_PADATA_MODULE\n');
  rmSync(old, { recursive: true });
  cpSync(installed, old, { recursive: true });
  expect(run(program('await createWorkPool({ threads: 1 }).close();'))).toBe(
    'ERR_PADATA_MODULE 2\n',
  );
  rmSync(old, { recursive: true });
  cpSync(installed, old, { recursive: true });
  // An entry that is read for the first time is of the other build.
  const late = `await import('@bootmem/renewed/kernel').catch(({ code }) => { console.log(code); });`;
  expect(run(program('').replace('try {', `${late}\ntry {`))).toBe(
    'ERR_MODULE_NOT_FOUND\nERR_PADATA_MODULE\n',
  );
});

test('what is read late is named as tools that copy the files of a program look for it', () => {
  // Lines are broken, within texts as well.
  const text = read('dist/node/index.js').replaceAll(/\\?\n/g, '');
  for (const file of [piece('late'), piece('worker.node')])
    expect(text).toContain(`(new URL("./${file.slice('dist/node/'.length)}",import.meta.url),`);
});

test('properties of all objects are none of its names', () => {
  const printed = run(`
Object.prototype.extra = 1;
Array.prototype.more = 2;
const { createWorkPool } = await import('@bootmem/padata');
const { formatMask } = await import('@bootmem/padata/kernel');
await createWorkPool({ threads: 1 }).close();
console.log(formatMask([1], 4));
`);
  expect(printed).toMatch(/^\w+\n$/);
});

test('a pool that is made before each of its threads begins is refused there', () => {
  writeFileSync(join(home, 'jobs.mjs'), 'export const next = (n) => n + 1;\n');
  const before = join(home, 'before.mjs');
  writeFileSync(
    before,
    `import { isMainThread } from 'node:worker_threads';
import { createWorkPool } from '@bootmem/padata';
if (!isMainThread) try { createWorkPool({ threads: 1 }); } catch ({ code }) { console.log(code); }
`,
  );
  const printed = run(
    `
import { createWorkPool } from '@bootmem/padata';
const pool = createWorkPool({ threads: 1 });
const ran = await pool.run({ module: new URL('./jobs.mjs', import.meta.url), name: 'next' }, 1);
await pool.close();
console.log(ran);
`,
    '--import',
    pathToFileURL(before).href,
  );
  expect(printed).toBe('ERR_PADATA_MODULE\n2\n');
});

test('a file that the program names is not taken for the one that threads start from', () => {
  const printed = run(`
import { createWorkPool } from '@bootmem/padata';
const pool = createWorkPool({ threads: 1, execArgv: ['--import', new URL('./gone.mjs', import.meta.url).href] });
const { code, cause } = await pool.ready().catch((error) => error);
await pool.close();
console.log(code, /gone/.test(cause.message));
`);
  expect(printed).toBe('ERR_PADATA_WORKER_DIED true\n');
});

test('its entries, however they are loaded, and its threads share what they have in common', () => {
  writeFileSync(
    join(home, 'jobs.mjs'),
    `import { completeDeferred, currentWorker, transfer } from '@bootmem/padata/worker';
export const where = () => currentWorker();
export const bytes = () => { const bytes = new Uint8Array(8); return transfer(bytes, [bytes.buffer]); };
let handle;
export const later = (input, ctx) => completeDeferred(handle = ctx.defer(), input + 1);
export const errors = async () => {
  const { PadataError } = await import('@bootmem/padata');
  class Own extends PadataError {}
  try { completeDeferred(handle, 0); } catch (error) {
    return [error.code, error instanceof PadataError, error instanceof Own, {} instanceof PadataError];
  }
};
`,
  );
  const printed = run(`
import { createRequire } from 'node:module';
import { PadataError, WorkPool, createWorkPool } from '@bootmem/padata';
import { checkInteger } from '@bootmem/padata/backend';
import { createPadata } from '@bootmem/padata/kernel';
import { currentWorker, startWorker } from '@bootmem/padata/worker';
const required = createRequire(import.meta.url)('@bootmem/padata');
const thrown = (call) => { try { call(); } catch (error) { return error instanceof PadataError; } };
const pool = createWorkPool({ threads: 1 });
const module = new URL('./jobs.mjs', import.meta.url);
const said = {
  required: required.PadataError === PadataError && required.WorkPool === WorkPool,
  backend: thrown(() => checkInteger('n', -1, 0, 1)),
  kernel: thrown(() => createPadata(pool, { nonsense: 1 })),
  worker: thrown(startWorker),
  here: currentWorker(),
  there: await pool.run({ module, name: 'where' }, 0) > 0,
  bytes: (await pool.run({ module, name: 'bytes' }, 0)).length,
  later: await pool.run({ module, name: 'later' }, 41),
  errors: await pool.run({ module, name: 'errors' }, 0),
};
await pool.close();
console.log(JSON.stringify(said));
`);
  expect(JSON.parse(printed)).toEqual({
    required: true,
    backend: true,
    kernel: true,
    worker: true,
    here: 0,
    there: true,
    bytes: 8,
    later: 42,
    errors: ['ERR_PADATA_DOUBLE_COMPLETE', true, false, false],
  });
});

test('a thread looks at the module that it imports, not at another of the same name', () => {
  const dual = join(home, 'node_modules/dual');
  mkdirSync(dual);
  writeFileSync(
    join(dual, 'package.json'),
    JSON.stringify({ exports: { import: './imported.mjs', require: './required.cjs' } }),
  );
  writeFileSync(
    join(dual, 'imported.mjs'),
    'export const then = () => undefined, work = () => 1;\n',
  );
  writeFileSync(join(dual, 'required.cjs'), 'exports.work = () => 2;\n');
  const printed = run(`
import { createWorkPool } from '@bootmem/padata';
const pool = createWorkPool({ threads: 1 });
await pool.run({ module: 'dual', name: 'work' }, 0).catch(({ code, message }) => console.log(code, message));
await pool.close();
`);
  expect(printed).toMatch(/^ERR_PADATA_MODULE .*it exports a function "then"/);
});

test('a second copy of the package on a thread begins nothing there', () => {
  cpSync(installed, join(home, 'copy'), { recursive: true });
  writeFileSync(
    join(home, 'jobs.mjs'),
    `export const load = async () => {
  const { PadataError } = await import(new URL('./copy/dist/node/index.js', import.meta.url).href);
  return PadataError.name;
};
`,
  );
  const printed = run(`
import { createWorkPool } from '@bootmem/padata';
const pool = createWorkPool({ threads: 1 });
let hellos = 0;
pool.on('worker-ready', () => { hellos += 1; });
const fn = { module: new URL('./jobs.mjs', import.meta.url), name: 'load' };
const said = await pool.run(fn, 0);
await pool.close();
console.log(said, hellos);
`);
  expect(printed).toBe('PadataError 1\n');
});

test('its source maps lead to the sources', () => {
  const program = `
import { createWorkPool } from '@bootmem/padata';
try { createWorkPool({ threads: -1 }); } catch (error) { console.log(error.stack); }
`;
  expect(run(program)).toMatch(/dist\/node\/[\w-]+\.js:\d+/);
  const stack = run(program, '--enable-source-maps');
  const [, file, line] = /\(?(?:file:\/\/)?(\/[^\s(]+src\/base\/errors\.ts):(\d+):\d+/.exec(stack)!;
  expect(readFileSync(file!, 'utf8').split('\n')[Number(line) - 1]).toContain('new PadataError');
});
