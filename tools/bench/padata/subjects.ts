/** Our own side of the comparison, behind the same face as the peers, plus the plain call on the calling thread. */
import { createWorkPool, type WorkPool } from '@bootmem/padata';
import type { Deadline } from '../../kit/deadline.js';
import type { OpenSubject, Subject } from './peers.js';
import { burn } from './threads/tasks.mjs';

export const jobsModule = new URL('threads/jobs.mjs', import.meta.url);

/** A task value of the peers, which says what to do in each value. */
export type TaskValue = number | { readonly kind: string; readonly [name: string]: unknown };

/** Of a series whose maker asks for none. */
export const DEFAULT_WINDOW = 256;

/** How results are wanted: a promise each, by one callback, or by one that need not be called for each alone. */
export type Way = 'run' | 'submit' | 'submit with more';

/** What a series is made for. */
export interface SeriesSetting {
  /** An export of threads/jobs.mjs. */
  readonly fn: string;
  readonly window: number;
  readonly way: Way;
  readonly shared?: unknown;
}

/** Opens a pool whose threads are up, without the benchmark's TypeScript loader in them. */
export async function openPool(threads: number): Promise<WorkPool> {
  const pool = createWorkPool({ threads, execArgv: [] });
  await pool.ready();
  return pool;
}

/** One series of a pool as a subject. */
export async function openSeries(pool: WorkPool, setting: SeriesSetting): Promise<OpenSubject> {
  const { fn, window, way, shared } = setting;
  const series = pool.series({
    fn: { module: jobsModule, name: fn },
    window: Math.max(window, 2),
    ...(shared === undefined ? {} : { shared }),
  });
  await series.ready();
  const more = way === 'submit with more';
  const pump = (value: unknown, inFlight: number, deadline: Deadline): Promise<number> =>
    new Promise((resolve, reject) => {
      let done = 0;
      let pending = 0;
      // The last job says that none follows, else those before it are told when a timer is over.
      let lastIsOut = !more;
      const onDone = (error: unknown): void => {
        if (error !== undefined) reject(new Error('a job failed', { cause: error }));
        done += 1;
        const isOver = deadline.isOver;
        if (!isOver || !lastIsOut) {
          lastIsOut ||= isOver;
          series.submit(value, onDone, undefined, more && !isOver);
          return;
        }
        pending -= 1;
        if (pending === 0) resolve(done);
      };
      for (; pending < inFlight; pending += 1) series.submit(value, onDone, undefined, more);
    });
  return {
    run: (value) => series.run(value),
    close: () => series.close(),
    ...(way === 'run' ? {} : { pump }),
  };
}

const NAMES: Readonly<Record<Way, string>> = {
  run: 'bootmem',
  submit: 'bootmem, callbacks',
  'submit with more': 'bootmem, callbacks, more',
};

/** A pool with one series; what a value means is fixed when the series is made, as a user would. */
function ownSubject(setting: SeriesSetting): Subject {
  return {
    name: NAMES[setting.way],
    version: 'this checkout',
    async open(threads) {
      const pool = await openPool(threads);
      const subject = await openSeries(pool, setting);
      const close = async (): Promise<void> => {
        await subject.close();
        await pool.close();
      };
      return { ...subject, close };
    },
  };
}

/** A promise for each job, in order. */
export function bootmem(fn: string, window: number, shared?: unknown): Subject {
  return ownSubject({ fn, window, way: 'run', shared });
}

/**
 * By its cheapest way: one callback for all jobs, called in order; it submits the next.
 * @param more nobody waits for a single result
 */
export function bootmemCallbacks(
  fn: string,
  window: number,
  shared?: unknown,
  more = false,
): Subject {
  return ownSubject({ fn, window, way: more ? 'submit with more' : 'submit', shared });
}

/** Independent requests: a promise for each job, told when it is there. */
export function bootmemRequests(fn: string): Subject {
  return {
    name: 'bootmem, pool.run',
    version: 'this checkout',
    async open(threads) {
      const pool = await openPool(threads);
      const ref = { module: jobsModule, name: fn };
      await pool.load(ref);
      return { run: (value) => pool.run(ref, value), close: () => pool.close() };
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
