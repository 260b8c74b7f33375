// The three kinds of project that install the packages. Every program in ./programs is one real use of one
// package: `export default async (api, assert) => …`. ESM imports the package, CommonJS requires it, and the
// TypeScript project type-checks a typed use of each before running it.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

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
          args: [join(root, 'node_modules/@typescript/native/bin/tsc'), '-p', '.'],
        },
        ...[...typed.keys()].map((name) => ({
          label: `typed program ${name} runs`,
          command: process.execPath,
          args: [`out/${name}.mjs`],
        })),
      ],
    },
  ];
}
