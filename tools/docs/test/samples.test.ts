/**
 * Every code sample in the documentation runs. A fence tagged `ts` or `js` is a program of its own; one tagged
 * `no-run` is a fragment and must say so. Samples import the packages by name, as a reader would.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documents, root } from '../pages.mjs';

const folder = join(root, 'tools/docs/.samples');
const FENCE = /^```(ts|js)[ \t]*([^\n]*)\n([\s\S]*?)^```/gm;

const samples = documents().flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(FENCE)]
    .filter(([, , info]) => !info!.includes('no-run'))
    .map(([whole, language, , code], index) => ({
      name: `${file} sample ${index + 1}: ${whole.split('\n').find((line) => line.trim() !== '' && !line.startsWith('```')) ?? ''}`,
      path: join(
        folder,
        `${file.replaceAll(/[^a-z0-9]+/gi, '-')}-${index + 1}.${language === 'ts' ? 'mts' : 'mjs'}`,
      ),
      code: code!,
    })),
);

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('documentation samples', () => {
  test('there are samples', () => {
    expect(samples.length).toBeGreaterThan(0);
  });
  test.each(samples)('$name', ({ path, code }) => {
    writeFileSync(path, code);
    const run = spawnSync(
      process.execPath,
      [
        '--no-warnings=ExperimentalWarning',
        '--import',
        new URL('../../ts-loader.mjs', import.meta.url).href,
        path,
      ],
      { cwd: root, encoding: 'utf8', timeout: 60_000 },
    );
    expect({ status: run.status, signal: run.signal, stderr: run.stderr }).toEqual({
      status: 0,
      signal: null,
      stderr: '',
    });
  });
});
