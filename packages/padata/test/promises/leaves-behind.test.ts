// Modules that end their threads by what they leave behind for right after: every promise settles, and says whose fault it is.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '../../dist/index.js';
import type { WorkPool } from '../../dist/index.js';

const moduleThat = (way: string): URL =>
  new URL(`../fixtures/leaves-behind.mjs?${encodeURIComponent(way)}`, import.meta.url);
const plain = { module: moduleThat('nothing'), name: 'same' };

let pool: WorkPool | undefined;
afterEach(() => pool?.close());

const WAYS = [
  'a tick that exits',
  'a tick that throws',
  'an immediate that exits',
  'a promise that is rejected',
  'no Promise',
  'no Math',
];

test.each(WAYS)(
  'a module that leaves behind %s is given up, others are not',
  async (way) => {
    pool = createWorkPool({ threads: 1 });
    const refused = { code: 'ERR_PADATA_MODULE', details: { module: moduleThat(way).href } };
    const run = pool.run({ module: moduleThat(way), name: 'same' }, 1);
    await expect(run).rejects.toMatchObject(refused);
    expect(await pool.run(plain, 2)).toBe(2);
  },
  30_000,
);

test.each(WAYS)(
  'a set-up that leaves behind %s is the one that failed',
  async (way) => {
    pool = createWorkPool({ threads: 1, setup: { ...plain, name: 'setup' }, setupArg: way });
    await expect(pool.run(plain, 2)).rejects.toMatchObject({ code: 'ERR_PADATA_SETUP' });
  },
  30_000,
);
