// Threads whose built-in prototypes are frozen: an assignment makes no property there that all objects have.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/frozen-jobs.mjs', import.meta.url);
let pool: WorkPool;
afterEach(() => pool.close());

const makePool = (): WorkPool =>
  (pool = createWorkPool({ threads: 1, execArgv: ['--frozen-intrinsics'] }));
const run = (name: string, input?: unknown): Promise<unknown> =>
  pool.run<(value: unknown) => unknown>({ module, name }, input);

test('inputs and results with names that all objects have', async () => {
  makePool();
  const value: object[] = [{ constructor: 1, toString: 'text' }, { bytes: Uint8Array.of(1) }];
  expect(await run('same', value)).toStrictEqual(value);
  expect(await run('isFrozen')).toBe(true);
});

test('errors with such fields, and errors of the library', async () => {
  makePool();
  await expect(run('fails')).rejects.toMatchObject({
    code: 'ERR_PADATA_JOB_FAILED',
    cause: { message: 'a mistake', valueOf: 1 },
  });
  await expect(run('unclonable')).rejects.toMatchObject({
    name: 'PadataError',
    code: 'ERR_PADATA_CLONE',
  });
});
