// The three kinds of project that install the packages. Every program in ./programs is one real use of one
// package: `export default async (api, assert) => …`. ESM imports the package, CommonJS requires it, and the
// TypeScript project type-checks a typed use of each before running it.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf } from '../envs.mjs';
import { BUNDLERS, FORMATS, filesOfPage } from './bundle.mjs';

const folder = new URL('./programs/', import.meta.url);
const fileOf = (name) => name.replace('@bootmem/', '');
const programs = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => [file.slice(0, -'.mjs'.length), readFileSync(new URL(file, folder), 'utf8')]),
);
const typed = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.mts'))
    .map((file) => [file.slice(0, -'.mts'.length), readFileSync(new URL(file, folder), 'utf8')]),
);

/** The examples that the READMEs of packages link to, as `{ name, dir, example }`; each a program that ends by itself. */
export function examples(packages) {
  return readdirSync(packages).flatMap((dir) => {
    const readme = join(packages, dir, 'README.md');
    if (!existsSync(readme)) return [];
    const linked = readFileSync(readme, 'utf8').matchAll(/\((examples\/[\w-]+\.mjs)\)/g);
    const { name } = JSON.parse(readFileSync(join(packages, dir, 'package.json'), 'utf8'));
    return [...linked].map(([, example]) => ({ name, dir, example }));
  });
}

/** The consumer projects for these package names; a package without a program is an error. */
export function consumers(names) {
  for (const name of names) {
    if (!programs.has(fileOf(name))) throw new Error(`no rehearsal program for ${name}`);
  }
  const shared = Object.fromEntries(
    names.map((name) => [`program-${fileOf(name)}.mjs`, programs.get(fileOf(name))]),
  );
  return [
    {
      kind: 'esm',
      manifest: { name: 'consumer-esm', private: true, type: 'module' },
      files: {
        ...shared,
        ...Object.fromEntries(
          names.map((name) => [
            `${fileOf(name)}.js`,
            `import assert from 'node:assert/strict';\nimport * as api from '${name}';\nimport program from './program-${fileOf(name)}.mjs';\nawait program(api, assert);\n`,
          ]),
        ),
      },
      commands: () =>
        names.map((name) => ({
          label: `import of ${name} runs`,
          command: process.execPath,
          args: [`${fileOf(name)}.js`],
        })),
    },
    {
      kind: 'commonjs',
      manifest: { name: 'consumer-commonjs', private: true, type: 'commonjs' },
      files: {
        ...shared,
        ...Object.fromEntries(
          names.map((name) => [
            `${fileOf(name)}.js`,
            `const assert = require('node:assert/strict');\nconst api = require('${name}');\nconst program = require('./program-${fileOf(name)}.mjs').default;\nprogram(api, assert).catch((error) => { console.error(error); process.exitCode = 1; });\n`,
          ]),
        ),
      },
      commands: () =>
        names.map((name) => ({
          label: `require of ${name} runs`,
          command: process.execPath,
          args: [`${fileOf(name)}.js`],
        })),
    },
    {
      kind: 'typescript',
      needsTypes: true,
      manifest: { name: 'consumer-typescript', private: true, type: 'module' },
      files: {
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            module: 'nodenext',
            target: 'es2023',
            lib: ['es2024', 'esnext.disposable'],
            strict: true,
            skipLibCheck: false,
            types: ['node'],
            outDir: 'out',
          },
          include: ['*.mts'],
        }),
        ...Object.fromEntries([...typed].map(([name, text]) => [`${name}.mts`, text])),
      },
      commands: (root) => [
        {
          label: 'the typed programs compile',
          command: process.execPath,
          args: [join(root, 'node_modules/.bin/tsc'), '-p', '.'],
        },
        ...[...typed.keys()].map((name) => ({
          label: `typed program ${name} runs`,
          command: process.execPath,
          args: [`out/${name}.mjs`],
        })),
      ],
    },
    ...finders(),
    ...moduleSystems(),
    bundles(),
  ];
}

/** A page or program of a user that starts threads; `twice` comes from a data URL, so it needs no file. */
const POOL_PROGRAM = `
import { createWorkPool, map } from '@bootmem/padata';
const module = 'data:text/javascript,export const twice = (value) => 2 * value;';
export async function run() {
  const pool = createWorkPool({ threads: 2 });
  const results = await map(pool, [1, 2, 3], { module, name: 'twice' });
  await pool.close();
  return results.join();
}
`;
const expectResult = 'if ((await run()) !== "2,4,6") throw new Error("wrong result");';
const emitted = (folder) => `
import { readdirSync } from 'node:fs';
const files = readdirSync('${folder}', { recursive: true }).map(String);
if (!files.some((file) => /worker/.test(file) && file.endsWith('.js')) && files.filter((file) => file.endsWith('.js')).length < 2) {
  throw new Error('no worker file among ' + files.join(', '));
}
`;

/** Whether the worker entry of the installed padata is found by what people run and bundle with. */
function finders() {
  const node = process.execPath;
  return [
    {
      kind: 'tsx',
      manifest: { name: 'consumer-tsx', private: true, type: 'module' },
      files: {
        'pool.ts': POOL_PROGRAM,
        'main.ts': `import { run } from './pool.js';\nconst result: string = await run();\nif (result !== '2,4,6') throw new Error(result);\n`,
      },
      commands: (root) => [
        {
          label: 'threads start under tsx',
          command: node,
          args: [join(root, 'node_modules/tsx/dist/cli.mjs'), 'main.ts'],
        },
      ],
    },
    {
      kind: 'jest',
      manifest: {
        name: 'consumer-jest',
        private: true,
        type: 'module',
        jest: { transform: {}, testMatch: ['**/*.test.mjs'] },
      },
      files: {
        'pool.mjs': POOL_PROGRAM,
        'pool.test.mjs': `import { run } from './pool.mjs';\ntest('threads start under jest', async () => { ${expectResult} });\n`,
      },
      commands: (root) => [
        {
          label: 'threads start under jest',
          command: node,
          args: ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')],
        },
      ],
    },
    {
      kind: 'vite',
      manifest: { name: 'consumer-vite', private: true, type: 'module' },
      files: {
        'index.html': '<!doctype html><script type="module" src="/main.js"></script>',
        'pool.js': POOL_PROGRAM,
        'main.js': `import { run } from './pool.js';\nrun().then(console.log);\n`,
        'check.mjs': emitted('dist'),
      },
      commands: () => [
        {
          label: 'vite builds a page with a pool',
          command: node,
          args: [binOf('browser', 'vite'), 'build', '--logLevel', 'warn'],
        },
        { label: 'vite emits the worker file', command: node, args: ['check.mjs'] },
      ],
    },
    {
      kind: 'webpack',
      manifest: {
        name: 'consumer-webpack',
        private: true,
        type: 'module',
        devDependencies: { webpack: '^5.112.0' },
      },
      files: {
        'pool.js': POOL_PROGRAM,
        'main.js': `import { run } from './pool.js';\nrun().then(console.log);\n`,
        'build.mjs': `import webpack from 'webpack';
webpack({ mode: 'production', target: 'web', entry: './main.js', context: process.cwd() }, (error, stats) => {
  if (error ?? stats.hasErrors()) {
    console.error(error ?? stats.toString('errors-only'));
    process.exitCode = 1;
  }
});
`,
        'check.mjs': emitted('dist'),
      },
      commands: () => [
        { label: 'webpack builds a page with a pool', command: node, args: ['build.mjs'] },
        { label: 'webpack emits the worker file', command: node, args: ['check.mjs'] },
      ],
    },
  ];
}

/** Job functions in TypeScript, as three kinds of project write them. */
const TYPED_JOBS = `import type { JobContext } from '@bootmem/padata/worker';
import { currentWorker } from '@bootmem/padata/worker';
export function add(pair: { a: number; b: number }, ctx: JobContext<{ more: number }>): number {
  if (currentWorker() !== ctx.worker) throw new Error('two copies of the package');
  return pair.a + pair.b + ctx.shared.more;
}
`;

/** Projects whose module system is not that of the package. */
function moduleSystems() {
  const node = process.execPath;
  return [
    {
      kind: 'jest-commonjs',
      manifest: { name: 'consumer-jest-commonjs', private: true, type: 'commonjs' },
      files: {
        'jobs.js': 'exports.add = ({ a, b }) => a + b;\n',
        'pool.test.js': `const { PadataError, createWorkPool, map } = require('@bootmem/padata');
test('threads start under jest as it comes', async () => {
  const pool = createWorkPool({ threads: 2 });
  const fn = { module: require.resolve('./jobs.js'), name: 'add' };
  expect(await map(pool, [{ a: 1, b: 2 }, { a: 3, b: 4 }], fn)).toEqual([3, 7]);
  await expect(pool.run({ ...fn, name: 'none' }, 1)).rejects.toThrow(PadataError);
  await pool.close();
  const here = createWorkPool({ threads: 0 });
  expect(await here.run(fn, { a: 5, b: 6 })).toBe(11);
  await here.close();
});
`,
      },
      commands: (root) => [
        {
          label: 'threads start under jest in its default mode',
          command: node,
          args: [join(root, 'node_modules/jest/bin/jest.js')],
        },
      ],
    },
    {
      kind: 'cts',
      manifest: { name: 'consumer-cts', private: true, type: 'commonjs' },
      needsTypes: true,
      files: {
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            module: 'node16',
            target: 'es2022',
            lib: ['es2024', 'esnext.disposable'],
            strict: true,
            skipLibCheck: false,
            types: ['node'],
            outDir: 'out',
          },
          include: ['*.cts'],
        }),
        'jobs.cts': TYPED_JOBS,
        'main.cts': `import path = require('node:path');
import { PadataError, createWorkPool, functionRef, wrap } from '@bootmem/padata';
import type { Series, WorkPool, WorkPoolOptions } from '@bootmem/padata';
type Jobs = typeof import('./jobs.cjs');
const options: WorkPoolOptions = { threads: 1 };
const file = path.join(__dirname, 'jobs.cjs');
async function main(): Promise<void> {
  const pool: WorkPool = createWorkPool(options);
  const shared = { more: 10 };
  const sum: number = await wrap<Jobs>(pool, file, { shared }).add({ a: 1, b: 2 });
  const fn = functionRef<Jobs, 'add'>(file, 'add');
  const series: Series<Jobs['add']> = pool.series({ fn, shared });
  const other: number = await series.run({ a: 3, b: 4 });
  const imported = await import('@bootmem/padata');
  if (sum !== 13 || other !== 17 || imported.PadataError !== PadataError) throw new Error('wrong result');
  await pool.close();
}
main().catch((error: unknown) => { console.error(error); process.exitCode = 1; });
`,
      },
      commands: (root) => [
        {
          label: 'a .cts program compiles with module node16',
          command: node,
          args: [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'],
        },
        { label: 'a .cts program runs', command: node, args: ['out/main.cjs'] },
      ],
    },
    {
      kind: 'typescript-jobs',
      manifest: { name: 'consumer-typescript-jobs', private: true, type: 'module' },
      files: {
        'jobs.ts': TYPED_JOBS,
        'main.ts': `import { createWorkPool, wrap } from '@bootmem/padata';
type Jobs = typeof import('./jobs.js');
for (const name of ['./jobs.js', './jobs.ts']) {
  const pool = createWorkPool({ threads: 1 });
  const jobs = wrap<Jobs>(pool, new URL(name, import.meta.url), { shared: { more: 10 } });
  const sum: number = await jobs.add({ a: 1, b: 2 });
  if (sum !== 13) throw new Error(String(sum));
  await pool.close();
}
`,
      },
      commands: (root) => [
        {
          label: 'jobs in TypeScript load under tsx, by either name',
          command: node,
          args: [join(root, 'node_modules/tsx/dist/cli.mjs'), 'main.ts'],
        },
      ],
    },
  ];
}

/** The program of padata's page on bundles, by each bundler into each format. */
function bundles() {
  return {
    kind: 'bundles',
    manifest: { name: 'consumer-bundles', private: true, type: 'module' },
    files: filesOfPage(),
    commands: () =>
      BUNDLERS.flatMap((bundler) =>
        FORMATS.map((format) => ({
          label: `what ${bundler} makes of the guide's program (${format}) runs alone`,
          command: process.execPath,
          args: [fileURLToPath(new URL('bundle.mjs', import.meta.url)), bundler, format],
        })),
      ),
  };
}
