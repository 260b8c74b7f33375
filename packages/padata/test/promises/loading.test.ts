// Modules that do not simply load: they end the threads that import them, await themselves, make pools. Nothing hangs,
// nothing else is harmed.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

type Any = (input: unknown) => unknown;
const module = new URL('../fixtures/exits-at-load.mjs', import.meta.url);
const good = { module: new URL('../fixtures/series-jobs.mjs', import.meta.url), name: 'same' };
const bad = { module, name: 'same' };
const loadedHere = Symbol.for('padata test: loaded in the main thread');
let folder: string;
let pool: WorkPool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'padata-'));
});
afterEach(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

/** The module as one that ends the first `times` threads. */
const exitsFirst = (times: number, name = 'same') => {
  const url = new URL(module);
  url.searchParams.set('times', `${times}`);
  url.searchParams.set('file', join(folder, 'imports'));
  return { module: url, name };
};

test.each([1, 2, 4])(
  'a module that ends its thread while it loads: its series fails, others go on (%i threads)',
  async (threads) => {
    pool = createWorkPool({ threads });
    const errors: unknown[] = [];
    pool.on('error', ({ error }) => errors.push(error.code));
    const exits: unknown[] = [];
    pool.on('worker-exit', ({ expected }) => exits.push(expected));
    const dying = pool.series<Any>({ fn: bad });
    const healthy = pool.series<Any>({ fn: good });
    const jobs = [1, new Map([[1, 2]])].map((input) => dying.run(input));
    const others = [1, new Map([[1, 2]])].map((input) => healthy.run(input));
    for (const job of jobs) {
      await expect(job).rejects.toMatchObject({
        code: 'ERR_PADATA_MODULE',
        details: { module: module.href, exitCode: 9 },
      });
    }
    expect(await Promise.all(others)).toEqual([1, new Map([[1, 2]])]);
    expect(pool.stats().deaths).toBeLessThanOrEqual(4 * threads);
    expect(errors).toEqual(['ERR_PADATA_MODULE']);
    expect(new Set(exits)).toEqual(new Set([false]));
    await expect(dying.run(3)).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
    await pool.ready();
    expect(await healthy.run(4)).toBe(4);
    expect(loadedHere in globalThis).toBe(false);
  },
);

test('a job that comes when its module has been given up is refused at once; those before it settle in order', async () => {
  pool = createWorkPool({ threads: 1 });
  const series = pool.series<Any>({ fn: bad });
  const settled: string[] = [];
  const run = (name: string) => {
    const job = series.run(name);
    job.catch((error: unknown) => settled.push(`${name} ${(error as { code: string }).code}`));
    return job;
  };
  // The event comes between the end of all accepted jobs and their delivery.
  const given = new Promise<void>((resolve) => {
    pool.on('error', () => {
      expect(series.stats()).toMatchObject({ submitted: 3, delivered: 0 });
      run('late').catch(() => undefined);
      expect(() => series.submit('later', () => settled.push('later'))).toThrow();
      expect(series.stats()).toMatchObject({ submitted: 3, delivered: 0 });
      resolve();
    });
  });
  const jobs = ['first', 'second', 'third'].map(run);
  await given;
  await Promise.allSettled(jobs);
  const code = 'ERR_PADATA_MODULE';
  expect(settled).toEqual(['late', 'first', 'second', 'third'].map((name) => `${name} ${code}`));
  expect(series.stats()).toMatchObject({ submitted: 3, delivered: 3, failed: 3 });
});

test.each([
  ['ends its threads', bad],
  ['does not exist', { module: new URL('../fixtures/none.mjs', import.meta.url), name: 'same' }],
])(
  'a module that %s: jobs that wait outside the window end too, and so does the series',
  async (_what, fn) => {
    for (const threads of [0, 2]) {
      if (threads === 0 && fn === bad) continue;
      pool = createWorkPool({ threads });
      const series = pool.series<Any>({ fn, window: 2 });
      const jobs = Array.from({ length: 9 }, (_, i) => series.run(i % 2 === 0 ? i : new Map()));
      for (const job of jobs)
        await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
      expect(series.stats()).toMatchObject({ failed: 9, inFlight: 0, overflow: 0 });
      await series.close();
      await pool.close();
    }
  },
);

test('a series made after that costs one more try, not the pool', async () => {
  pool = createWorkPool({ threads: 1 });
  for (let i = 0; i < 3; i += 1) {
    await expect(pool.series<Any>({ fn: bad }).run(1)).rejects.toMatchObject({
      code: 'ERR_PADATA_MODULE',
    });
  }
  await pool.ready();
  const before = pool.stats().deaths;
  await expect(pool.series<Any>({ fn: bad }).run(1)).rejects.toMatchObject({
    code: 'ERR_PADATA_MODULE',
  });
  expect(pool.stats().deaths - before).toBe(1);
  expect(await pool.series<Any>({ fn: good }).run(1)).toBe(1);
});

test.each([1, 2])(
  'a module that ends its first %i threads and then loads: all jobs run',
  async (n) => {
    pool = createWorkPool({ threads: 1 });
    const series = pool.series<Any>({ fn: exitsFirst(n) });
    expect(await Promise.all([1, 2, new Map()].map((i) => series.run(i)))).toEqual([
      1,
      2,
      new Map(),
    ]);
    expect(pool.stats().deaths).toBe(n);
  },
);

test.each([1, 2])(
  'a module that takes more memory than its thread may have, while it loads: the same, and others go on (%i threads)',
  async (threads) => {
    pool = createWorkPool({ threads, resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const errors: unknown[] = [];
    pool.on('error', ({ error }) => errors.push(error.code));
    const url = `data:text/javascript,${encodeURIComponent(`
      import { isMainThread } from 'node:worker_threads';
      const hog = [];
      while (!isMainThread) hog.push(new Array(10_000).fill(hog.length));
      export const same = (n) => n;`)}`;
    const outgrown = pool.series<Any>({ fn: { module: url, name: 'same' }, window: 2 });
    const healthy = pool.series<Any>({ fn: good });
    const jobs = [1, new Map(), 3, 4, 5].map((input) => outgrown.run(input));
    const others = [1, new Map([[1, 2]])].map((input) => healthy.run(input));
    for (const job of jobs) {
      await expect(job).rejects.toMatchObject({
        code: 'ERR_PADATA_MODULE',
        details: { module: url, deaths: 3 },
        cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' },
      });
    }
    expect(await Promise.all(others)).toEqual([1, new Map([[1, 2]])]);
    expect(pool.stats().deaths).toBeLessThanOrEqual(4 * threads);
    expect(errors).toEqual(['ERR_PADATA_MODULE']);
    await pool.ready();
    expect(await healthy.run(4)).toBe(4);
  },
);

test('load of such a module says so and leaves the caller alone; a range job runs without helpers', async () => {
  pool = createWorkPool({ threads: 2 });
  await expect(pool.load(bad)).rejects.toMatchObject({ code: expect.stringMatching('ERR_PADATA') });
  expect(loadedHere in globalThis).toBe(false);
  const marks = new SharedArrayBuffer(4 * 100);
  const threadFn = exitsFirst(1e9, 'mark');
  await pool.runMultithreaded({ threadFn, arg: { marks }, start: 0, size: 100 });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  Reflect.deleteProperty(globalThis, loadedHere);
});

const program = async (name: string) => {
  const file = fileURLToPath(new URL(`../fixtures/programs/${name}.mjs`, import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
  return { said: JSON.parse(stdout) as Record<string, unknown>, stderr };
};

test('a program that is its own job module and awaits at its top level gets its results', async () => {
  pool = createWorkPool({ threads: 0 });
  const { said } = await program('own-module');
  const refused = ['ERR_PADATA_MODULE', expect.stringContaining('top level')];
  expect(said).toEqual({
    run: 9,
    map: [1, 4, 9],
    range: [1000, false],
    single: 1,
    prepared: 500,
    shell: 16,
    load: refused,
    alone: refused,
    aloneRange: refused,
  });
  expect((said['load'] as string[])[1]).toContain('own-module.mjs');
});

test('a pool made by a module that a worker imports is refused: no pools in pools without end', async () => {
  pool = createWorkPool({ threads: 0 });
  const { said, stderr } = await program('pools-in-pools');
  expect(said).toEqual(['ERR_PADATA_MODULE', expect.stringContaining('isMainThread')]);
  // The main thread and two workers, each once.
  expect(stderr.match(/makes a pool/g)!.length).toBeLessThanOrEqual(3);
});

test('a job may make a pool of its own, at once or later', async () => {
  pool = createWorkPool({ threads: 1 });
  const nested = new URL('../fixtures/nested-jobs.mjs', import.meta.url);
  for (const name of ['ownPool', 'ownPoolLater']) {
    const series = pool.series<Any>({ fn: { module: nested, name } });
    expect(await series.run(5)).toBe(25);
  }
});

test('a job that comes before its module may make a pool too, while the thread imports another module', async () => {
  pool = createWorkPool({ threads: 1 });
  await pool.ready();
  const slow = new URL('../fixtures/waits-at-load.mjs', import.meta.url);
  const parameters = { begun: join(folder, 'begun'), go: join(folder, 'go') };
  slow.search = new URLSearchParams(parameters).toString();
  pool.series<Any>({ fn: { module: slow, name: 'same' } });
  const nested = new URL('../fixtures/nested-jobs.mjs', import.meta.url);
  const series = pool.series<Any>({ fn: { module: nested, name: 'ownPool' } });
  // By message, so it is in the thread before the module is.
  expect(await series.run(5, { transfer: [new ArrayBuffer(1)] })).toBe(25);
});

test.each(['fails', 'is aborted'])(
  'of a range that %s what helpers have completed is undone when the functions are here, however late that is',
  async (how) => {
    pool = createWorkPool({ threads: 1 });
    const module = new URL(`../fixtures/undo-late.mjs?${how.length}`, import.meta.url);
    const marks = new Int32Array(new SharedArrayBuffer(4 * 100));
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const control = new AbortController();
    let go!: () => void;
    const key = Symbol.for('padata test: undo may come');
    (globalThis as Record<symbol, unknown>)[key] = new Promise<void>((resolve) => (go = resolve));
    const range = pool.runMultithreaded({
      threadFn: { module, name: 'chunk' },
      undoFn: { module, name: 'undo' },
      start: 0,
      size: 100,
      minChunk: 10,
      maxThreads: 2,
      signal: control.signal,
      arg: { marks, gate, fails: how === 'fails' },
    });
    const ended = range.then(
      () => 'done',
      (error: unknown) => (error as Error).name,
    );
    // The thread does them all but the last; the functions are not here yet.
    while (marks[79] === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (how === 'is aborted') control.abort();
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    go();
    expect(await ended).toBe(how === 'fails' ? 'PadataError' : 'AbortError');
    expect([...marks].filter((n) => n !== 0)).toEqual([]);
  },
);
