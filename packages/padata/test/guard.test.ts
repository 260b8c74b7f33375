// Results come together while many jobs wait; but a job that lasts keeps none that has ended before it.
import { afterAll, expect, test } from '@jest/globals';
import { createWorkPool } from '../dist/index.js';

const pool = createWorkPool({ threads: 1 });
afterAll(() => pool.close());
const fn = { module: new URL('fixtures/lasting-jobs.mjs', import.meta.url), name: 'job' };
const LASTS = -1;

test.each(['submission', 'none'] as const)(
  'what has ended is told while its thread is in a job that lasts, order %s',
  async (order) => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const series = pool.series({ fn, order, shared: gate, window: 64 });
    const short = (count: number): Promise<unknown>[] =>
      Array.from({ length: count }, (_, i) => series.run(i));
    // How long they take is known then, so the owner awaits a later one than the next.
    await Promise.all(short(64));
    for (let round = 0; round < 20; round += 1) {
      Atomics.store(gate, 0, 0);
      const before = short(8);
      const lasting = series.run(LASTS);
      const behind = short(40);
      // Were this result told with the one that is awaited, the gate would stay shut for ever.
      await before[0];
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      expect(await Promise.all(before)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await lasting).toBe(LASTS);
      expect(await Promise.all(behind)).toHaveLength(40);
    }
    await series.close();
  },
);
