// Roads less travelled: each test is a promise of the documentation.
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createWorkPool, map, orderedMap } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

const ranges = new URL('./fixtures/range-jobs.mjs', import.meta.url);
const jobs = new URL('./fixtures/series-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
type Any = (input: unknown) => unknown;
let pool: WorkPool;

beforeAll(async () => {
  pool = createWorkPool({
    threads: 2,
    nodes: [0, 1],
    env: { ...process.env, PADATA_WORKER: '1' },
  });
  await pool.ready();
});
afterAll(() => pool.close());

test('TypeScript modules load in the threads', async () => {
  const module = new URL('./fixtures/typed-jobs.ts', import.meta.url);
  await pool.load({ module, name: 'mark' });
  const marks = new SharedArrayBuffer(400);
  await pool.runMultithreaded({
    threadFn: { module, name: 'mark' },
    arg: { marks },
    start: 0,
    size: 100,
  });
  expect(new Int32Array(marks)[99]).toBe(297);
});

test('they do in a program that tsx runs, by their own name and by that of what they will be', async () => {
  const program = fileURLToPath(new URL('./fixtures/programs/tsx-host.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program]);
  expect(JSON.parse(stdout)).toEqual([3, 6, 9, 3, 6, 9]);
});

test.each([
  ['exports', 'exports.twice = (n) => 2 * n;', 'twice', 8],
  ['exports that are computed', "exports['twi' + 'ce'] = (n) => 2 * n;", 'twice', 8],
  ['an object', 'module.exports = { twice: (n) => 2 * n };', 'twice', 8],
  ['a function', 'module.exports = (n) => 2 * n;', 'default', 8],
  [
    'a function with members',
    'module.exports = () => 0; module.exports.twice = (n) => 2 * n;',
    'twice',
    8,
  ],
  [
    'what a compiler makes of a default export',
    "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = (n) => 2 * n;",
    'default',
    8,
  ],
  [
    'a class with a static member',
    'module.exports = class { static by = 2; static twice(n) { return this.by * n; } };',
    'twice',
    8,
  ],
  ['what another module gives', "module.exports = require('./inner.cjs');", 'twice', 8],
])('a CommonJS module that exports %s, in threads and here', async (_what, code, name, is) => {
  const folder = mkdtempSync(join(tmpdir(), 'padata-'));
  const module = join(folder, 'jobs.cjs');
  writeFileSync(module, code);
  writeFileSync(join(folder, 'inner.cjs'), "exports['twi' + 'ce'] = (n) => 2 * n;");
  await using inline = createWorkPool({ threads: 0 });
  for (const by of [pool, inline]) {
    await using s = by.series<Any>({ fn: { module, name } });
    expect(await s.run(4)).toBe(is);
    // `call` is what every function inherits.
    for (const missing of ['none', 'call']) {
      await using none = by.series<Any>({ fn: { module, name: missing } });
      await expect(none.run(4)).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
    }
  }
  rmSync(folder, { recursive: true });
});

test('they do by the tsx that runs the program, where none is installed beside them, by either name', async () => {
  const home = await mkdtemp(join(tmpdir(), 'padata-tsx-'));
  try {
    await writeFile(join(home, 'package.json'), '{"type":"module"}');
    await writeFile(join(home, 'jobs.ts'), 'export const half = (n: number): number => n / 2;\n');
    const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    await writeFile(
      join(home, 'main.ts'),
      `import { createWorkPool } from ${here('../dist/index.js')};
      const pool = createWorkPool({ threads: 1 });
      const results: unknown[] = [];
      for (const name of ['./jobs.js', './jobs.ts'])
        results.push(await pool.run({ module: new URL(name, import.meta.url), name: 'half' }, 8));
      console.log(JSON.stringify(results));
      await pool.close();`,
    );
    const tsx = createRequire(import.meta.url).resolve('tsx');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', pathToFileURL(tsx).href, 'main.ts'],
      { cwd: home },
    );
    expect(JSON.parse(stdout)).toEqual([4, 4]);
  } finally {
    await rm(home, { recursive: true });
  }
});

test('a program that requires the package and imports it has one of it', async () => {
  const program = fileURLToPath(new URL('./fixtures/programs/both-ways.cjs', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    program,
  ]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    half: 4,
    there: 4,
    same: true,
    entries: [true, true, true],
  });
});

test('a module may be a plain path, CommonJS included; a relative one is refused', async () => {
  const path = fileURLToPath(new URL('./fixtures/common.cjs', import.meta.url));
  await using s = pool.series<Any>({ fn: { module: path, name: 'half' } });
  expect(await s.run(8)).toBe(4);
  expect(() => pool.series({ fn: { module: './jobs.mjs', name: 'x' } })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
  expect(() => pool.series({ fn: { module: '', name: 'x' } })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
});

test('a chunk lost with its worker is run again by the caller when the job is idempotent', async () => {
  const here = new SharedArrayBuffer(4);
  const result = await pool.runMultithreaded({
    threadFn: { module: ranges, name: 'exitSync' },
    arg: { here },
    start: 0,
    size: 3,
    idempotent: true,
  });
  expect(result.workers.reduce((n, w) => n + w.units, 0)).toBeGreaterThanOrEqual(3);
  await pool.ready();
});

test('node-aware helpers, low priority: every unit once', async () => {
  for (const options of [{ nodeAware: true, maxThreads: 2 }, { priority: 'low' as const }]) {
    const marks = new SharedArrayBuffer(4 * 5000);
    await pool.runMultithreaded({
      threadFn: { module: ranges, name: 'count' },
      arg: { marks, base: 0 },
      start: 0,
      size: 5000,
      ...options,
    });
    expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  }
});

test.each([
  ['helpers', 2],
  ['the caller alone', 0],
])(
  'synchronous runs with %s: values, errors with undo, refusal of promises',
  async (_name, works) => {
    await using p = createWorkPool({ threads: 2, works });
    for (const name of ['sum', 'later', 'failAndMark', 'undo'])
      await p.load({ module: ranges, name });
    const sum = p.runMultithreadedSync({
      threadFn: { module: ranges, name: 'sum' },
      start: 0,
      size: 1000,
      reduce: (a: number, v: unknown) => a + (v as number),
      initial: 0,
    });
    expect(sum.value).toBe(499_500);
    expect(() =>
      p.runMultithreadedSync({ threadFn: { module: ranges, name: 'later' }, start: 0, size: 9 }),
    ).toThrow();
    const done = new SharedArrayBuffer(400);
    const undone = new SharedArrayBuffer(400);
    const job = await p.prepareRange({
      threadFn: { module: ranges, name: 'failAndMark' },
      undoFn: { module: ranges, name: 'undo' },
      arg: { unit: 50, done, undone },
    });
    expect(() => job.runSync(0, 100)).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_CHUNK_FAILED' }),
    );
    expect([...new Int32Array(undone)]).toEqual([...new Int32Array(done)]);
    await expect(job.run(0, 100)).rejects.toMatchObject({ code: 'ERR_PADATA_CHUNK_FAILED' });
    expect([...new Int32Array(undone)]).toEqual([...new Int32Array(done)]);
    job.close();
    expect(
      p.runMultithreadedSync({ threadFn: { module: ranges, name: 'sum' }, start: 0, size: 0 })
        .chunks,
    ).toBe(0);
    expect(() =>
      p.runMultithreadedSync({
        threadFn: { module: new URL('./x.mjs', ranges), name: 'sum' },
        start: 0,
        size: 5,
      }),
    ).toThrow(expect.objectContaining({ code: 'ERR_PADATA_MODULE' }));
  },
);

test('one participant: failure and abort in the fast path', async () => {
  await expect(
    pool.runMultithreaded({
      threadFn: { module: ranges, name: 'failAt' },
      arg: { unit: 1 },
      start: 0,
      size: 3,
      maxThreads: 1,
    }),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_CHUNK_FAILED', details: { start: 0, end: 3 } });
  await expect(
    pool.runMultithreaded({
      threadFn: { module: ranges, name: 'sum' },
      start: 0,
      size: 3,
      signal: AbortSignal.abort(new Error('never began')),
    }),
  ).rejects.toThrow('never began');
  const once = pool.runMultithreadedSync({
    threadFn: { module: ranges, name: 'sum' },
    start: 0,
    size: 3,
    maxThreads: 1,
    reduce: (_a: number, v: unknown) => v as number,
    initial: 0,
  });
  expect(once.value).toBe(3);
});

test('an abort without works stops between chunks', async () => {
  await using p = createWorkPool({ threads: 1, works: 0 });
  const control = new AbortController();
  const job = p.runMultithreaded({
    threadFn: { module: ranges, name: 'busy' },
    arg: { ms: 5 },
    start: 0,
    size: 40,
    maxThreads: 8,
    signal: control.signal,
    onProgress: () => {
      control.abort(new Error('enough'));
    },
  });
  await expect(job).rejects.toThrow('enough');
});

test('more runs than lanes: the surplus runs in its caller', async () => {
  await using p = createWorkPool({ threads: 1, works: 40 });
  const results = await Promise.all(
    range(20).map(() =>
      p.runMultithreaded({
        threadFn: { module: ranges, name: 'later' },
        arg: { ms: 2 },
        start: 0,
        size: 8,
        maxThreads: 2,
      }),
    ),
  );
  expect(results.every((r) => r.workers.reduce((n, w) => n + w.units, 0) === 8)).toBe(true);
  expect(p.stats().freeWorks).toBe(40);
});

test('thrown values that are no errors arrive as they are', async () => {
  await using s = pool.series<Any>({ fn: { module: jobs, name: 'throwIt' } });
  const outcomes = await Promise.allSettled(['text', null, 7, { odd: true }].map((v) => s.run(v)));
  const causes = outcomes.map((o) => (o as PromiseRejectedResult).reason as { cause?: unknown });
  expect(causes[0]?.cause).toBe('text');
  expect(causes[2]?.cause).toBe(7);
  expect(causes[3]?.cause).toEqual({ odd: true });
  const coded = await s
    .run('coded')
    .catch((e: unknown) => (e as { cause: { code: string } }).cause);
  expect(coded).toMatchObject({ code: 'E_CODED' });
});

test('iterators: early end closes the source, abort rejects, failing sources are handed on', async () => {
  await using s = pool.series<Any>({
    fn: { module: jobs, name: 'same' },
    window: 4,
    bytes: 'view',
  });
  let closed = 0;
  function* numbers() {
    try {
      for (let i = 0; ; i += 1) yield new Uint8Array(8).fill(i);
    } finally {
      closed += 1;
    }
  }
  for await (const item of s.map(numbers())) if ((item as Uint8Array)[0] === 3) break;
  expect(closed).toBe(1);
  async function* failing() {
    yield 1;
    await Promise.resolve();
    throw new RangeError('source');
  }
  const seen: unknown[] = [];
  await expect(
    (async () => {
      for await (const n of s.map(failing())) seen.push(n);
    })(),
  ).rejects.toThrow('source');
  expect(seen).toEqual([1]);
  function* failingNow() {
    yield 1;
    throw new RangeError('now');
  }
  await expect(map(pool, failingNow(), { module: jobs, name: 'same' })).rejects.toThrow('now');
  const control = new AbortController();
  const iterator = s.map(numbers(), { signal: control.signal });
  await iterator.next();
  control.abort(new Error('stop'));
  await expect(iterator.next()).rejects.toThrow('stop');
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  await expect(s.map([1], { signal: control.signal }).next()).rejects.toThrow('stop');
  const stream = new ReadableStream<number>({
    start(c) {
      c.enqueue(1);
    },
  });
  // Without the asynchronous iterator that only some platforms give streams.
  const reader = s.map({ getReader: () => stream.getReader() });
  expect((await reader.next()).value).toBe(1);
  await reader.return?.();
});

test('one-shot options: progress, skip, abort', async () => {
  const progress: number[] = [];
  const control = new AbortController();
  const kept = await map(
    pool,
    range(6),
    { module: jobs, name: 'failOdd' },
    {
      errors: 'skip',
      signal: control.signal,
      onProgress: (n) => progress.push(n),
    },
  );
  expect(kept).toEqual([0, 2, 4]);
  expect(progress).toEqual([1, 2, 3]);
  control.abort(new Error('late'));
  await expect(
    orderedMap(pool, [1], { module: jobs, name: 'same' }, { signal: control.signal }).next(),
  ).rejects.toThrow('late');
});

test('aborting one job that waits, one in the overflow and one that has ended', async () => {
  await using s = pool.series<Any>({ fn: { module: jobs, name: 'slow' }, window: 2 });
  const controls = range(4).map(() => new AbortController());
  const list = controls.map((c) => s.run(20, { signal: c.signal }));
  controls[3]!.abort(new Error('in the overflow'));
  const outcomes = await Promise.allSettled(list);
  expect(outcomes.map((o) => o.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
  controls[0]!.abort(new Error('too late'));
  await expect(s.run(1, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  );
});

test('a busy Duplex: cancelled and failing readers of the Web pair stop the writer', async () => {
  await using s = pool.series<Any>({ fn: { module: jobs, name: 'same' }, window: 4 });
  const pair = s.transform();
  const writer = pair.writable.getWriter();
  await writer.write(1);
  await pair.readable.cancel(new Error('gone'));
  await expect(
    (async () => {
      for (const n of range(20)) await writer.write(n);
    })(),
  ).rejects.toThrow('gone');
  const other = s.transform();
  await other.writable.abort(new Error('writer gave up'));
  await expect(other.readable.getReader().read()).rejects.toThrow('writer gave up');
});

test('pools: bad options are refused, resize to none and back, a prepared job survives', async () => {
  for (const options of [
    { threads: -1 },
    { threads: 300 },
    { spin: 0.5 },
    { works: -1 },
    { threads: 4, capacity: 2 },
  ]) {
    expect(() => createWorkPool(options)).toThrow(
      expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
    );
  }
  await using p = createWorkPool({ threads: 1, spin: 20, idle: 'loop' });
  const marks = new SharedArrayBuffer(400);
  const job = await p.prepareRange({
    threadFn: { module: ranges, name: 'count' },
    arg: { marks, base: 0 },
  });
  p.resize(2);
  await p.ready();
  await job.run(0, 100);
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  await expect(
    p.prepareRange({ threadFn: { module: ranges, name: 'none' } }),
  ).rejects.toMatchObject({
    code: 'ERR_PADATA_MODULE',
  });
  await p.close();
  await p.close();
  await expect(p.ready()).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
});

test('a listener that throws disturbs nobody else', async () => {
  await using p = createWorkPool({ threads: 1 });
  const seen: number[] = [];
  const off = p.on('worker-ready', ({ worker }) => seen.push(worker));
  await p.ready();
  off();
  expect(seen).toEqual([1]);
});

test('a thread that is ready says what the system calls it', async () => {
  await using p = createWorkPool({ threads: 2 });
  const tids = new Set<number>();
  p.on('worker-ready', ({ tid }) => tids.add(tid));
  await p.ready();
  if (process.platform === 'linux') {
    expect(tids.size).toBe(2);
    for (const tid of tids) expect(existsSync(`/proc/self/task/${tid}`)).toBe(true);
    expect(tids.has(process.pid)).toBe(false);
  } else expect([...tids]).toEqual([0]);
});
