// inputBytes: 'copy': functions get bytes of their own, for APIs that refuse shared memory.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { SeriesOptions, WorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/bytes-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
afterEach(() => pool.close());

const series = (name: string, options: Partial<SeriesOptions<Any>> = {}) =>
  pool.series<Any>({ fn: { module, name }, ...options });

test.each(['submission', 'none'] as const)(
  'order %s: a view is shared memory, a copy is not',
  async (order) => {
    pool = createWorkPool({ threads: 2 });
    const bytes = new Uint8Array(100).fill(7);
    await using views = series('kindOf', { order });
    await using copies = series('kindOf', { order, inputBytes: 'copy' });
    expect(await views.run(bytes)).toBe('SharedArrayBuffer 100');
    expect(await copies.run(bytes)).toBe('ArrayBuffer 100');
    // Other values and bytes by message are what they were.
    expect(await copies.run('text')).toBe('none');
    expect(await copies.run(new Uint8Array(1_000_000))).toBe('ArrayBuffer 1000000');
  },
);

test('Web Crypto takes a copy, and refuses a view with an error that names the reason', async () => {
  pool = createWorkPool({ threads: 1 });
  await using copies = series('digest', { inputBytes: 'copy' });
  await using views = series('digest');
  const digest = await copies.run(new TextEncoder().encode('abc'));
  expect(
    Buffer.from(digest as Uint8Array)
      .toString('hex')
      .slice(0, 8),
  ).toBe('ba7816bf');
  await expect(views.run(new TextEncoder().encode('abc'))).rejects.toMatchObject({
    code: 'ERR_PADATA_JOB_FAILED',
    message: expect.stringContaining('SharedArrayBuffer'),
  });
});

test('a function may keep its copy: later jobs in the same slot change nothing of it', async () => {
  pool = createWorkPool({ threads: 1 });
  await using copies = series('keeps', { window: 1, inputBytes: 'copy' });
  for (let n = 0; n < 20; n += 1) await copies.run(new Uint8Array(64).fill(n));
  expect(await copies.run(null)).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test('in the calling thread too; another value for it is a mistake', async () => {
  pool = createWorkPool({ threads: 0 });
  await using copies = series('keeps', { inputBytes: 'copy', window: 1 });
  for (let n = 0; n < 3; n += 1) await copies.run(new Uint8Array(64).fill(n));
  expect(((await copies.run(null)) as number[]).slice(-3)).toEqual([0, 1, 2]);
  expect(() => series('keeps', { inputBytes: 'own' as 'copy' })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
});
