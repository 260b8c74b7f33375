import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

// Tests run against the built `dist` of every package, in ESM mode, so that what is tested is what
// is published and worker files are found the way users find them.
export default {
  injectGlobals: false,
  testEnvironment: at('./tools/jest-environment-threads.cjs'),
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      },
    ],
  },
  // A second package of the same name: what is laid out for a release.
  modulePathIgnorePatterns: ['<rootDir>/dist/package/'],
  // Relative imports of TypeScript helpers are written with .js, as Node wants them after a build.
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
    '^fast-check$': at('./tools/seeded-fast-check.mjs'),
  },
  testTimeout: 300_000,
};
