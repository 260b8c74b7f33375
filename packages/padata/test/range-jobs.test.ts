import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import { currentWorker } from '@bootmem/padata/worker';
import type { WorkPool } from '@bootmem/padata';
import { controlLayout, lanePlace } from '../dist/protocol/control-layout.js';
import { lane as protocol } from '../dist/protocol/machine.js';
import { LaneRun } from '../dist/range/lane-run.js';
import type { PlannedRun } from '../dist/range/range-job.js';

const module = new URL('./fixtures/range-jobs.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
let pool: WorkPool;

beforeAll(async () => {
  pool = createWorkPool({ threads: 2, env: { ...process.env, PADATA_WORKER: '1' } });
  await pool.ready();
  await pool.load(fn('count'));
});
afterAll(() => pool.close());

function chunksOf(log: Int32Array): [number, number][] {
  const list: [number, number][] = [];
  for (let i = 0; i < log[0]!; i += 1) list.push([log[1 + 2 * i]!, log[2 + 2 * i]!]);
  return list.sort((a, b) => a[0] - b[0]);
}

test('every unit is visited exactly once and helpers take part', async () => {
  const marks = new SharedArrayBuffer(4 * 100_000);
  const result = await pool.runMultithreaded({
    threadFn: fn('count'),
    arg: { marks, base: 7 },
    start: 7,
    size: 100_000,
    align: 64,
    minChunk: 64,
    maxThreads: 3,
  });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  expect(result).toMatchObject({ planned: 3, got: 3 });
  expect(result.workers.reduce((n, w) => n + w.units, 0)).toBe(100_000);
  expect(result.workers.reduce((n, w) => n + w.chunks, 0)).toBe(result.chunks);
});

test('the calling thread and the helpers share the chunks of a slow job', async () => {
  const log = new SharedArrayBuffer(4 * 4096);
  const result = await pool.runMultithreaded({
    threadFn: fn('record'),
    // Nobody ends its first chunk before all three have begun one.
    arg: { log, meet: new SharedArrayBuffer(4), participants: 3 },
    start: 0,
    size: 12,
    maxThreads: 3,
  });
  expect(result.workers.map((w) => w.worker)).toEqual([0, 1, 2]);
  expect(chunksOf(new Int32Array(log))).toEqual(Array.from({ length: 12 }, (_, i) => [i, i + 1]));
});

test('a chunk function can ask which worker it runs on', async () => {
  const { workers, value } = await pool.runMultithreaded<unknown, number[]>({
    threadFn: fn('whoAmI'),
    start: 0,
    size: 3000,
    maxThreads: 3,
    initial: [],
    reduce: (all, one) => [...all, ...(one as number[])],
  });
  const tally = (id: number): number => value.filter((found) => found === id).length;
  expect(workers.map(({ worker }) => tally(worker))).toEqual(workers.map(({ chunks }) => chunks));
  expect(currentWorker()).toBe(0);
});

test('the claims are those of the golden vector', async () => {
  const log = new SharedArrayBuffer(4 * 4096);
  await pool.runMultithreaded({
    threadFn: fn('record'),
    arg: { log },
    start: 100,
    size: 1000,
    align: 64,
    minChunk: 10,
    maxThreads: 3,
  });
  // got = 3: chunk = round_up(1000 / 12, 64) = 128.
  const chunks = chunksOf(new Int32Array(log));
  expect(chunks[0]).toEqual([100, 128]);
  expect(chunks[1]).toEqual([128, 256]);
  expect(chunks.at(-1)).toEqual([1024, 1100]);
});

test('one participant: the function is called once, in the caller', async () => {
  const log = new SharedArrayBuffer(4 * 64);
  const result = await pool.runMultithreaded({
    threadFn: fn('record'),
    arg: { log },
    start: 3,
    size: 9,
    minChunk: 10,
  });
  expect(chunksOf(new Int32Array(log))).toEqual([[3, 12]]);
  expect(result.workers).toMatchObject([{ worker: 0, chunks: 1, units: 9 }]);
});

test('an empty range calls nothing', async () => {
  const result = await pool.runMultithreaded({ threadFn: fn('notThere'), start: 5, size: 0 });
  expect(result).toMatchObject({ chunks: 0, workers: [] });
});

test('works are returned after the job, and a job without works runs in the caller in chunks', async () => {
  await using small = createWorkPool({ threads: 2, works: 0 });
  const log = new SharedArrayBuffer(4 * 64);
  const result = await small.runMultithreaded({
    threadFn: fn('record'),
    arg: { log },
    start: 0,
    size: 1000,
    align: 64,
    minChunk: 64,
    maxThreads: 8,
  });
  expect(result).toMatchObject({ planned: 8, got: 1, chunkSize: 256, chunks: 4 });
  expect(chunksOf(new Int32Array(log)).at(-1)).toEqual([768, 1000]);
  expect(pool.stats().freeWorks).toBe(2);
});

test('chunk values are reduced in ascending order, numbers and objects', async () => {
  const total = await pool.runMultithreaded({
    threadFn: fn('sum'),
    start: 0,
    size: 10_000,
    reduce: (a: number, v: unknown) => a + (v as number),
    initial: 0,
  });
  expect(total.value).toBe((10_000 * 9_999) / 2);
  const list = await pool.runMultithreaded({
    threadFn: fn('spans'),
    start: 5,
    size: 10_000,
    reduce: (a: { start: number; end: number }[], v: unknown) => [...a, ...(v as typeof a)],
    initial: [] as { start: number; end: number }[],
  });
  let at = 5;
  for (const { start, end } of list.value) {
    expect(start).toBe(at);
    at = end;
  }
  expect(at).toBe(10_005);
});

test('asynchronous chunk functions are awaited, in helpers too', async () => {
  const result = await pool.runMultithreaded({
    threadFn: fn('laterTogether'),
    arg: { meet: new SharedArrayBuffer(4) },
    start: 0,
    size: 12,
    reduce: (a: number, v: unknown) => a + (v as number),
    initial: 0,
  });
  expect(result.value).toBe(12);
  expect(result.workers.length).toBeGreaterThan(1);
});

test('a prepared job runs many times, synchronously', async () => {
  // Large enough to be shared each time: helpers of one run meet the next.
  const marks = new SharedArrayBuffer(4 * 10_000);
  const job = await pool.prepareRange({ threadFn: fn('count'), arg: { marks, base: 0 } });
  for (let i = 0; i < 200; i += 1) job.runSync(0, 10_000);
  expect(new Int32Array(marks).every((n) => n === 200)).toBe(true);
  await job.run(0, 10_000);
  expect(new Int32Array(marks)[999]).toBe(201);
  job.close();
  expect(() => job.runSync(0, 1)).toThrow(expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }));
});

test('the first error wins, names its chunk, and completed spans are undone', async () => {
  const done = new SharedArrayBuffer(4 * 1000);
  const undone = new SharedArrayBuffer(4 * 1000);
  const failure = await pool
    .runMultithreaded({
      threadFn: fn('failAndMark'),
      undoFn: fn('undo'),
      arg: { unit: 500, done, undone },
      start: 0,
      size: 1000,
    })
    .then(
      () => undefined,
      (error: unknown) => error as { code: string; details: Record<string, number>; cause: Error },
    );
  expect(failure?.code).toBe('ERR_PADATA_CHUNK_FAILED');
  expect(failure?.details['start']).toBeLessThanOrEqual(500);
  expect(failure?.details['end']).toBeGreaterThan(500);
  expect(failure?.cause.message).toBe('unit 500');
  expect([...new Int32Array(undone)]).toEqual([...new Int32Array(done)]);
});

test('an aborted job stops claiming and rejects with the reason', async () => {
  const control = new AbortController();
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const job = pool.runMultithreaded({
    threadFn: fn('untilOpen'),
    arg: { gate: gate.buffer },
    start: 0,
    size: 100,
    minChunk: 1,
    signal: control.signal,
  });
  while (Atomics.load(gate, 1) === 0) await new Promise((resolve) => setImmediate(resolve));
  control.abort(new Error('enough'));
  Atomics.store(gate, 0, 1);
  await expect(job).rejects.toThrow('enough');
  // One chunk for each participant that had begun, and none after.
  expect(gate[1]).toBeLessThanOrEqual(3);
  expect(pool.stats().freeWorks).toBe(2);
});

test('a worker that exits in a chunk fails the job, is replaced, and the pool goes on', async () => {
  await expect(
    pool.runMultithreaded({
      threadFn: fn('exitIn'),
      arg: { code: 3, here: new SharedArrayBuffer(4) },
      start: 0,
      size: 30,
    }),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED', details: { exitCode: 3 } });
  await pool.ready();
  const marks = new SharedArrayBuffer(4 * 100);
  await pool.runMultithreaded({
    threadFn: fn('count'),
    arg: { marks, base: 0 },
    start: 0,
    size: 100,
  });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
});

test('a worker that exits while the caller blocks is noticed', async () => {
  await pool.ready();
  const here = new SharedArrayBuffer(4);
  await pool.load(fn('exitSync'));
  expect(() =>
    pool.runMultithreadedSync({ threadFn: fn('exitSync'), arg: { here }, start: 0, size: 3 }),
  ).toThrow(expect.objectContaining({ code: 'ERR_PADATA_WORKER_DIED' }));
  await pool.ready();
});

test('a value that cannot be cloned fails the job with a code', async () => {
  // Small chunks so that a helper gets one; the caller needs no clone, so only a helper's value fails.
  await expect(
    pool.runMultithreaded({
      threadFn: fn('notAFunction'),
      start: 0,
      size: 10,
    }),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
  await expect(
    pool.runMultithreaded({ threadFn: fn('count'), arg: () => 1, start: 0, size: 10 }),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
  expect(pool.stats().freeWorks).toBe(2);
});

test('a module that does not load rejects with its name', async () => {
  const missing = { module: new URL('./fixtures/missing.mjs', import.meta.url), name: 'x' };
  await expect(pool.load(missing)).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
  await expect(
    pool.runMultithreaded({ threadFn: missing, start: 0, size: 10 }),
  ).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
});

test('inline pool: same chunks rule, same results, no threads', async () => {
  await using inline = createWorkPool({ backend: 'inline' });
  const marks = new SharedArrayBuffer(4 * 1000);
  const result = await inline.runMultithreaded({
    threadFn: fn('count'),
    arg: { marks, base: 0 },
    start: 0,
    size: 1000,
    maxThreads: 4,
  });
  expect(result).toMatchObject({ planned: 4, got: 1, chunkSize: 250, chunks: 4 });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
});

test('progress ends with everything done', async () => {
  const seen: number[] = [];
  await pool.runMultithreaded({
    threadFn: fn('busy'),
    arg: { ms: 2 },
    start: 0,
    size: 100,
    onProgress: (done, total) => {
      seen.push(done);
      expect(total).toBe(100);
    },
  });
  expect(seen.at(-1)).toBe(100);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

interface Tracked {
  readonly start: number;
  readonly end: number;
  readonly worker: number;
}

async function trackedJob(here?: Int32Array) {
  const marks = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const undone = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const waits = new Float64Array(new SharedArrayBuffer(24));
  const job = await pool.prepareRange<unknown, Tracked[]>({
    threadFn: fn('tracked'),
    undoFn: fn('undo'),
    arg: { marks: marks.buffer, undone: undone.buffer, waits: waits.buffer, here: here?.buffer },
    minChunk: 16,
    reduce: (all: Tracked[], one: unknown) => [...all, ...(one as Tracked[])],
    initial: [],
  });
  return { job, marks, undone, waits };
}

/** Runs it many times with nothing to do, so that it is taken for small. */
function makeSmall({ job, waits, marks }: Awaited<ReturnType<typeof trackedJob>>): void {
  waits.set([-1, 0, 0]);
  for (let i = 0; i < 100; i += 1) job.runSync(0, 4096);
  marks.fill(0);
  waits[0] = 0;
}

test('a small prepared job is run by the caller alone, with the same plan and result', async () => {
  const tracked = await trackedJob();
  const { job, marks } = tracked;
  makeSmall(tracked);
  const { value, workers, chunks, got } = job.runSync(0, 32);
  expect(chunks).toBe(2);
  expect(got).toBe(2);
  expect(value.map(({ start, end }) => [start, end])).toEqual([
    [0, 16],
    [16, 32],
  ]);
  expect(workers.reduce((sum, w) => sum + w.units, 0)).toBe(32);
  expect([...marks.subarray(0, 33)]).toEqual([...new Array<number>(32).fill(1), 0]);
  job.close();
});

test('a prepared job that turns out slow in its first chunks is shared; each chunk runs once, values in order', async () => {
  const here = new Int32Array(new SharedArrayBuffer(4));
  const tracked = await trackedJob(here);
  const { job, marks, waits } = tracked;
  // Not every round counts: a thread that stands still for a while makes a small job look large.
  for (let shared = 0; shared < 3;) {
    makeSmall(tracked);
    here[0] = 0;
    waits[0] = 2;
    const { value, workers, chunks, chunkSize } = job.runSync(0, 4096);
    expect(value.length).toBe(chunks);
    expect(value.map(({ start }) => start)).toEqual(value.map((_, k) => k * chunkSize));
    expect(marks.every((n) => n === 1)).toBe(true);
    expect(workers.reduce((sum, w) => sum + w.units, 0)).toBe(4096);
    expect(workers.reduce((sum, w) => sum + w.chunks, 0)).toBe(chunks);
    // Of the chunks helpers have their share.
    expect(workers.length).toBeGreaterThan(1);
    // The first was run before anybody was asked.
    if (value[0]!.worker === 0) shared += 1;
  }
  job.close();
});

test.each([
  ['in the first chunk', 0, 0],
  ['before anybody was asked', 100, 0],
  ['after helpers were asked', 3000, 5],
])('a prepared job that fails %s undoes exactly what was completed', async (_name, from, ms) => {
  const tracked = await trackedJob();
  const { job, marks, undone, waits } = tracked;
  makeSmall(tracked);
  waits.set([ms, from, 1]);
  expect(() => job.runSync(0, 4096)).toThrow(
    expect.objectContaining({
      code: 'ERR_PADATA_CHUNK_FAILED',
      details: expect.objectContaining({ index: expect.any(Number) }),
    }),
  );
  for (let i = 0; i < 4096; i += 1) {
    // What failed was begun and not completed; what comes after may have been completed by another thread.
    if (undone[i] === 1) expect(marks[i]).toBe(1);
    else expect(undone[i]).toBe(0);
  }
  const chunk = 4096 / (2 * 4);
  for (let i = 0; i + chunk < from; i += 1) expect(undone[i]).toBe(marks[i]);
  job.close();
});

test('a word about a run that is over is none about the next one in its lane', () => {
  // A run that fails waits for no more than its first error: what its other chunks send comes into the next.
  const layout = controlLayout(1);
  const control = {
    capacity: 1,
    words: new Int32Array(new SharedArrayBuffer(layout.wordCount * 4)),
    numbers: new Float64Array(new SharedArrayBuffer(layout.numberCount * 8)),
  };
  const place = lanePlace(layout, 0);
  const run = {
    job: { options: {} },
    shape: { start: 0, size: 4 },
    plan: { chunkSize: 1, chunkCount: 4 },
  } as unknown as PlannedRun;
  const openings = [0, 1].map(() => {
    const active = new LaneRun(control, place, run);
    active.gate = protocol.open(control.words, place.base);
    protocol.close(control.words, place.base);
    return active;
  });
  const [before, now] = openings as [LaneRun, LaneRun];
  expect(now.gate).not.toBe(before.gate);
  const error = { name: 'Error', message: 'late', stack: '', code: '', isError: true };
  const say = (gate: number): void => {
    now.note({ t: 'value', isPlain: false, lane: 0, gate, index: 1, value: 'x' }, 1);
    now.note({ t: 'fail', lane: 0, gate, index: 2, error }, 1);
  };
  say(before.gate);
  expect([now.failure, now.values.size]).toEqual([undefined, 0]);
  say(now.gate);
  expect(now.values.get(1)).toBe('x');
  expect(now.failure?.error).toMatchObject({ details: { start: 2, end: 3, worker: 1 } });
});
