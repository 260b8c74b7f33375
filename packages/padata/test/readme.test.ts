// The README's tables are complete: every error code, every option of every public function.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const readme = text('README.md');

test('the README lists exactly the error codes that there are', () => {
  const declared = [...text('src/base/errors.ts').matchAll(/^ {2}\| '(ERR_PADATA_\w+)'/gm)];
  const codes = declared.map(([, code]) => code!).sort();
  expect(codes.length).toBeGreaterThan(10);
  const listed = [...readme.matchAll(/^\| `(ERR_PADATA_\w+)` \|/gm)].map(([, code]) => code!);
  expect(listed.sort()).toEqual(codes);
});

/** Names of the fields of an exported interface. */
function fieldsOf(file: string, name: string): string[] {
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{([\\s\\S]*?)^\\}`, 'm').exec(
    text(file),
  );
  return [...body![1]!.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, field]) => field!);
}

test.each([
  ['src/pool/pool-options.ts', 'WorkPoolOptions'],
  ['src/pool/pool-types.ts', 'WorkPoolStats'],
  ['src/series/series-types.ts', 'SeriesOptions'],
  ['src/series/series-types.ts', 'JobOptions'],
  ['src/series/series-types.ts', 'MapOptions'],
  ['src/range/range-types.ts', 'RangeJobOptions'],
  ['src/range/range-types.ts', 'RangeRun'],
  ['src/range/range-types.ts', 'MultithreadedJob'],
  ['src/range/range-types.ts', 'RangeResult'],
  ['src/range/range-types.ts', 'PreparedRange'],
  ['src/kernel/padata.ts', 'PadataOptions'],
  ['src/kernel/padata-shell.ts', 'ShellOptions'],
  ['src/kernel/padata-shell.ts', 'PadataJob'],
])('the README names every field of %s %s', (file, name) => {
  const fields = fieldsOf(file, name);
  expect(fields.length).toBeGreaterThan(0);
  expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(readme))).toEqual([]);
});

test('the README names everything that the entries export as a value', async () => {
  const missing: string[] = [];
  for (const entry of [
    '@bootmem/padata',
    '@bootmem/padata/worker',
    '@bootmem/padata/kernel',
    '@bootmem/padata/testing',
  ]) {
    const names = Object.keys((await import(entry)) as object);
    missing.push(...names.filter((name) => !readme.includes(name)));
  }
  // Classes behind the factories, and limits.
  expect(missing.filter((name) => !/^[A-Z]/.test(name))).toEqual([]);
});
