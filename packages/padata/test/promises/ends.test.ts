// What came out when everything was done to a pool at once (`npm run soak -- padata-hostile`): ends that were not found,
// threads and turns that were waited for in vain.
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { createWorkPool } from '@bootmem/padata';
import type { ErrorPolicy, WorkPool } from '@bootmem/padata';

type Any = (input: unknown) => unknown;
const jobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const pending = new URL('../fixtures/pending-jobs.mjs', import.meta.url);
const ranges = new URL('../fixtures/range-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

async function gather(results: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const result of results) all.push(result);
  return all;
}

// The end of the source is found when there is room again, and nothing else may be under way then.
const ENDS: [ErrorPolicy, number[], number[] | string][] = [
  ['throw', [2, 4, 6], [2, 4, 6]],
  ['skip', [2, 4, 1], [2, 4]],
  ['skip', [1, 3, 5], []],
  ['collect', [2, 1], '1 items failed'],
  ['collect', [1, 3], '2 items failed'],
  ['throw', [], []],
];
test.each(ENDS.flatMap((row) => [0, 1].map((threads) => [threads, ...row] as const)))(
  '%i threads, map (%s) of %j in a window of one ends with %j',
  async (threads, errors, items, wanted) => {
    await using pool = createWorkPool({ threads });
    for (const window of [1, 2]) {
      await using series = pool.series<Any>({ fn: { module: jobs, name: 'failOdd' }, window });
      const all = gather(series.map(items, { errors }));
      if (typeof wanted === 'string') await expect(all).rejects.toThrow(wanted);
      else expect(await all).toEqual(wanted);
    }
  },
);

test.each([
  ['leaving', 'closes a pool whose thread cannot leave'],
  ['closed', 'has ended jobs of the calling thread that nobody had begun, and closes the pool'],
  ['open', 'has ended jobs of the calling thread that nobody had begun'],
  ['limited', 'has the outcomes of calls whose limits are far away'],
  ['timeout', 'waits for a job of the calling thread that only AbortSignal.timeout ends'],
  ['shrunk', 'waits for such a job of a pool that has no threads any more'],
])('%s: a program that %s ends by itself, and not before', (what) => {
  const program = fileURLToPath(new URL('../fixtures/programs/ends.mjs', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [program, what], {
    encoding: 'utf8',
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  expect([status, stdout]).toEqual([0, 'over\n']);
});

test.each([0, 1])(
  'promises that were given up take nobody a place, in the caller neither (%i threads)',
  async (threads) => {
    await using pool = createWorkPool({ threads });
    const series = pool.series<Any>({
      fn: { module: pending, name: 'mixed' },
      pendingPerThread: 2,
      graceMs: 0,
    });
    const reason = new Error('enough');
    for (let round = 0; round < 4; round += 1) {
      const controls = range(4).map(() => new AbortController());
      const never = controls.map(({ signal }) => series.run(-1, { signal }));
      const good = range(8).map((n) => series.run(n));
      for (const control of controls)
        setTimeout(() => {
          control.abort(reason);
        }, 1);
      for (const job of never) await expect(job).rejects.toBe(reason);
      expect(await Promise.all(good)).toEqual(range(8));
    }
    await series.close();
  },
);

/** A chunk of the calling thread's has come to where it is to be aborted. */
function whenItAborts(abort: () => void): () => void {
  subscribe('range-jobs:abort', abort);
  return () => unsubscribe('range-jobs:abort', abort);
}

/** A range job of `later`, whose chunks wait, and `undo`, which marks what it undoes. */
async function aborted(pool: WorkPool, maxThreads: number) {
  const marks = new Int32Array(new SharedArrayBuffer(4 * 40));
  const undone = new Int32Array(new SharedArrayBuffer(4 * 40));
  const control = new AbortController();
  const reason = new Error('enough');
  const stop = whenItAborts(() => {
    control.abort(reason);
  });
  const job = pool.runMultithreaded({
    threadFn: { module: ranges, name: 'abortsItself' },
    undoFn: { module: ranges, name: 'undo' },
    arg: { marks, undone: undone.buffer },
    start: 0,
    size: 40,
    maxThreads,
    signal: control.signal,
  });
  await expect(job).rejects.toBe(reason);
  stop();
  expect([...undone]).toEqual([...marks]);
  return marks.reduce((sum, n) => sum + n);
}
test('a range that is aborted in its last chunk is undone and rejects, however it is run', async () => {
  await using none = createWorkPool({ threads: 0 });
  // One call for all units; chunks in the caller.
  expect(await aborted(none, 1)).toBe(40);
  await using pool = createWorkPool({ threads: 1, works: 0 });
  expect(await aborted(pool, 2)).toBe(40);
});
test('a function that fails after the abort of its range has failed', async () => {
  await using pool = createWorkPool({ threads: 0 });
  const control = new AbortController();
  const stop = whenItAborts(() => {
    control.abort(new Error('enough'));
  });
  const job = pool.runMultithreaded({
    threadFn: { module: ranges, name: 'abortsAndFails' },
    start: 0,
    size: 4,
    signal: control.signal,
  });
  await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_CHUNK_FAILED' });
  stop();
});

test.each([
  ['closed', 'ERR_PADATA_CLOSED'],
  ['aborted', 'E_GIVEN_UP'],
  ['given what cannot be cloned', 'ERR_PADATA_CLONE'],
])(
  'a Web pair whose series is %s: who reads hears of it as who writes does',
  async (what, code) => {
    await using pool = createWorkPool({ threads: 1 });
    const series = pool.series<Any>({ fn: { module: jobs, name: 'same' } });
    const { readable, writable } = series.transform();
    const [reader, writer] = [readable.getReader(), writable.getWriter()];
    await writer.write(1);
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    if (what === 'closed') await series.close();
    if (what === 'aborted') series.abort(Object.assign(new Error('why'), { code: 'E_GIVEN_UP' }));
    const bites = Object.defineProperty({}, 'x', {
      enumerable: true,
      get() {
        throw new Error('bites');
      },
    });
    const read = reader.read();
    await expect(writer.write(bites)).rejects.toMatchObject({ code });
    await expect(read).rejects.toMatchObject({ code });
  },
);

test('a source that throws nothing at all has failed, after what it gave before', async () => {
  await using pool = createWorkPool({ threads: 1 });
  await using series = pool.series<Any>({ fn: { module: jobs, name: 'same' } });
  const nothing = undefined as unknown as Error;
  const sources = [
    (function* () {
      yield 1;
      throw nothing;
    })(),
    (async function* () {
      yield await Promise.resolve(1);
      throw nothing;
    })(),
  ];
  for (const source of sources) {
    const given: unknown[] = [];
    const failed = (async () => {
      for await (const value of series.map(source)) given.push(value);
      return 'no failure';
    })().catch((error: unknown) => [error]);
    expect(await failed).toEqual([undefined]);
    expect(given).toEqual([1]);
  }
});

test('a stream over a series that is aborted with null ends with an error', async () => {
  await using pool = createWorkPool({ threads: 1 });
  const series = pool.series<Any>({ fn: { module: pending, name: 'mixed' }, graceMs: 1 });
  const stream = series.duplex();
  const error = new Promise((resolve) => stream.on('error', resolve));
  stream.write(-1);
  series.abort(null);
  expect(await error).toMatchObject({ name: 'AbortError' });
  await series.close();
});

test('what still has to be loaded when its pool is closed ends as closed', async () => {
  const pool = createWorkPool({ threads: 2 });
  const ref = { module: ranges, name: 'count' };
  const asked = [
    pool.prepareRange({ threadFn: ref }),
    pool.load(ref),
    pool.ready(),
    pool.series({ fn: ref }).ready(),
  ];
  const codes = asked.map((promise) => (promise as Promise<unknown>).catch((e: unknown) => e));
  await pool.close();
  const closed = expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }) as unknown;
  expect(await Promise.all(codes)).toEqual([closed, closed, closed, closed]);
});

test.each(['job', 'series'])(
  'a %s that is aborted while its function runs, which then leaves the completion to nobody, ends',
  async (what) => {
    await using pool = createWorkPool({ threads: 1 });
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const s = pool.series<Any>({ fn: { module: jobs, name: 'defersWhenTold' }, shared });
    const control = new AbortController();
    const job = s.run(0, { signal: control.signal });
    const reason = new Error('enough');
    const ended = expect(job).rejects.toBe(reason);
    while (Atomics.load(shared, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (what === 'job') control.abort(reason);
    else s.abort(reason);
    Atomics.store(shared, 1, 1);
    await ended;
    await s.drain();
    expect(s.stats()).toMatchObject({ delivered: 1, failed: 1, inFlight: 0 });
  },
);
