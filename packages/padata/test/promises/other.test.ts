// Promises that are not the platform's, in its place: functions may return either.
import { expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/other-promises.mjs', import.meta.url);

test('a job module may put other promises in the place of its thread’s', async () => {
  await using pool = createWorkPool({ threads: 1 });
  const run = (name: string): Promise<unknown> => pool.run({ module, name }, 1);
  expect(await run('kind')).toBe('Other');
  expect([await run('plain'), await run('waits'), await run('other')]).toEqual([2, 3, 4]);
  await expect(run('fails')).rejects.toMatchObject({
    code: 'ERR_PADATA_JOB_FAILED',
    message: 'no',
  });
});
