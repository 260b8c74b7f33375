// `npm run lint`. The packages are in a project of their own, tools/envs/lint.
import { createRequire } from 'node:module';

const require = createRequire(new URL('./tools/envs/lint/package.json', import.meta.url));
const js = require('@eslint/js');
const { defineConfig, globalIgnores } = require('eslint/config');
const tseslint = require('typescript-eslint');

const nodeGlobals = Object.fromEntries(
  [
    'console',
    'globalThis',
    'process',
    'URL',
    'SharedArrayBuffer',
    'Atomics',
    'Buffer',
    'performance',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'fetch',
    'AbortController',
    'AbortSignal',
    'WebAssembly',
    'TextDecoder',
    'TextEncoder',
    'structuredClone',
    'queueMicrotask',
    'Worker',
    'self',
    'document',
    'window',
    'postMessage',
    'navigator',
  ].map((name) => [name, 'readonly']),
);

export default defineConfig(
  globalIgnores([
    '**/dist/',
    '**/coverage/',
    '.nx/',
    '**/generated/',
    'docs/.vitepress/',
    'docs/.site/',
  ]),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Typed-array reads are `number | undefined` under noUncheckedIndexedAccess; `!` there is the one allowed use.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
    },
  },
  {
    // Fake timers of a program under test stop whatever takes these at the moment of use.
    files: ['packages/padata/src/**/*.ts'],
    ignores: ['**/base/host-time.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'queueMicrotask',
          'performance',
        ].map((name) => ({ name, message: 'Take it from base/host-time.' })),
      ],
    },
  },
  { files: ['**/*.{js,mjs,cjs}'], languageOptions: { globals: nodeGlobals } },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'readonly',
        __dirname: 'readonly',
        __filename: 'readonly',
      },
    },
  },
);
