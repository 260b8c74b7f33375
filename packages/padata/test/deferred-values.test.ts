// What a deferred job is completed with: its own bytes and no others, and whatever is refused leaves the job waiting.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/deferred-values.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
afterEach(() => pool.close());

describe.each([
  ['as it was given', false],
  ['that has come by message', true],
])('by a handle %s', (_, isClone) => {
  async function complete(name: string): Promise<unknown> {
    pool = createWorkPool({ threads: 1 });
    await pool.series<Any>({ fn: { module, name: 'keep' } }).run(Uint8Array.of(7, 7, 7, 7));
    const series = pool.series<Any>({
      fn: { module, name: 'completes' },
      shared: { name, isClone },
      outputBytes: () => 1024,
    });
    // The first slot has nothing in front of it.
    await series.run(Uint8Array.of(9, 9, 9, 9));
    return await series.run(Uint8Array.of(1, 2, 3, 4));
  }

  test.each([
    ['input', Uint8Array.of(1, 2, 3, 4)],
    ['part', Uint8Array.of(2, 3)],
    ['inside', { list: [Uint8Array.of(2, 3)] }],
    ['doubles', new Float64Array([1.5, -0])],
  ])('%s is its result', async (name, expected) => {
    expect(await complete(name)).toEqual(expected);
  });

  test.each([
    ['allBytes', "were not the job's"],
    ['allInside', "were not the job's"],
    ['before', "were not the job's"],
    ['keptView', "were not the job's"],
    ['keptInside', "were not the job's"],
    ['data', 'more than a slot takes'],
    ['gone', 'more than a slot takes'],
    ['goneInside', 'more than a slot takes'],
    ['map', 'more than a slot takes'],
    ['bigint', 'more than a slot takes'],
    ['fn', 'more than a slot takes'],
    ['long', 'does not fit the 1024 bytes'],
    ['longBytes', 'does not fit the 1024 bytes'],
  ])('%s is refused, and the job still waits', async (name, message) => {
    expect(await complete(name)).toEqual({
      code: 'ERR_PADATA_CLONE',
      message: expect.stringContaining(message) as unknown,
    });
  });
});
