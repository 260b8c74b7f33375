/** Our own side of the comparison, behind the same face as the peers, plus the plain call on the calling thread. */
import { createWorkPool, type WorkPool } from '@bootmem/padata';
import type { Subject } from './peers.js';
import { burn } from './tasks.mjs';

export const jobsModule = new URL('./jobs.mjs', import.meta.url);

/** A task value of the peers, which says what to do in each value. */
export type TaskValue = number | { readonly kind: string; readonly [name: string]: unknown };

/** Opens a pool whose threads are up, without the benchmark's TypeScript loader in them. */
export async function openPool(threads: number): Promise<WorkPool> {
  const pool = createWorkPool({ threads, execArgv: [] });
  await pool.ready();
  return pool;
}

/** padata, one series; what a value means is fixed when the series is made, as a user would. */
export function bootmem(fn: string, window: number, shared?: unknown): Subject {
  return {
    name: 'bootmem',
    version: 'this checkout',
    async open(threads) {
      const pool = await openPool(threads);
      const series = pool.series({
        fn: { module: jobsModule, name: fn },
        window: Math.max(window, 2),
        ...(shared === undefined ? {} : { shared }),
      });
      await series.ready();
      return {
        run: (value) => series.run(value),
        close: async () => {
          await series.close();
          await pool.close();
        },
      };
    },
  };
}

/**
 * padata by its cheapest way: one callback for all jobs, called in order; it submits the next.
 * @param more nobody waits for a single result
 */
export function bootmemCallbacks(
  fn: string,
  window: number,
  shared?: unknown,
  more = false,
): Subject {
  return {
    name: more ? 'bootmem, callbacks, more' : 'bootmem, callbacks',
    version: 'this checkout',
    async open(threads) {
      const pool = await openPool(threads);
      const series = pool.series({
        fn: { module: jobsModule, name: fn },
        window: Math.max(window, 2),
        ...(shared === undefined ? {} : { shared }),
      });
      await series.ready();
      return {
        run: (value) => series.run(value),
        pump: (value, inFlight, until) =>
          new Promise((resolve, reject) => {
            let done = 0;
            let pending = 0;
            let going = true;
            const onDone = (error: unknown): void => {
              if (error !== undefined) reject(new Error('a job failed', { cause: error }));
              done += 1;
              if ((done & 255) === 0 && performance.now() >= until) going = false;
              if (going) {
                series.submit(value, onDone, undefined, more);
                return;
              }
              pending -= 1;
              if (pending === 0) resolve(done);
            };
            for (; pending < inFlight; pending += 1) series.submit(value, onDone, undefined, more);
          }),
        close: async () => {
          await series.close();
          await pool.close();
        },
      };
    },
  };
}

/** The same work without any pool. */
export const inline: Subject = {
  name: 'inline, no pool',
  version: process.version,
  open: () =>
    Promise.resolve({
      run: (value) => {
        const task = value as TaskValue;
        if (typeof task === 'number') return Promise.resolve(task + 1);
        if (task.kind === 'clone') return Promise.resolve({ ...task });
        return Promise.resolve(burn(task['steps'] as number));
      },
      close: () => Promise.resolve(),
    }),
};
