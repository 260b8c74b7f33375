// Getters of an input that end what the input is for, while it is taken in: its job ends all the same.
import { expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { Series, WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/view-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;

/** The outcomes of a job whose input does this while it is read, and of what it does. */
async function outcomes(
  order: 'submission' | 'none',
  act: (pool: WorkPool, series: Series<Any>) => Promise<void>,
): Promise<readonly unknown[]> {
  const pool = createWorkPool({ threads: 1 });
  const series = pool.series<Any>({ fn: { module, name: 'same' }, order });
  await series.run(0);
  let acted: Promise<void> | undefined;
  const input = {
    get ends() {
      acted = act(pool, series);
      return 1;
    },
  };
  const told = await series.run(input).catch((error: unknown) => error);
  await acted;
  await series.close().catch(() => undefined);
  await pool.close();
  return [told, acted !== undefined];
}

test.each(['submission', 'none'] as const)('order %s: the series is closed', async (order) => {
  const seen = await outcomes(order, (_pool, series) => series.close());
  expect(seen).toEqual([{ ends: 1 }, true]);
});

test.each(['submission', 'none'] as const)('order %s: the pool is closed', async (order) => {
  const [told, acted] = await outcomes(order, (pool) => pool.close());
  expect(told).toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  expect(acted).toBe(true);
});
