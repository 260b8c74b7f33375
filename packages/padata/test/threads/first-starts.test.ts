// The threads of a new pool: where there are more than processors for them, the first is there before the others start.
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { WorkPool, WorkPoolOptions } from '@bootmem/padata';
import { liveTime } from '../fixtures/live-time.js';

jest.unstable_mockModule('../../dist/base/host-time.js', () => liveTime);
const { createWorkPool } = await import('@bootmem/padata');
const { FirstStarts } = await import('../../dist/crew/first-starts.js');
const { platform } = await import('../../dist/worker/platform.node.js');

type Any = (input: unknown) => unknown;
const jobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const ranges = new URL('../fixtures/range-jobs.mjs', import.meta.url);

const cpus = (): number => availableParallelism();
const processors = (count: number): void => {
  platform.availableParallelism = () => count;
};
beforeAll(() => {
  processors(2);
});
afterAll(() => {
  platform.availableParallelism = cpus;
});

const started = (pool: WorkPool): number => pool.stats().workers.length;
/** Promises' reactions run; nothing that a thread says is heard. */
const tickEnds = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};
const withPool = async (
  options: WorkPoolOptions,
  use: (pool: WorkPool) => Promise<void>,
): Promise<void> => {
  const pool = createWorkPool(options);
  try {
    await use(pool);
  } finally {
    await pool.close();
  }
};

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [64, 3],
])('with %d processors %d of three threads start at once', async (count, some) => {
  processors(count);
  try {
    await withPool({ threads: 3 }, async (pool) => {
      expect(started(pool)).toBe(some);
      await tickEnds();
      expect(started(pool)).toBe(some);
      expect(pool.threads).toBe(3);
    });
  } finally {
    processors(2);
  }
});

test('one job needs one thread; when that is there the others follow, though nobody asks for them', async () => {
  await withPool({ threads: 3 }, async (pool) => {
    const ready: number[] = [];
    const counts: number[] = [];
    const all = new Promise<void>((resolve) => {
      pool.on('worker-ready', ({ worker }) => {
        ready.push(worker);
        counts.push(started(pool));
        if (ready.length === 3) resolve();
      });
    });
    const held = setInterval(() => undefined, 1000);
    const job = pool.run<Any>({ module: jobs, name: 'twice' }, 21);
    await tickEnds();
    expect(started(pool)).toBe(1);
    expect(await job).toBe(42);
    await all;
    clearInterval(held);
    expect(ready[0]).toBe(1);
    // Events are handled in between, so that what the first has done is delivered.
    expect(counts[0]).toBe(1);
    expect(pool.stats().ready).toBe(3);
  });
});

test.each<[string, (pool: WorkPool) => Promise<unknown>]>([
  ['ready', (pool) => pool.ready()],
  ['load', (pool) => pool.load({ module: jobs, name: 'twice' })],
  [
    'a second job that waits',
    (pool) => Promise.all([1, 2].map((n) => pool.run<Any>({ module: jobs, name: 'twice' }, n))),
  ],
  [
    'jobs of two functions',
    (pool) =>
      Promise.all(
        ['twice', 'bytes'].map((name) =>
          pool.run<Any>({ module: jobs, name }, new Uint8Array(1)).catch(() => undefined),
        ),
      ),
  ],
  [
    'a series that loads',
    (pool) => pool.series<Any>({ fn: { module: jobs, name: 'twice' } }).ready(),
  ],
  [
    'a range',
    (pool) =>
      pool.runMultithreaded({
        threadFn: { module: ranges, name: 'sum' },
        start: 0,
        size: 100,
        minChunk: 10,
      }),
  ],
])('all start when they are asked for: %s', async (_what, ask) => {
  await withPool({ threads: 3 }, async (pool) => {
    expect(started(pool)).toBe(1);
    const asked = ask(pool);
    await tickEnds();
    expect(started(pool)).toBe(3);
    await asked;
  });
});

test('a pool that closes before the first is there starts no other', async () => {
  const pool = createWorkPool({ threads: 3 });
  const ends: number[] = [];
  pool.on('worker-exit', ({ worker }) => ends.push(worker));
  const job = pool
    .run<Any>({ module: jobs, name: 'twice' }, 1)
    .catch((error: unknown) => (error as { code: string }).code);
  await pool.close();
  expect(await job).toBe('ERR_PADATA_CLOSED');
  expect(ends).toEqual([1]);
});

test('threads that are taken back before they start never do; those that are wanted besides wait with the others', async () => {
  await withPool({ threads: 4, capacity: 8 }, async (pool) => {
    pool.resize(6);
    expect(started(pool)).toBe(1);
    pool.resize(2);
    await pool.ready();
    expect(pool.stats().workers.map(({ worker }) => worker)).toEqual([1, 2]);
  });
});

test('a first thread that ends before it is there holds up nobody', async () => {
  const seen: boolean[] = [];
  await withPool(
    { threads: 2, execArgv: ['--import', `data:text/javascript,process.exit(3)`] },
    async (pool) => {
      const gone = new Promise<void>((resolve) => {
        pool.on('worker-exit', () => {
          seen.push(true);
          if (seen.length === 3) resolve();
        });
      });
      const held = setInterval(() => undefined, 1000);
      await gone;
      clearInterval(held);
      // It is done here then.
      expect(await pool.run<Any>({ module: jobs, name: 'twice' }, 4)).toBe(8);
    },
  );
});

/** Those of a crew that wants `wanted` threads, started whenever they may be. */
function crew(wanted: number) {
  const turns: (() => void)[] = [];
  const log: number[] = [];
  const first = new FirstStarts(2, {
    yieldToEvents: () => new Promise((resolve) => turns.push(resolve)),
    start: () => {
      begin();
    },
  });
  const begin = (): void => {
    while (log.length < wanted && first.mayStart()) log.push(log.length + 1);
  };
  begin();
  return { first, log, turn: () => turns.shift()?.() };
}

test('those that follow come one a turn of the event loop, however often it is said that they may', async () => {
  const { first, log, turn } = crew(4);
  expect(log).toEqual([1]);
  for (const count of [2, 3, 4, 4]) {
    void first.follow();
    turn();
    await tickEnds();
    expect(log).toHaveLength(count);
  }
  expect(first.isHolding).toBe(false);
  expect(first.mayStart()).toBe(true);
});

test('those that follow stop when all may start in between, or the pool closes', async () => {
  const { first, log, turn } = crew(4);
  void first.follow();
  turn();
  await tickEnds();
  expect(log).toHaveLength(2);
  expect(first.open()).toBe(true);
  expect(first.open()).toBe(false);
  turn();
  await tickEnds();
  expect(log).toHaveLength(2);
});

test('one that stands still while it boots holds up the others for ten seconds', () => {
  jest.useFakeTimers();
  try {
    const { log } = crew(3);
    jest.advanceTimersByTime(9999);
    expect(log).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(log).toHaveLength(3);
    expect(jest.getTimerCount()).toBe(0);
    const other = crew(3);
    other.first.open();
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
